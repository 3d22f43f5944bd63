"""Many texts at once, on all cores: verdicts streamed in the order of the rows.

One design decision: rows go to the worker processes in blocks, and only a few blocks are under way at a time, so
that memory does not grow with the number of rows.
"""

import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from lema.grading.conventions import Conventions
from lema.grading.kinds import grade, kind_of
from lema.grading.verdict import Grade

BLOCK = 2000
"""Rows that a worker gets at a time."""


def grade_many(rows: Iterable[tuple[str, str]], *, task: str = "math", workers: int | None = None,
               conventions: Conventions | None = None) -> Iterator[Grade]:
    """A grade per row (text, gold), in order; `workers` processes (default: one per core), 0 to use this one."""
    kind_of(task)
    workers = len(os.sched_getaffinity(0)) if workers is None else workers
    blocks = itertools.batched(rows, BLOCK) if hasattr(itertools, "batched") else _blocks(rows)
    graded = partial(_graded, task=task, conventions=conventions)
    if workers == 0:
        for block in blocks:
            yield from graded(block)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        waiting: deque = deque()
        for block in blocks:
            waiting.append(pool.submit(graded, block))
            if len(waiting) > 2 * workers:
                yield from map(Grade._make, waiting.popleft().result())
        while waiting:
            yield from map(Grade._make, waiting.popleft().result())


def _blocks(rows: Iterable) -> Iterator[tuple]:
    rows = iter(rows)
    while block := tuple(itertools.islice(rows, BLOCK)):
        yield block


def _graded(block: tuple, task: str, conventions: Conventions | None) -> list[Grade]:
    return [grade(text, gold, task=task, conventions=conventions) for text, gold in block]
