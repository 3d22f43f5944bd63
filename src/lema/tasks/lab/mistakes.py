"""Wrong paths: a worked solution with one mistake planted at a chosen step.

One design decision: the steps after the mistake are reckoned rightly from the wrong value, as people and models
do, so that the planted step is the first wrong one and the last line goes wrong by itself.
"""

import random
from dataclasses import replace
from typing import NamedTuple

from lema.tasks.lab.problems import LARGEST_PART, RULES, Problem, Relation, answer_text, compute, worked_steps

LARGEST_WRITTEN = 40  # no planted step writes a larger number, so that every number is a word the students know
MISTAKES = ("sign", "number", "person", "copy", "reckoning", "skip", "answer")
_TURNED = {"+": "-", "-": "+", "*": "/", "/": "*"}


class Wrong(NamedTuple):
    """A wrong path; `step` is the 1-based number of its first wrong step."""

    steps: tuple[str, ...]
    step: int
    mistake: str


def plant(rng: random.Random, problem: Problem, first: int = 1, tries: int = 60) -> Wrong | None:
    """A path whose first wrong step is a random one from number `first` on and whose answer is wrong."""
    right = worked_steps(problem)
    for _ in range(tries):
        step = rng.randint(first, len(right))
        mistake = "answer" if step == len(right) else rng.choice(MISTAKES[:-1])
        steps = _path(rng, problem, step, mistake)
        if steps and steps[-1] != right[-1] and steps[:step] != right[:step]:
            return Wrong(steps, step, mistake)
    return None


def _path(rng: random.Random, problem: Problem, step: int, mistake: str) -> tuple[str, ...] | None:
    """None where this mistake cannot be made here or needs a number that is too large."""
    values = {fact.name: fact.value for fact in problem.facts if not isinstance(fact, Relation)}
    lines: list[str] = []
    stands_for: dict[str, str] = {}  # a skipped person and whom the next steps take instead
    for number, relation in enumerate(problem.relations, 1):
        relation = replace(relation, of=tuple(stands_for.get(name, name) for name in relation.of))
        if number == step and mistake == "skip":
            stands_for[relation.name] = relation.of[0]
            values[relation.name] = values[relation.of[0]]
            continue
        line = _line(rng, relation, values, mistake if number == step else "")
        if line is None:
            return None
        lines.append(line)
    answer = values[problem.facts[-1].name]
    if mistake == "answer":
        answer = rng.choice([value for value in values.values() if value != answer] or [answer + 1])
    return (*lines, answer_text(answer)) if answer <= LARGEST_WRITTEN else None


def _line(rng: random.Random, relation: Relation, values: dict[str, int], mistake: str) -> str | None:
    """One step reckoned from `values` with the mistake in it; enters its value there."""
    sign, left = RULES[relation.rule].sign, relation.of[0]
    right: str | int = relation.of[1] if len(relation.of) > 1 else relation.number
    others = [name for name in values if name not in relation.of]
    if mistake == "sign":
        sign = _TURNED[sign]
    if mistake == "person":
        if not others:
            return None
        left = rng.choice(others)
    if mistake == "number":
        if isinstance(right, str):
            return None
        right = rng.choice([n for n in range(2, LARGEST_PART + 1) if n != right])
    numbers = [values[left], values[right] if isinstance(right, str) else right]
    if mistake == "copy":
        numbers[0] = _other_value(rng, numbers[0], [values[name] for name in others])
    value = compute(numbers[0], sign, numbers[1])
    if value is not None and mistake == "reckoning":
        value = _other_value(rng, value, [])
    if value is None or not all(1 <= n <= LARGEST_WRITTEN for n in (*numbers, value)):
        return None
    values[relation.name] = value
    return f"{relation.name} = {left} {sign} {right} = {numbers[0]} {sign} {numbers[1]} = {value}."


def _other_value(rng: random.Random, value: int, others: list[int]) -> int:
    near = [n for n in range(max(1, value - 3), value + 4) if n != value]
    return rng.choice([n for n in (*others, rng.choice(near)) if n != value])
