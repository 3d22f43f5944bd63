"""How far a run is: bars on a terminal, plain lines elsewhere.

One design decision: news comes as facts (stage, state, done, total) from whichever process, and only this file
knows whether anybody is watching.
"""

import sys
import threading
import time

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

from lema.runs.context import News

PLAIN_SECONDS = 10.0


class Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


def display() -> "Bars | Lines":
    """Bars where standard error is a terminal, else lines."""
    console = Console(stderr=True)
    return Bars(console) if console.is_terminal else Lines()


class Bars:
    """One bar per stage at work; a finished stage leaves one line behind."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(), Rate(),
            TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False),
            console=console, transient=True)
        self._tasks: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, news: News) -> None:
        with self._lock:
            if news.state == "remembered":
                self._console.print(f"[dim]  {news.stage}: done before[/dim]", highlight=False)
                return
            if news.stage not in self._tasks:
                bar = self._progress.add_task(news.stage, total=None, note="")
                self._tasks[news.stage] = (bar, time.monotonic())
            task, started = self._tasks[news.stage]
            if news.state == "finished":
                self._progress.remove_task(task)
                del self._tasks[news.stage]
                self._console.print(_finished(news, time.monotonic() - started), highlight=False, markup=False)
            else:
                self._progress.update(task, completed=news.done, total=news.total, note=news.note)


class Lines:
    """One line when a stage ends, and one every ten seconds while it lasts."""

    def __init__(self) -> None:
        self._started: dict[str, float] = {}
        self._said: dict[str, float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, news: News) -> None:
        with self._lock:
            now = time.monotonic()
            started = self._started.setdefault(news.stage, now)
            if news.state == "remembered":
                self._say(f"  {news.stage}: done before")
            elif news.state == "finished":
                self._say(_finished(news, now - started))
            elif now - self._said.setdefault(news.stage, now) >= PLAIN_SECONDS:
                self._said[news.stage] = now
                self._say(_moving(news, now - started))

    def _say(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def _finished(news: News, seconds: float) -> str:
    return ", ".join(filter(None, [f"✓ {news.stage}: {news.done:,} rows in {seconds:.1f} s", news.note]))


def _moving(news: News, seconds: float) -> str:
    rate = news.done / seconds
    said = f"  {news.stage}: {news.done:,}" + (f" of {news.total:,}" if news.total and news.done else "")
    left = f"{(news.total - news.done) / rate:.0f} s left" if news.total and news.done else ""
    return ", ".join(filter(None, [said, f"{rate:,.0f}/s", left, news.note]))
