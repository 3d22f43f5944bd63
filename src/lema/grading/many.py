"""Many texts at once, on all cores: grades streamed in the order of the rows.

One design decision: rows go to ordinary subprocesses (the caller is not forked, its script not imported again)
in blocks, and only two blocks per worker are under way, so that memory does not grow with the number of rows. A
worker that dies costs no row: its block is halved until the row that kills is alone, and that one is ungradable.
"""

import itertools
import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Literal

from lema.grading.conventions import Conventions
from lema.grading.given import choices_of, gold_answers
from lema.grading.kinds import Gold, grade, grade_as, kind_of
from lema.grading.verdict import Grade

BLOCK = 2000  # rows that a worker gets at a time
_WORK = "from lema.grading.many import work; work()"  # -m would load this file twice

Row = tuple[str, Gold] | tuple[str, Gold, str, Sequence[str]]
"""(text, gold), or (text, gold, finish, choices)."""

By = Literal["grade", "path"]
"""As `lema.grading.grade` judges a text, or as a stage of a run judges a path: with no look at the whole text."""


def grade_many(rows: Iterable[Row], *, task: str = "math", workers: int | None = None,
               conventions: Conventions | None = None, by: By = "grade") -> Iterator[Grade]:
    """A grade per row (text, gold) or (text, gold, finish, choices), in order, as `lema.grading.grade` gives it.

    `workers` is the number of worker processes: by default one per core; 0 grades in this process.
    """
    kind = kind_of(task)
    how = conventions or kind.conventions
    rows = map(_plain, rows)
    if workers == 0:
        return (grade_row(row, task, how, by) for row in rows)
    return _streamed(iter(rows), (task, how, by), workers or os.cpu_count() or 1)


def grade_row(row: Row, task: str, how: Conventions, by: By) -> Grade:
    """The grade of one row."""
    text, gold, finish, choices = (*row, "stop", ()) if len(row) == 2 else row
    if by == "path":
        return grade_as(kind_of(task), text, gold, finish, how, choices)
    return grade(text, gold, task=task, finish=finish, conventions=how, choices=choices)


def work() -> None:
    """A worker's whole life: settings as its argument, a block of rows per line in, their grades out."""
    task, settings, by = json.loads(sys.argv[1])
    how = Conventions(**settings)
    for line in sys.stdin.buffer:
        grades = [grade_row(row, task, how, by) for row in json.loads(line)]
        sys.stdout.buffer.write(json.dumps(grades).encode() + b"\n")
        sys.stdout.buffer.flush()


def _streamed(rows: Iterator[Row], settings: tuple[str, Conventions, By], count: int) -> Iterator[Grade]:
    free: SimpleQueue[_Worker] = SimpleQueue()
    workers = [_Worker(*settings) for _ in range(count)]
    for worker in workers:
        free.put(worker)

    def graded(block: list) -> list[Grade]:
        worker = free.get()
        try:
            return worker.grades(block)
        finally:
            free.put(worker)

    with ThreadPoolExecutor(count) as threads:
        waiting: deque = deque()
        try:
            while block := list(itertools.islice(rows, BLOCK)):
                waiting.append(threads.submit(graded, block))
                if len(waiting) >= 2 * count:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:  # also where the caller wants no more
            threads.shutdown(wait=True, cancel_futures=True)
            for worker in workers:
                worker.stop()


def _plain(row: Row) -> Row:
    """The row as JSON can hold it, for the workers; what is no text is None there."""
    text, gold, *more = row
    if not isinstance(text, str):
        text = None
    if not isinstance(gold, str):
        gold = gold_answers(gold)
    if more:
        finish, choices = more
        more = (finish if isinstance(finish, str) else "stop", choices_of(choices))
    return (text, gold, *more)


class _Worker:
    """A process that grades block after block, started at the first one."""

    def __init__(self, task: str, how: Conventions, by: By) -> None:
        self._settings = json.dumps([task, how.model_dump(), by])
        self._process: subprocess.Popen | None = None

    def grades(self, block: list) -> list[Grade]:
        """The grades of a block, whatever happens to the process."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _WORK, self._settings], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
        try:
            self._process.stdin.write(json.dumps(block).encode() + b"\n")
            self._process.stdin.flush()
            reply = self._process.stdout.readline()
        except OSError:
            reply = b""
        if reply.endswith(b"\n"):
            return [Grade(*fields) for fields in json.loads(reply)]
        self.stop()
        if len(block) == 1:
            return [Grade("ungradable", None, "its worker process died")]
        half = len(block) // 2
        return self.grades(block[:half]) + self.grades(block[half:])

    def stop(self) -> None:
        """Ends the process, if there is one."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()
