"""The difference of two arms on the average of several test sets, each of which counts alike.

One design decision: the sets are strata. Their questions are drawn apart from each other, so that what one set is
harder than another is no chance; the trainings are the same on all of them, so that they stay together.
"""

import math
from collections.abc import Sequence

import numpy as np

from lema.statistics import (
    LEVEL,
    Difference,
    Interval,
    _crossed_error,
    _deviation,
    _matrix,
    _seed_deviation,
    difference,
)
from lema.statistics.student_t import t_quantile, t_tail

AVERAGE = "average"


def average_difference(strata: Sequence[tuple[np.ndarray, np.ndarray]]) -> Difference:
    """The paired difference `right` − `baseline` on the mean over the sets; of each set both as for `difference`,
    with the same seeds in every set. Over questions: Welch and Satterthwaite's interval of a stratified mean."""
    sets = [_matrix(right) - _matrix(baseline) for right, baseline in strata]
    alone = [difference(right, baseline) for right, baseline in strata]
    per_seed = np.mean([both.mean(axis=1) for both in sets], axis=0)
    mean, seeds = float(per_seed.mean()), len(per_seed)
    squares = [(_deviation(both.mean(axis=0)) / len(sets)) ** 2 / both.shape[1] for both in sets]
    error, freedom = math.sqrt(sum(squares)), _welch(squares, [both.shape[1] for both in sets])
    deciding = sum(each.deciding for each in alone)
    least = min(1.0, 2.0 ** (1 - deciding))  # as of a single set: what the questions that differ could show
    over_questions, p_value = _interval(mean, error, freedom), max(least, _p_value(mean, error, freedom))
    crossed = over_seeds = None
    if seeds > 1:
        of_seeds = _seeds_error(sets, per_seed)
        over_seeds = _interval(mean, of_seeds, seeds - 1)
        error, freedom = _crossed_error(error, freedom, of_seeds, seeds)
        wide = _interval(mean, error, freedom)
        crossed = Interval(min(wide.low, over_questions.low), max(wide.high, over_questions.high))
        p_value = max(p_value, _p_value(mean, error, freedom))
    return Difference(
        mean=mean, crossed=crossed, over_questions=over_questions, over_seeds=over_seeds, error=error,
        freedom=freedom, seed_differences=tuple(map(float, per_seed)),
        questions=sum(each.questions for each in alone), deciding=deciding, p_value=p_value)


def _welch(squares: Sequence[float], questions: Sequence[int]) -> float:
    parts = sum(square**2 / max(1, count - 1) for square, count in zip(squares, questions, strict=True))
    return sum(squares) ** 2 / parts if parts else max(1.0, min(questions) - 1)


def _seeds_error(sets: Sequence[np.ndarray], per_seed: np.ndarray) -> float:
    """Of the seeds' averages; where all happen to be equal, as `difference` has it of each set."""
    deviation = _deviation(per_seed)
    if np.ptp(per_seed) < 1e-12:
        deviation = math.sqrt(sum(_seed_deviation(both) ** 2 for both in sets)) / len(sets)
    return deviation / math.sqrt(len(per_seed))


def _interval(mean: float, error: float, freedom: float) -> Interval:
    half = t_quantile((1 + LEVEL) / 2, freedom) * error
    return Interval(max(-1.0, mean - half), min(1.0, mean + half))


def _p_value(mean: float, error: float, freedom: float) -> float:
    return 2 * t_tail(abs(mean) / error, freedom) if error else 1.0
