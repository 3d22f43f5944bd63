"""What `lema.compare` gives to Python: the facts of `lema compare --json`, with names and types.

One design decision: they are made of the same values, so that Python and the command cannot differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ComparedSystem:
    """One of what was compared. `accuracy` and its 95 % interval over questions are fractions of the questions
    that all were asked; `not_common` of its own questions others were not."""

    name: str
    accuracy: float
    interval: tuple[float, float]
    seeds: tuple[str, ...]
    questions: int
    not_common: int


@dataclass(frozen=True)
class ComparedPair:
    """A system less the first one. `mean` and its 95 % interval (over questions and seeds, where there are
    several) are fractions; `p_holm` counts all pairs; `reading` says in words what it bears."""

    name: str
    baseline: str
    mean: float
    interval: tuple[float, float]
    p_holm: float
    reading: str


@dataclass(frozen=True)
class Compared:
    """All of them, on the questions that all were asked."""

    questions: int
    systems: tuple[ComparedSystem, ...]
    comparisons: tuple[ComparedPair, ...]


def compare_in_python(sources: Sequence[str], *, runs: Path, task: str | None) -> Compared:
    """What `lema compare` says of these sources."""
    from lema.commands.compare import compared

    facts = compared(sources, runs, task)
    systems, pairs = [], []
    for each in facts["systems"]:
        low, high = each["interval"]
        systems.append(ComparedSystem(each["name"], each["accuracy"], (low, high), tuple(each["seeds"]),
                                      each["questions"], each["not_common"]))
    for each in facts["comparisons"]:
        low, high = each["crossed"] or each["over_questions"]
        pairs.append(ComparedPair(each["arm"], each["baseline"], each["mean"], (low, high), each["p_holm"],
                                  each["reading"]))
    return Compared(facts["questions"], tuple(systems), tuple(pairs))
