"""When a question has been sampled enough, and which questions promise most: the arithmetic of adaptive sampling.

One design decision: a question is judged by its own paths alone, counted in the order of their indices; so the
same paths always lead to the same next wave, and a run that was killed goes on as if it had not been.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from lema.config import AdaptiveConfig
from lema.records import Verdict

PRIOR = 0.5
"""Mistakes that a question is credited with before its first path, as if half a path had been one."""


@dataclass(slots=True)
class Tally:
    """What a question's paths have given so far."""

    wanted: int  # distinct right paths
    paths: int = 0
    right: int = 0
    mistakes: Counter = field(default_factory=Counter)  # by their steps
    solutions: set = field(default_factory=set)  # right paths by their steps
    idle: int = 0  # paths since the last that gave something wanted and new

    def add(self, verdict: Verdict, steps: Hashable) -> None:
        """Counts one more path. What could not be graded counts as a path that gave nothing."""
        before = self._given()
        self.paths += 1
        if verdict == "wrong":
            self.mistakes[steps] += 1
        elif verdict == "right":
            self.right += 1
            self.solutions.add(steps)
        self.idle = 0 if self._given() > before else self.idle + 1

    def enough(self, rules: AdaptiveConfig) -> bool:
        """Whether the question stops being sampled: it has given its quota, or has shown itself too easy, too hard
        or exhausted. The mistakes that it has given buy a question patience before it counts as easy."""
        solved = len(self.solutions) >= self.wanted
        given = len(self.mistakes) >= rules.mistakes and solved
        easy = self.right >= rules.easy * (1 + len(self.mistakes)) and solved
        hard = rules.hard is not None and not self.right and self.paths >= rules.hard
        return given or easy or hard or self.idle >= rules.idle

    @property
    def promise(self) -> float:
        """How likely the next path is a new mistake: mistakes seen once, as a share of the paths (Good, 1953,
        "The population frequencies of species and the estimation of population parameters")."""
        return (list(self.mistakes.values()).count(1) + PRIOR) / (self.paths + 1)

    def _given(self) -> int:
        """How many distinct mistakes and wanted right paths there are."""
        return len(self.mistakes) + min(len(self.solutions), self.wanted)
