"""What a set of right and wrong answers shows, and what it does not.

One design decision: every comparison is paired (the same questions, the same seeds) and carries two 95 %
intervals, one over questions and one over seeds, because a gain may be real on these questions and still be
the luck of one training. Fractions in, fractions out; only sentences speak of percent points. Numpy and mpmath
(which math-verify brings) do all of it, so that a laptop without scipy reads a run as a cluster does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

LEVEL = 0.95
TAIL_DIGITS = 150  # a tail of 1e-100 is what is left when nearly 1 is taken from 1
FEWEST_DECIDING = 6  # five questions that differ, all the same way: 2 / 2**5 = 0.06, no 5 % test can reject
Verdict = Literal[
    "better", "better on these questions", "no difference shown", "worse on these questions", "worse"]


class Interval(NamedTuple):
    """A 95 % interval of fractions."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """Share of right answers: the mean over seeds, its Wilson interval over questions, each seed's own."""

    mean: float
    interval: Interval
    seeds: tuple[float, ...]
    questions: int

    @property
    def deviation(self) -> float | None:
        """The sample standard deviation over the seeds; of one seed it is unknown and not zero."""
        return float(np.std(self.seeds, ddof=1)) if len(self.seeds) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One arm's accuracy less another's, on the same questions with the same seeds."""

    mean: float
    over_questions: Interval
    over_seeds: Interval | None  # None with one seed
    seed_differences: tuple[float, ...]
    questions: int
    deciding: int  # questions on which the two arms differ, summed over seeds
    p_value: float  # two-sided, over questions

    @property
    def seeds(self) -> int:
        return len(self.seed_differences)


def accuracy(right: np.ndarray) -> Accuracy:
    """`right`: 0/1 or bool, [seeds, questions]. The interval treats the seeds' mean as one answer a question."""
    right = _matrix(right)
    seeds = tuple(float(share) for share in right.mean(axis=1))
    mean = float(right.mean())
    questions = right.shape[1]
    return Accuracy(mean=mean, interval=wilson(mean * questions, questions), seeds=seeds, questions=questions)


def wilson(right: float, questions: int) -> Interval:
    """Wilson's score interval for `right` of `questions`; a mean over seeds may be no whole number."""
    if questions < 1 or not -1e-9 <= right <= questions + 1e-9:
        raise ValueError(f"{right} right of {questions} questions is no share")
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    share = min(max(right / questions, 0.0), 1.0)
    scale = 1 + z * z / questions
    centre = (share + z * z / (2 * questions)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / questions + z * z / (4 * questions**2))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(0.0 if share == 0 else low, 1.0 if share == 1 else high)


def difference(right: np.ndarray, baseline: np.ndarray) -> Difference:
    """The paired difference `right` − `baseline`, both [seeds, questions] of 0/1, rows and columns matched.

    Over questions: paired t interval on each question's mean difference over the seeds. Over seeds: t interval
    on each seed's difference over all questions, with a width even where all seeds agree (`_over_seeds`).
    """
    right, baseline = _matrix(right), _matrix(baseline)
    if right.shape != baseline.shape:
        raise ValueError(f"not the same seeds and questions: {right.shape} and {baseline.shape}")
    both = right - baseline
    per_question = both.sum(axis=0) / both.shape[0]
    per_seed = both.mean(axis=1)
    deciding = int(np.count_nonzero(per_question))
    return Difference(
        mean=float(both.mean()),
        over_questions=_over_questions(per_question, deciding),
        over_seeds=_over_seeds(both) if len(per_seed) > 1 else None,
        seed_differences=tuple(float(value) for value in per_seed),
        questions=both.shape[1],
        deciding=deciding,
        p_value=_p_value(per_question, deciding),
    )


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given, for several comparisons against one baseline."""
    adjusted = [1.0] * len(p_values)
    reached = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = reached
    return tuple(adjusted)


def verdict(paired: Difference, adjusted_p: float | None = None) -> Verdict:
    """The claim that `paired` bears. `adjusted_p` (see `holm`) also has to be below 0.05 where it is given."""
    if paired.over_questions.holds(0.0) or (adjusted_p is not None and adjusted_p >= 1 - LEVEL):
        return "no difference shown"
    sure = paired.over_seeds is not None and not paired.over_seeds.holds(0.0)
    if paired.mean > 0:
        return "better" if sure else "better on these questions"
    return "worse" if sure else "worse on these questions"


def reading(paired: Difference, adjusted_p: float | None = None) -> str:
    """One honest sentence, without its subject and full stop: "better by 6.1 points, ..."."""
    claim = verdict(paired, adjusted_p)
    questions = f"{bracket(paired.over_questions)} over {_count(paired.questions, 'question')}"
    seeds = "one seed"
    if paired.over_seeds:
        seeds = f"{bracket(paired.over_seeds)} over {_count(paired.seeds, 'seed')}"
    if claim == "no difference shown":
        shown = f"{points(paired.mean)} points, 95 % interval {questions}, {seeds}"
        if paired.over_questions.holds(0.0):
            return f"{claim}: {shown}"
        return f"{claim} once corrected for several comparisons (Holm p = {adjusted_p:.2g}): {shown}"
    word, _, only_here = claim.partition(" ")
    size = f"{word} by {abs(100 * paired.mean):.1f} points"
    if not only_here:
        return f"{size}, 95 % interval {questions}, {seeds}"
    doubt = (f"the spread over {paired.seeds} seeds, {bracket(paired.over_seeds)}, does not rule out chance"
             if paired.over_seeds else "with one seed the chance between trainings is not measured")
    return f"{size} {only_here}, 95 % interval {questions}; {doubt}"


def points(fraction: float) -> str:
    """A difference in percent points, signed: "+1.2"; the sign of a value that rounds to zero stays."""
    size = f"{abs(100 * fraction):.1f}"
    if fraction > 0:
        return f"+{size}"
    return f"−{size}" if fraction < 0 else size


def bracket(interval: Interval) -> str:
    """An interval in percent points: "[−1.2, +3.4]"."""
    return f"[{points(interval.low)}, {points(interval.high)}]"


@cache
def t_quantile(probability: float, freedom: int) -> float:
    """Student's t: the value that `probability` of the distribution lies below, to 1e-10."""
    if not 0 < probability < 1 or freedom < 1:
        raise ValueError(f"no t quantile for probability {probability}, {freedom} degrees of freedom")
    if probability <= 0.5:
        return -t_quantile(1 - probability, freedom) if probability < 0.5 else 0.0
    tail = 1 - probability
    low, high = 0.0, 1.0
    while t_tail(high, freedom) > tail:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if t_tail(middle, freedom) > tail else (low, middle)
    return middle


def t_tail(value: float, freedom: int) -> float:
    """Student's t: the probability above `value`, which must not be negative."""
    from mpmath import MPContext  # only whoever compares arms pays for its import

    context = MPContext()  # a new one: while it works it changes its own precision, under other threads too
    context.dps = TAIL_DIGITS
    square = context.mpf(value) ** 2
    # I_x(1/2, n/2) from x to 1; the other form, from 0 to n / (n + t²), does not converge where n is large
    return float(context.betainc(0.5, freedom / 2, square / (freedom + square), 1, regularized=True) / 2)


def _matrix(right: np.ndarray) -> np.ndarray:
    """`right` as floats, [seeds, questions], checked to be 0 and 1 only."""
    matrix = np.asarray(right, float)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"right answers come as [seeds, questions], at least one of each, not {matrix.shape}")
    if not np.isin(matrix, (0.0, 1.0)).all():
        raise ValueError("an answer is right (1) or not (0)")
    return matrix


def _t_interval(values: np.ndarray, deviation: float | None = None) -> Interval:
    """The t interval of the mean of at least two values, with their own deviation where none is given; an accuracy
    difference lies within [−1, 1]."""
    deviation = values.std(ddof=1) if deviation is None else deviation
    half = t_quantile((1 + LEVEL) / 2, len(values) - 1) * deviation / math.sqrt(len(values))
    mean = values.mean()
    return Interval(float(max(-1.0, mean - half)), float(min(1.0, mean + half)))


def _over_seeds(both: np.ndarray) -> Interval:
    """The t interval of the seeds' differences, [seeds, questions].

    Where all of them are equal, that is luck and no spread of zero: it is then made of how much each question's
    difference changes between the seeds, and at least of one question in one seed.
    """
    per_seed, (seeds, questions) = both.mean(axis=1), both.shape
    if np.ptp(per_seed) >= 1e-12:  # differing by more than rounding
        return _t_interval(per_seed)
    return _t_interval(per_seed, math.sqrt(max(both.var(axis=0, ddof=1).sum(), 1 / seeds)) / questions)


def _over_questions(per_question: np.ndarray, deciding: int) -> Interval:
    """The t interval, mended where it would claim too much.

    Where every question gives the same difference it has no width, or none at all for one question: then the
    share of questions of another kind is bounded exactly (none seen in n), each taken at its worst. Where fewer
    than six questions differ it is drawn out to zero, since no exact test could reject zero.
    """
    if np.ptp(per_question) < 1e-12:
        same = float(per_question[0])
        unseen = 1 - ((1 - LEVEL) / 2) ** (1 / len(per_question))
        return Interval(same - unseen * (1 + same), same + unseen * (1 - same))
    low, high = _t_interval(per_question)
    return Interval(min(low, 0.0), max(high, 0.0)) if deciding < FEWEST_DECIDING else Interval(low, high)


def _p_value(per_question: np.ndarray, deciding: int) -> float:
    """The paired t test's, but never below what the questions that differ could show if all went one way."""
    least = min(1.0, 2.0 ** (1 - deciding))
    if np.ptp(per_question) < 1e-12:
        return least
    error = per_question.std(ddof=1) / math.sqrt(len(per_question))
    return max(least, 2 * t_tail(abs(float(per_question.mean())) / error, len(per_question) - 1))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
