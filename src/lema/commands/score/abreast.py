"""Predictions and their grades, in the order of the file, by worker processes where these pay.

One design decision: the first rows are graded here, and what they took says what the rest will take; where that is
less than starting the workers and sending them every text costs, the rest is graded here too. The grades are the
same either way.
"""

import itertools
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator

from lema.commands.score.predictions import Judge, Prediction
from lema.grading import Grade

FIRST = 2000  # rows that are graded here before anything is decided
WORTH_S = 3.0  # seconds of grading that must be left
SENDING_S = 40e-6  # seconds of grading per row below which sending the row costs as much (bench/scoring.py)


def judged(judge: Judge, predictions: Iterable[Prediction], size: int, sending_s: float = SENDING_S,
           worth_s: float = WORTH_S) -> Iterator[tuple[Prediction, Grade]]:
    """Each prediction with its grade; `size` is that of the whole file, in bytes."""
    rows = iter(predictions)
    first = list(itertools.islice(rows, FIRST))
    start = time.perf_counter()
    grades = list(map(judge.grade, first))
    each = (time.perf_counter() - start) / max(1, len(first))
    yield from zip(first, grades, strict=True)
    if len(first) < FIRST:
        return
    left = size / max(1, sum(len(row.text) + len(row.gold) for row in first) / FIRST)
    if judge.elsewhere is None or each < sending_s or each * left < worth_s or (os.cpu_count() or 1) < 2:
        for row in rows:
            yield row, judge.grade(row)
        return
    sent: deque[Prediction] = deque()
    for grade in judge.elsewhere(_remembered(rows, sent)):
        yield sent.popleft(), grade


def _remembered(rows: Iterable[Prediction], sent: deque[Prediction]) -> Iterator[Prediction]:
    """The rows, each kept until its grade is back; the workers take only a few blocks ahead."""
    for row in rows:
        sent.append(row)
        yield row
