"""What a corrector does: the first wrong step of a path, why it is wrong, and the steps from there on.

One design decision: a step is judged against the solution graph and what the steps before it found, part by part
in reading order, so that the explanation names the very part that is wrong; whatever the lab cannot read is a
wrong step too, and never an error.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lema.tasks.lab.problems import Problem, Relation, Scene, compute
from lema.tasks.lab.solving import answer_text, step_text

_STEP = re.compile(r"(\w+) = (\w+) ([-+*/]) (\w+) = (\d{1,6}) ([-+*/]) (\d{1,6}) = (\d{1,6})\.?")
_ANSWER = re.compile(r"The answer is (\d{1,6})\.?")
_DONE = {"+": "added", "-": "taken away", "*": "multiplied", "/": "divided"}
_REASONS = {
    "more": "{new} {verb} {n} more than {old}",
    "fewer": "{new} {verb} {n} fewer than {old}",
    "twice": "{new} {verb} twice as many as {old}",
    "half": "{new} {verb} half as many as {old}",
    "together": "{new} {verb} as many as {old} and {other} together",
    "thrice": "{new} {verb} three times as many as {old}",
    "dozen": "{new} {verb} a dozen more than {old} and a dozen is 12",
    "third": "{new} {verb} a third as many as {old}",
    "inverse": "{old} {verb} {n} more than {new}",
}


class Review(NamedTuple):
    """The first wrong step (1-based), what is wrong with it, and the right steps from that number on."""

    step: int
    explanation: str
    steps: tuple[str, ...]


def review(problem: Problem, path: Sequence[str]) -> Review | None:
    """Judges the steps of `path` (texts without numbers); None where the path is right to its end."""
    found: list[str] = []
    answered = False
    for number, text in enumerate(path, 1):
        wrong = "Nothing may follow the answer." if answered else _judge(problem, found, text.strip())
        if wrong:
            return Review(number, wrong, steps_from(problem, found))
        answered = bool(_ANSWER.fullmatch(text.strip()))
        if not answered:
            found.append(text.split(" ", 1)[0])
    return None if answered else Review(len(path) + 1, "The answer is not stated.", steps_from(problem, found))


def steps_from(problem: Problem, found: Sequence[str]) -> tuple[str, ...]:
    """The right steps to the answer for one who has found the numbers of the people in `found`."""
    values = problem.values()
    left = [step_text(relation, values) for relation in problem.relations if relation.name not in found]
    return (*left, answer_text(problem.answer))


def _judge(problem: Problem, found: Sequence[str], text: str) -> str:
    """What is wrong with the step after the people in `found`, "" where nothing is."""
    answer = _ANSWER.fullmatch(text)
    if answer:
        return _judge_answer(problem, found, int(answer[1]))
    step = _STEP.fullmatch(text)
    if step is None:
        return "This step does not say what is found and how."
    relations = {relation.name: relation for relation in problem.relations}
    name = step[1]
    known = {fact.name for fact in problem.facts if fact.name not in relations} | set(found)
    if name in known:
        return f"The number of {name} is known before this step."
    if name not in relations:
        return f"The story does not tell of {name}."
    relation = relations[name]
    missing = [person for person in relation.of if person not in known]
    if missing:
        return f"{_reason(problem.scene, relation)}, so {missing[0]} must be found before {name}."
    return _judge_formula(problem.scene, relation, step) or _judge_numbers(problem.values(), relation, step)


def _judge_answer(problem: Problem, found: Sequence[str], answer: int) -> str:
    asked = problem.facts[-1].name
    if asked not in found:
        return f"The question asks for {asked}, so {asked} must be found before the answer."
    if answer != problem.answer:
        return f"The question asks for {asked}, and {asked} is {problem.answer}, not {answer}."
    return ""


def _judge_formula(scene: Scene, relation: Relation, step: re.Match) -> str:
    """Compares the formula in names with the relation's."""
    left, sign, right = relation.formula.split(" ")
    reason = _reason(scene, relation)
    if step[3] != sign:
        return f"{reason}, so {_must_be(left, sign, right)}, not {_DONE[step[3]]}."
    said = {step[2], step[4]} if sign in "+*" else (step[2], step[4])
    if said == ({left, right} if sign in "+*" else (left, right)):
        return ""
    if left not in (step[2], step[4]):
        return f"{reason}, so {left} is needed, not {step[2]}."
    return f"{reason}, so {right} is needed, not {step[4] if step[2] == left else step[2]}."


def _judge_numbers(values: dict[str, int], relation: Relation, step: re.Match) -> str:
    """Compares the formula in numbers with the one in names, and works it out."""
    for said, number in ((step[2], int(step[5])), (step[4], int(step[7]))):
        right = values[said] if said in values else int(said)
        if number != right:
            return f"{said} is {right}, not {number}." if said in values else f"The number is {right}, not {number}."
    if step[6] != step[3]:
        return f"The numbers must be {_DONE[step[3]]}, not {_DONE[step[6]]}."
    if int(step[8]) != compute(int(step[5]), step[6], int(step[7])):
        return f"{step[5]} {step[6]} {step[7]} is {values[relation.name]}, not {step[8]}."
    return ""


def _must_be(left: str, sign: str, right: str) -> str:
    if sign in "+-":
        return f"{right} must be {_DONE[sign]}"
    return f"{left} must be {_DONE[sign]} by {right}"


def _reason(scene: Scene, relation: Relation) -> str:
    old, other = (*relation.of, "")[:2]
    return _REASONS[relation.rule].format(verb=scene.verb, new=relation.name, old=old, other=other, n=relation.number)
