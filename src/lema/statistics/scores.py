"""The rows that an examination ends in: scores, and comparisons of arms.

One design decision: they stand apart from the nouns of the method (lema.records), which whoever looks at results
need not know; they are written and read like those.
"""

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one trained model did on one slice of the examination; the untrained student is arm "". Of a question
    with several answers the share of right ones counts."""

    arm: str
    seed: int
    level: int | None  # None: all levels
    questions: int
    right: float  # questions
    no_answer: int = 0  # these three count texts
    truncated: int = 0
    ungradable: int = 0
    texts: int = 0  # 0 in rows of earlier versions, which had one a question
    pass_at: dict[int, float] = dataclasses.field(default_factory=dict)  # k -> chance that one of k is right
    majority: float | None = None  # the accuracy of the most frequent answer; None with one answer a question
    draw_deviation: float | None = None  # of the accuracy with a single answer drawn for each question

    @property
    def accuracy(self) -> float:
        return self.right / self.questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """An arm against another on the same questions and seeds; differences as fractions of the questions."""

    arm: str
    baseline: str
    test_set: str = ""  # "": the task's own questions; "average": over all sets alike
    mean: float
    crossed: tuple[float, float] | None  # paired 95 % interval, questions and seeds drawn; None with one seed
    over_questions: tuple[float, float]  # the same with these seeds
    over_seeds: tuple[float, float] | None  # the same with these questions; None with one seed
    seed_differences: tuple[float, ...]
    questions: int
    seeds: tuple[int, ...]
    p_value: float  # of the crossed test; of that over questions with one seed
    p_holm: float  # the same, corrected for the number of comparisons
    detectable: float  # the smallest difference that this design shows in four runs of five
    reading: str
