"""How far a run is: bars on a terminal, plain lines elsewhere.

One design decision: only this file knows whether anybody is watching.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from lema.runs.news import News

PLAIN_SECONDS = 10.0


class Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


@contextlib.contextmanager
def display() -> "Iterator[Bars | Lines]":
    """Bars where standard error is a terminal, else lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), Rate(),
               TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)


class Bars:
    """One bar per stage at work; a finished stage leaves one line behind."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._print = progress, progress.console.print
        self._tasks: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, news: News) -> None:
        with self._lock:
            if news.state == "remembered":
                self._print(f"[dim]  {news.stage}: done before[/dim]", highlight=False)
                return
            if news.stage not in self._tasks:
                bar = self._progress.add_task(news.stage, total=None, note="")
                self._tasks[news.stage] = (bar, time.monotonic())
            task, started = self._tasks[news.stage]
            if news.state == "finished":
                self._progress.remove_task(task)
                del self._tasks[news.stage]
                self._print(_finished(news, time.monotonic() - started), highlight=False, markup=False)
            else:
                self._progress.update(task, completed=news.done, total=news.total, note=news.note)


class Lines:
    """One line when a stage ends, and one every ten seconds while it lasts."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._last_line: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, news: News) -> None:
        with self._lock:
            now = time.monotonic()
            started = self._started.setdefault(news.stage, now)
            if news.state == "remembered":
                self._write(f"  {news.stage}: done before")
            elif news.state == "finished":
                self._write(_finished(news, now - started))
            elif now - self._last_line.setdefault(news.stage, now) >= PLAIN_SECONDS:
                self._last_line[news.stage] = now
                self._write(_moving(news, now - started))

    def _write(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def _finished(news: News, seconds: float) -> str:
    return ", ".join(filter(None, [f"✓ {news.stage}: {news.done:,} rows in {seconds:.1f} s", news.note]))


def _moving(news: News, seconds: float) -> str:
    rate, of, left = news.done / seconds, "", ""
    if news.total and news.done:
        of, left = f" of {news.total:,}", f"{(news.total - news.done) / rate:.0f} s left"
    return ", ".join(filter(None, [f"  {news.stage}: {news.done:,}{of}", f"{rate:,.0f}/s", left, news.note]))
