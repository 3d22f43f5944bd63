"""A lab problem as a graph: what is given, what follows from what, and the steps that reckon it out.

One design decision: which split a problem belongs to is a hash of its structure and numbers (its `key`), not a
matter of order or counts. So no two splits, no lesson and no question that a teacher makes up can ever share a
problem, not even under other names and things.
"""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from lema.tasks.lab.words import Scene

LARGEST = 30  # of every value in a problem
LARGEST_PART = 9  # of the n in "n more" and "n fewer"; the smallest is 2, as for every number that a story states


class Rule(NamedTuple):
    """One kind of step. The new value is `of[0] sign other`, where other is `of[1]`, `fixed` or the step's n."""

    family: str  # source: known to a grown student; target: new to it
    sign: str
    fixed: int | None  # the number that the rule itself brings; None where the story states one
    people: int = 1  # on how many known people it rests


RULES = {
    "more": Rule("source", "+", None),
    "fewer": Rule("source", "-", None),
    "twice": Rule("source", "*", 2),
    "half": Rule("source", "/", 2),
    "together": Rule("source", "+", None, people=2),
    "thrice": Rule("target", "*", 3),
    "dozen": Rule("target", "+", 12),
    "third": Rule("target", "/", 3),
    "inverse": Rule("target", "-", None),  # "A has n more than B", where B is the unknown
}
SOURCE = tuple(name for name, rule in RULES.items() if rule.family == "source")
TARGET = tuple(name for name, rule in RULES.items() if rule.family == "target")


@dataclass(frozen=True, slots=True)
class Given:
    """A person whose number the story states."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Relation:
    """A person whose number follows from that of others. `number` is 0 where two people are added up."""

    name: str
    rule: str
    of: tuple[str, ...]
    number: int
    wording: int = 0  # which of the rule's wordings tells it

    @property
    def formula(self) -> str:
        """In names: "Leo * 2" or "Leo + Ida"."""
        return f"{self.of[0]} {RULES[self.rule].sign} {self.of[1] if len(self.of) > 1 else self.number}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A story: its scene, and its facts in the order of telling. The last one is asked for."""

    scene: Scene
    facts: tuple[Given | Relation, ...]

    @property
    def relations(self) -> tuple[Relation, ...]:
        return tuple(fact for fact in self.facts if isinstance(fact, Relation))

    @property
    def level(self) -> int:
        """How many steps of reckoning lead to the answer."""
        return len(self.relations)

    @property
    def answer(self) -> int:
        return self.values()[self.facts[-1].name]

    def values(self) -> dict[str, int]:
        """Everyone's number, in the order of telling. ValueError where one is no positive integer."""
        values: dict[str, int] = {}
        for fact in self.facts:
            values[fact.name] = fact.value if isinstance(fact, Given) else _value(fact, values)
        return values

    def key(self) -> tuple:
        """Structure and numbers without names, scene and wording: equal keys are the same problem."""
        order: dict[str, int] = {}
        key: list[tuple] = []
        for place, fact in enumerate(self.facts):
            order[fact.name] = place
            if isinstance(fact, Given):
                key.append((fact.value,))
            else:
                key.append((fact.rule, *map(order.__getitem__, fact.of), fact.number))
        return tuple(key)

    def home(self) -> str:
        """The one split that this problem may appear in."""
        share = int.from_bytes(hashlib.sha256(repr(self.key()).encode()).digest()[:4], "big") % 100
        if share < 60:
            return "train"
        return "dev" if share < 75 else "test"


def compute(left: int, sign: str, right: int) -> int | None:
    """`left sign right`, or None where that is no integer."""
    if sign == "/":
        return left // right if right and left % right == 0 else None
    return {"+": left + right, "-": left - right, "*": left * right}[sign]


def worked_steps(problem: Problem) -> tuple[str, ...]:
    """The texts of the steps, without numbers: of each relation its formula in names first and then in numbers
    ("Sam = Leo * 2 = 15 * 2 = 30."), because a tiny model learns to reckon through it and not without it. The last
    one states the answer."""
    values = problem.values()
    return (*(step_text(relation, values) for relation in problem.relations), answer_text(problem.answer))


def step_text(relation: Relation, values: dict[str, int]) -> str:
    right = values[relation.of[1]] if len(relation.of) > 1 else relation.number
    numbers = f"{values[relation.of[0]]} {RULES[relation.rule].sign} {right}"
    return f"{relation.name} = {relation.formula} = {numbers} = {values[relation.name]}."


def answer_text(answer: int) -> str:
    return f"The answer is {answer}."


def _value(fact: Relation, values: dict[str, int]) -> int:
    right = values[fact.of[1]] if len(fact.of) > 1 else fact.number
    value = compute(values[fact.of[0]], RULES[fact.rule].sign, right)
    if value is None or value < 1:
        raise ValueError(f"{fact.name} has no positive whole number")
    return value
