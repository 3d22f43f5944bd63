"""Effects over replicates: the same comparison with everything drawn anew, from students to a teacher's slips.

One design decision: a claim has to hold over questions and over replicates, each by itself. The replicates' own
spread holds that of their questions where these are drawn anew too, but of few replicates it is known badly, and
luck must not make a narrow interval of it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from lema.statistics import LEVEL, Interval, bracket, points
from lema.statistics.student_t import t_quantile, t_tail

SEGMENT = 200  # places between two values of a curve at which an interval is asked whether it holds zero
DECADES = 0.9  # a curve over more decades than that is read on a logarithmic scale
Finding = Literal["better", "worse", "no difference shown", "one replicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One arm's accuracy less another's, as fractions."""

    mean: float
    over_questions: Interval  # other questions, these replicates
    over_replicates: Interval | None  # everything drawn anew; None with one replicate
    replicates: tuple[float, ...]
    questions: int  # of one replicate
    seeds: int
    p_value: float  # two-sided: the larger of the two

    def finding(self, adjusted_p: float) -> Finding:
        """What it bears. `adjusted_p`: corrected for the number of effects that are shown."""
        if self.over_replicates is None:
            return "one replicate"
        intervals = (self.over_questions, self.over_replicates)
        if adjusted_p >= 1 - LEVEL or any(interval.holds(0.0) for interval in intervals):
            return "no difference shown"
        return "better" if self.mean > 0 else "worse"

    def in_words(self, adjusted_p: float) -> str:
        """"better by 2.6 points, …", without subject and full stop."""
        finding = self.finding(adjusted_p)
        behind = f"{bracket(self.over_questions)} over {self.questions:,} questions a replicate"
        if self.over_replicates is None:
            return f"{points(self.mean)} points, 95 % interval {behind}; one replicate says nothing of others"
        behind = f"95 % intervals {bracket(self.over_replicates)} over {len(self.replicates)} replicates, {behind}"
        if finding == "no difference shown":
            return f"no difference shown: {points(self.mean)} points, {behind}"
        return f"{finding} by {abs(100 * self.mean):.1f} points, {behind}"


def effect(differences: Sequence[np.ndarray], *, same_questions: bool) -> Effect:
    """`differences`: of each replicate [seeds, questions] of −1, 0 and 1. With `same_questions` the columns of all
    replicates are the same questions in the same order, else each replicate has questions of its own.

    Both are t intervals: over replicates of their means, over questions of each question's mean over seeds (and
    over replicates, where it stands in all of them; else the replicates' squared errors are added).
    """
    means = np.array([each.mean() for each in differences])
    per_question = [each.mean(axis=0) for each in differences]
    if same_questions:
        per_question = [np.mean(per_question, axis=0)]
    errors = [_error(each) for each in per_question]
    error = math.sqrt(sum(each**2 for each in errors)) / len(errors)
    freedom = max(1, sum(map(len, per_question)) - len(per_question))
    mean = float(means.mean())
    p_value = _p(mean, error, freedom)
    over_replicates = None
    if len(means) > 1:
        spread = _error(means)
        over_replicates = _around(mean, spread, len(means) - 1)
        p_value = max(p_value, _p(mean, spread, len(means) - 1))
    return Effect(mean=mean, over_questions=_around(mean, error, freedom), over_replicates=over_replicates,
                  replicates=tuple(map(float, means)), questions=differences[0].shape[1],
                  seeds=differences[0].shape[0], p_value=p_value)


class Crossing(NamedTuple):
    """Where a curve of effects crosses zero. None: beyond the values that were tried."""

    at: float
    low: float | None
    high: float | None
    rising: bool

    def in_words(self) -> str:
        low = "below the least value" if self.low is None else _in_digits(self.low)
        high = "above the largest" if self.high is None else _in_digits(self.high)
        return f"at {_in_digits(self.at)} (95 %: {low} to {high})"


def _in_digits(value: float) -> str:
    """1,212; 0.143."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def crossings(values: Sequence[float], effects: np.ndarray) -> list[Crossing]:
    """Where the mean of `effects`, [replicates, values], crosses zero between `values`, in their order. Between
    two of them every replicate's own curve is a line; the interval is where the t interval over replicates holds
    zero (Fieller's way), around the crossing."""
    order = np.argsort(values)
    at, curves = np.array(values, float)[order], np.asarray(effects, float)[:, order]
    bent = at[0] > 0 and math.log10(at[-1] / at[0]) > DECADES
    scale = np.log(at) if bent else at
    fine = np.unique(np.concatenate([np.linspace(*pair, SEGMENT) for pair in pairwise(scale)]))
    lines = np.array([np.interp(fine, scale, curve) for curve in curves])
    mean = lines.mean(axis=0)
    held = np.ones(len(fine), bool)
    if len(lines) > 1:
        error = lines.std(axis=0, ddof=1) / math.sqrt(len(lines))
        held = np.abs(mean) <= t_quantile((1 + LEVEL) / 2, len(lines) - 1) * error
    back = np.exp if bent else np.asarray
    places = []
    for place in np.flatnonzero(np.sign(mean[:-1]) * np.sign(mean[1:]) < 0):
        rise, step = mean[place + 1] - mean[place], fine[place + 1] - fine[place]
        low, high = _reach(held, place, -1), _reach(held, place + 1, 1)
        places.append(Crossing(
            float(back(fine[place] - step * mean[place] / rise)), None if low is None else float(back(fine[low])),
            None if high is None else float(back(fine[high])), bool(rise > 0)))
    return places


def _reach(held: np.ndarray, place: int, step: int) -> int | None:
    """How far from `place` zero is held; None where that is to the edge."""
    while 0 <= place < len(held):
        if not held[place]:
            return place
        place += step
    return None


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def _around(mean: float, error: float, freedom: float) -> Interval:
    half = t_quantile((1 + LEVEL) / 2, freedom) * error
    return Interval(max(-1.0, mean - half), min(1.0, mean + half))


def _p(mean: float, error: float, freedom: float) -> float:
    if not error:
        return 1.0
    return min(1.0, 2 * t_tail(abs(mean) / error, freedom))
