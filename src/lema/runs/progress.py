"""How far a run is: bars on a terminal, plain lines elsewhere.

One design decision: only this file knows whether anybody is watching.
"""

import contextlib
import sys
import threading
import time
from collections.abc import Iterator

from rich.console import Console, RenderableType
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

from lema.printable import guarded, printable
from lema.runs.news import News

PLAIN_SECONDS = 10.0


class Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "", style="progress.data.speed")


@contextlib.contextmanager
def display() -> "Iterator[Bars | Lines]":
    """Bars where standard error is a terminal, else lines."""
    console = Console(file=getattr(sys.stderr, "rich_proxied_file", sys.stderr))
    if not console.is_terminal:
        with contextlib.closing(Lines()) as lines:
            yield lines
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=16), MofNCompleteColumn(),
               Rate(), TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}", markup=False))
    # what is printed beside the bars goes through rich, which lets colours of whoever prints pass
    with WithWhole(*columns, console=console, transient=True) as progress, guarded(), \
            contextlib.closing(Bars(progress)) as bars:
        yield bars


class Remembered:
    """The stages that were done before, told of in one line when something else happens or the run ends."""

    def __init__(self) -> None:
        self._stages: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, news: News) -> None:
        with self._lock:
            if news.state == "remembered":
                self._stages.append(news.stage)
                return
            self._tell()
            if news.state == "overall":
                self._show(printable(news.note))
                return
            self._move(news._replace(stage=printable(news.stage), note=printable(news.note)))

    def close(self) -> None:
        """Tells of what was not told yet."""
        with self._lock:
            self._tell()

    def _tell(self) -> None:
        if self._stages:
            several = len(self._stages) > 1
            names = f"{len(self._stages):,} stages" if several else printable(self._stages[0])
            self._write(f"  {names}: done before")
            self._stages.clear()


class WithWhole(Progress):
    """Bars, and below them how the run stands as a whole."""

    overall = ""

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if self.overall:
            yield Text(self.overall, style="progress.elapsed")


class Bars(Remembered):
    """One bar per stage at work; a finished stage leaves one line behind."""

    every = 2.0  # seconds between two words on the whole run

    def __init__(self, progress: WithWhole) -> None:
        super().__init__()
        self._progress = progress
        self._tasks: dict[str, tuple[int, float]] = {}

    def _show(self, overall: str) -> None:
        self._progress.overall = overall

    def _move(self, news: News) -> None:
        if news.stage not in self._tasks:
            bar = self._progress.add_task(news.stage, total=None, note="")
            self._tasks[news.stage] = (bar, time.monotonic())
        task, started = self._tasks[news.stage]
        if news.state == "finished":
            self._progress.remove_task(task)
            del self._tasks[news.stage]
            self._write(_finished(news, time.monotonic() - started))
        else:
            self._progress.update(task, completed=news.done, total=news.total, note=news.note)

    def _write(self, line: str) -> None:
        self._progress.console.print(line, highlight=False, markup=False)


class Lines(Remembered):
    """One line when a stage ends, and one every ten seconds while it lasts; every minute one on the whole run."""

    every = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, float] = {}
        self._last_line: dict[str, float] = {}

    def _move(self, news: News) -> None:
        now = time.monotonic()
        started = self._started.setdefault(news.stage, now)
        if news.state == "finished":
            self._write(_finished(news, now - started))
        elif now - self._last_line.setdefault(news.stage, now) >= PLAIN_SECONDS:
            self._last_line[news.stage] = now
            self._write(_moving(news, now - started))

    def _show(self, overall: str) -> None:
        self._write(f"  {overall}")

    def _write(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def _finished(news: News, seconds: float) -> str:
    return ", ".join(filter(None, [f"✓ {news.stage}: {news.done:,} rows in {seconds:.1f} s", news.note]))


def _moving(news: News, seconds: float) -> str:
    rate, of, left = news.done / seconds, "", ""
    if news.total and news.done:
        of, left = f" of {news.total:,}", f"{(news.total - news.done) / rate:.0f} s left"
    return ", ".join(filter(None, [f"  {news.stage}: {news.done:,}{of}", f"{rate:,.0f}/s", left, news.note]))
