"""What a set of right and wrong answers shows, and what it does not.

One design decision: every comparison is paired (the same questions, the same seeds), and a claim rests on an
analysis in which both might have been others, because a gain may be real on these questions and still be the luck
of one training. Fractions in, fractions out; only sentences speak of percent points. Numpy and mpmath
(which math-verify brings) do all of it, so that a laptop without scipy reads a run as a cluster does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from lema.statistics.student_t import t_quantile, t_tail

LEVEL = 0.95
POWER = 0.8
SEEDS_AT_LEAST = 0.5  # of the crossed variance: a few seeds that agree by luck would claim too much
FEWEST_DECIDING = 6  # five questions that differ, all the same way: 2 / 2**5 = 0.06, no 5 % test can reject
Verdict = Literal[
    "better", "better with this seed", "no difference shown", "worse with this seed", "worse"]


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
    """One arm's accuracy less another's, on the same questions with the same seeds. `error` and `freedom` are
    the standard error and the degrees of freedom that `crossed` and `p_value` are made with."""

    mean: float
    crossed: Interval | None  # other questions and other seeds; None with one seed
    over_questions: Interval  # other questions, these seeds
    over_seeds: Interval | None  # other seeds, these questions; None with one seed
    error: float
    freedom: float
    seed_differences: tuple[float, ...]
    questions: int
    deciding: int  # questions on which the two arms differ, summed over seeds
    p_value: float  # two-sided, crossed; over questions with one seed

    @property
    def seeds(self) -> int:
        return len(self.seed_differences)

    @property
    def interval(self) -> Interval:
        """The one that a claim rests on."""
        return self.crossed or self.over_questions

    def detectable(self, comparisons: int = 1) -> float:
        """The smallest true difference that this design shows in four runs of five, where the least p-value of so
        many comparisons has to hold."""
        least = t_quantile(1 - (1 - LEVEL) / 2 / comparisons, self.freedom)
        half = (self.interval.high - self.interval.low) / 2  # where no two questions differ there is no error
        return max(half, (least + t_quantile(POWER, self.freedom)) * self.error)


def accuracy(right: np.ndarray) -> Accuracy:
    """`right`: 0/1, bool, or the share of right answers to a question, [seeds, questions]. The interval treats the
    mean of seeds and answers as one answer a question, which makes it rather too wide."""
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
    """The paired difference `right` − `baseline`, both [seeds, questions], rows and columns matched: 0/1, or of a
    question that was answered several times the share of right answers.

    Over questions: paired t interval on each question's mean difference over the seeds. Over seeds: t interval
    on each seed's difference over all questions, with a width even where all seeds agree (`_over_seeds`). Crossed:
    the two squared standard errors added (what questions and seeds share is counted in both, so the sum is rather
    too large), with Satterthwaite's degrees of freedom. A few seeds often happen to lie close together: their
    share of the variance counts as no less than half, which keeps the error of a whole table below 5 %
    (bench/coverage.py has the simulation, and the power beside other analyses).
    """
    right, baseline = _matrix(right), _matrix(baseline)
    if right.shape != baseline.shape:
        raise ValueError(f"not the same seeds and questions: {right.shape} and {baseline.shape}")
    both = right - baseline
    per_question = both.sum(axis=0) / both.shape[0]
    per_seed = both.mean(axis=1)
    deciding, mean = int(np.count_nonzero(abs(per_question) > 1e-12)), float(both.mean())
    over_questions, p_value = _over_questions(per_question, deciding), _p_value(per_question, deciding)
    error, freedom = _deviation(per_question) / math.sqrt(both.shape[1]), max(1.0, both.shape[1] - 1)
    crossed = None
    if len(per_seed) > 1:
        error, freedom = _crossed_error(error, freedom, _seed_deviation(both) / math.sqrt(len(per_seed)),
                                        len(per_seed))
        half = t_quantile((1 + LEVEL) / 2, freedom) * error
        crossed = Interval(max(-1.0, min(mean - half, over_questions.low)),
                           min(1.0, max(mean + half, over_questions.high)))
        p_value = max(p_value, 2 * t_tail(abs(mean) / error, freedom))
    return Difference(
        mean=mean, crossed=crossed, over_questions=over_questions,
        over_seeds=_t_interval(per_seed, _seed_deviation(both)) if len(per_seed) > 1 else None,
        error=error, freedom=freedom, seed_differences=tuple(float(value) for value in per_seed),
        questions=both.shape[1], deciding=deciding, p_value=p_value)


def disagreement(right: np.ndarray) -> float | None:
    """The share of questions on which two seeds of one arm disagree (where several answers were drawn: an answer
    of the one and an answer of the other), the mean over all pairs of seeds: the noise floor of its accuracy on
    single questions. None with one seed."""
    right = _matrix(right)
    seeds = len(right)
    if seeds < 2:
        return None
    passed, squares = right.sum(axis=0), (right**2).sum(axis=0)
    return float(((seeds - 1) * passed - passed**2 + squares).mean() / (seeds * (seeds - 1) / 2))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's adjusted p-values, in the order given, for several comparisons against one baseline."""
    adjusted = [1.0] * len(p_values)
    reached = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = reached
    return tuple(adjusted)


def verdict(paired: Difference, adjusted_p: float | None = None) -> Verdict:
    """The claim that `paired` bears. `adjusted_p` (see `holm`) takes the place of its own p-value where it is
    given. One seed says nothing of other trainings: its claim holds for these models only."""
    p_value = paired.p_value if adjusted_p is None else adjusted_p
    if paired.interval.holds(0.0) or p_value >= 1 - LEVEL:
        return "no difference shown"
    if paired.mean > 0:
        return "better" if paired.crossed else "better with this seed"
    return "worse" if paired.crossed else "worse with this seed"


def reading(paired: Difference, adjusted_p: float | None = None, comparisons: int = 1) -> str:
    """One honest sentence, without its subject and full stop: "better by 6.1 points, ...". `adjusted_p` is Holm's
    over so many comparisons."""
    claim = verdict(paired, adjusted_p)
    intervals = f"95 % interval {bracket(paired.interval)}"
    if paired.crossed:
        intervals += (f" ({bracket(paired.over_questions)} over {count(paired.questions, 'question')}, "
                      f"{bracket(paired.over_seeds)} over {count(paired.seeds, 'seed')})")
    else:
        intervals += f" over {count(paired.questions, 'question')}, one seed"
    if claim == "no difference shown":
        corrected = "" if paired.interval.holds(0.0) else (
            f" once corrected for {comparisons} comparisons (Holm p = {adjusted_p:.2g})")
        return (f"{claim}{corrected}: {points(paired.mean)} points, {intervals}; the smallest difference that "
                f"this design detects is {100 * paired.detectable(comparisons):.1f}")
    size = f"{claim.split()[0]} by {abs(100 * paired.mean):.1f} points"
    if paired.crossed:
        return f"{size}, {intervals}"
    return f"{size} with this seed, {intervals}: the chance between trainings is not measured"


def points(fraction: float) -> str:
    """A difference in percent points, signed: "+1.2"; the sign of a value that rounds to zero stays."""
    size = f"{abs(100 * fraction):.1f}"
    if fraction > 0:
        return f"+{size}"
    return f"−{size}" if fraction < 0 else size


def bracket(interval: Interval) -> str:
    """An interval in percent points: "[−1.2, +3.4]"."""
    return f"[{points(interval.low)}, {points(interval.high)}]"


def _matrix(right: np.ndarray) -> np.ndarray:
    """`right` as floats, [seeds, questions], checked to lie between 0 and 1."""
    matrix = np.asarray(right, float)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"right answers come as [seeds, questions], at least one of each, not {matrix.shape}")
    if not ((matrix >= 0) & (matrix <= 1)).all():  # so that what is no number is refused too
        raise ValueError("an answer is right (1) or not (0), a question's share lies between")
    return matrix


def _t_interval(values: np.ndarray, deviation: float) -> Interval:
    """The t interval of the mean of at least two values; an accuracy difference lies within [−1, 1]."""
    half = t_quantile((1 + LEVEL) / 2, len(values) - 1) * deviation / math.sqrt(len(values))
    mean = values.mean()
    return Interval(float(max(-1.0, mean - half)), float(min(1.0, mean + half)))


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _seed_deviation(both: np.ndarray) -> float:
    """The deviation of the seeds' differences, [seeds, questions].

    Where all of them are equal, that is luck and no spread of zero: it is then made of how much each question's
    difference changes between the seeds, and at least of one question in one seed.
    """
    per_seed, (seeds, questions) = both.mean(axis=1), both.shape
    if np.ptp(per_seed) >= 1e-12:  # differing by more than rounding
        return _deviation(per_seed)
    return math.sqrt(max(both.var(axis=0, ddof=1).sum(), 1 / seeds)) / questions


def _crossed_error(of_questions: float, freedom_of_questions: float, of_seeds: float,
                   seeds: int) -> tuple[float, float]:
    """Standard error and degrees of freedom of a mean over questions and seeds, both drawn at random."""
    variance = of_questions**2 + of_seeds**2
    share = max(of_seeds**2 / variance, SEEDS_AT_LEAST)
    freedom = 1 / (share**2 / (seeds - 1) + (1 - share) ** 2 / freedom_of_questions)
    return math.sqrt(variance), freedom


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
    low, high = _t_interval(per_question, _deviation(per_question))
    return Interval(min(low, 0.0), max(high, 0.0)) if deciding < FEWEST_DECIDING else Interval(low, high)


def _p_value(per_question: np.ndarray, deciding: int) -> float:
    """The paired t test's, but never below what the questions that differ could show if all went one way."""
    least = min(1.0, 2.0 ** (1 - deciding))
    if np.ptp(per_question) < 1e-12:
        return least
    error = per_question.std(ddof=1) / math.sqrt(len(per_question))
    return max(least, 2 * t_tail(abs(float(per_question.mean())) / error, len(per_question) - 1))


def count(number: int, noun: str) -> str:
    """"1 seed", "5 seeds"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
