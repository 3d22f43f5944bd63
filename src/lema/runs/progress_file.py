"""How far a run is, for other processes: a small file in its folder that the run writes while it works.

One design decision: the file is only ever a hint, written at most once a second and never synced; whether the run
still works is told by its process.
"""

import contextlib
import json
import os
import threading
import time
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from lema.files import read_plain, remove
from lema.runs.news import News, Progress
from lema.runs.standing import Standing

FILE = "progress.json"
SECONDS = 1.0


class StageProgress(BaseModel):
    """How far a stage is."""

    model_config = ConfigDict(strict=True)

    done: int
    total: int | None
    note: str
    since: float


class RunProgress(BaseModel):
    """What progress.json must hold."""

    model_config = ConfigDict(strict=True)

    pid: int = Field(gt=0, lt=2**31)
    began: float
    stages: int
    done: int
    before: int
    at_work: dict[str, StageProgress]
    ended: float | None
    overall: str = ""


class ProgressFile:
    """Hands news on to `progress` and keeps what they say in the run's folder. `stages`: how many the run has.
    With `standing` it says every `every` seconds how the run stands as a whole."""

    def __init__(self, folder: Path, stages: int, progress: Progress, standing: Standing | None = None,
                 every: float = 30.0) -> None:
        self._path, self._progress, self._lock = folder / FILE, progress, threading.Lock()
        self._standing, self._news, self._closed = standing, {}, threading.Event()
        self._facts = {"pid": os.getpid(), "began": time.time(), "stages": stages, "done": 0, "before": 0,
                       "at_work": {}, "ended": None}
        self._written, self._overall = 0.0, ""
        self._write()
        if standing is not None:
            threading.Thread(target=self._tell, args=(every,), daemon=True).start()

    def _tell(self, every: float) -> None:
        while not self._closed.wait(every):
            with self._lock:
                at_work = {name: {**facts, "news": self._news.get(name, facts["since"])}
                           for name, facts in self._facts["at_work"].items()}
            self._overall = self._standing.in_words(at_work)
            self._progress(News("", "overall", note=self._overall))
            with self._lock:
                self._write()

    def __call__(self, news: News) -> None:
        with self._lock:
            self._take(news)
            self._news[news.stage] = time.time()
            if news.state == "finished" and self._standing is not None:
                self._standing.finished(news.stage)
            if news.state != "moving" or time.monotonic() - self._written >= SECONDS:
                self._write()
            place = f"{self._facts['done']:,} of {self._facts['stages']:,} stages"
        if news.state == "finished":
            news = news._replace(note=", ".join(filter(None, [news.note, place])))
        self._progress(news)

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            self._facts["ended"] = time.time()
            self._write()

    def _take(self, news: News) -> None:
        at_work = self._facts["at_work"]
        if news.state in ("finished", "remembered"):
            at_work.pop(news.stage, None)
            self._facts["done"] += 1
            self._facts["before"] += news.state == "remembered"
            return
        since = at_work.get(news.stage, {}).get("since", time.time())
        at_work[news.stage] = {"done": news.done, "total": news.total, "note": news.note, "since": since}

    def _write(self) -> None:
        self._written = time.monotonic()
        part = self._path.with_name(f"{FILE}.part")
        with contextlib.suppress(OSError):  # a full disk is told by the stages
            remove(part)  # a link would be written through, and a pipe waited for
            with part.open("x", encoding="utf-8") as out:
                json.dump({**self._facts, "overall": self._overall}, out)
            part.replace(self._path)


def progress_of(folder: Path) -> dict | None:
    """What a run that is going says of itself; None where none is."""
    try:
        facts = RunProgress.model_validate_json(read_plain(folder / FILE))
        os.kill(facts.pid, 0)
        return facts.model_dump() if facts.ended is None else None
    except (OSError, ValueError):
        return None


def in_words(facts: dict) -> list[str]:
    """The same for a terminal."""
    stages = f"{facts['done']:,} of {facts['stages']:,} stages"
    lines = [f"going on: {facts['overall'] or stages}"]
    for name, news in facts["at_work"].items():
        lines.append(f"  {name}: {moving(news)}")
    return lines


def moving(news: dict) -> str:
    """How far a stage is: rows, rate, time left, cost."""
    seconds = max(time.time() - news["since"], 1e-3)
    rate = news["done"] / seconds
    parts = [f"{news['done']:,}" + (f" of {news['total']:,}" if news["total"] else ""), f"{rate:,.1f}/s"]
    if news["total"] and rate:
        parts.append(f"{(news['total'] - news['done']) / rate:,.0f} s left")
    return ", ".join(filter(None, [*parts, news["note"]]))
