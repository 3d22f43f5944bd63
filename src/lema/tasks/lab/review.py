"""What a corrector and a critic say of a path: its first wrong step, why it is wrong, and the steps from there on;
or a sentence on every step up to that one.

One design decision: a step is judged against the solution graph and what the steps before it reached, part by part
in reading order, so that the explanation names the very part that is wrong; whatever the lab cannot read is a
wrong step too, and never an error. All words are those of stories, so that a grown student has them.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from lema.replies import number_steps
from lema.tasks.lab.problems import RULES, Problem, Relation, answer_text, compute, step_text
from lema.tasks.lab.words import Scene

_STEP = re.compile(r"(\w+) = (\w+) ([-+*/]) (\w+) = (\d{1,6}) ([-+*/]) (\d{1,6}) = (\d{1,6})\.?")
_ANSWER = re.compile(r"The answer is (\d{1,6})\.?")

DONE = {"+": "added", "-": "taken away", "*": "multiplied", "/": "divided"}
REASONS = {
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
EXPLANATIONS = {
    "unreadable": "This step does not say what is found and how.",
    "followed": "Nothing may follow the answer.",
    "unfinished": "The answer is not stated.",
    "repeated": "The number of {name} is known before this step.",
    "stranger": "The story does not tell of {name}.",
    "missing": "{reason}, so {right} must be found before {name}.",
    "sign": "{reason}, so {right} must be {do}, not {done}.",
    "sign by": "{reason}, so {left} must be {do} by {right}, not {done}.",
    "operand": "{reason}, so {right} is needed, not {said}.",
    "copy": "{name} is {right}, not {said}.",
    "number": "The number is {right}, not {said}.",
    "sign in numbers": "The numbers must be {do}, not {done}.",
    "reckoning": "{left} {sign} {right} is {value}, not {said}.",
    "not found": "The question asks for {name}, so {name} must be found before the answer.",
    "answer": "The question asks for {name}, and {name} is {right}, not {said}.",
}
MISJUDGED = "This step does not follow from the story."
"""What a corrector says who blames a step that is not the first wrong one."""

NOTHING = "Nothing is wrong."
PASSED = "This step is correct."  # what a critic says who does not see what is wrong with a step
BLAMED = "misjudged"
"""The mistake of a review that calls a step wrong for no reason: its critic has no other answer either."""


class Review(NamedTuple):
    """The first wrong step (1-based), what is wrong with it, and the right steps from that number on."""

    step: int
    explanation: str
    steps: tuple[str, ...]
    mistake: str  # which explanation it is


class _Fault(NamedTuple):
    mistake: str
    parts: dict[str, object]


def review(problem: Problem, path: Sequence[str]) -> Review | None:
    """Judges the steps of `path` (texts without numbers); None where the path is right to its end."""
    reached: list[str] = []
    answered = False
    for number, text in enumerate(path, 1):
        fault = _Fault("followed", {}) if answered else _judge(problem, reached, text.strip())
        if fault:
            return _reviewed(problem, number, fault, reached)
        answered = bool(_ANSWER.fullmatch(text.strip()))
        if not answered:
            reached.append(text.split(maxsplit=1)[0])
    return None if answered else _reviewed(problem, len(path) + 1, _Fault("unfinished", {}), reached)


def critique(problem: Problem, path: Sequence[str], fault: Review | None) -> str:
    """The critique of `path` by somebody who finds `fault` in it, None for nothing. Steps before the one that
    is called wrong are explained where they are right, and let pass where they are not."""
    kept = path[:fault.step - 1] if fault else path
    notes = [_note(problem, text.strip()) for text in kept]
    if fault:
        meant = f" The correct answer is {problem.answer}." if fault.mistake != BLAMED else ""
        notes.append(fault.explanation + meant)
    conclusion = f"Incorrect Step: Step {fault.step}." if fault else NOTHING
    return f"{number_steps(notes)}\n{conclusion}" if notes else conclusion


def steps_from(problem: Problem, reached: Sequence[str]) -> tuple[str, ...]:
    """The right steps to the answer for somebody who has the numbers of the people in `reached`."""
    values = problem.values()
    left = [step_text(relation, values) for relation in problem.relations if relation.name not in reached]
    return (*left, answer_text(problem.answer))


def _reviewed(problem: Problem, number: int, fault: _Fault, reached: Sequence[str]) -> Review:
    explanation = EXPLANATIONS[fault.mistake].format(**fault.parts)
    return Review(number, explanation, steps_from(problem, reached), fault.mistake)


def _judge(problem: Problem, reached: Sequence[str], text: str) -> _Fault | None:
    """What is wrong with the step after the people in `reached`, None where nothing is."""
    answer = _ANSWER.fullmatch(text)
    if answer:
        return _judge_answer(problem, reached, int(answer[1]))
    step = _STEP.fullmatch(text)
    if step is None:
        return _Fault("unreadable", {})
    relations = {relation.name: relation for relation in problem.relations}
    name = step[1]
    there = {fact.name for fact in problem.facts if fact.name not in relations} | set(reached)
    if name in there:
        return _Fault("repeated", {"name": name})
    if name not in relations:
        return _Fault("stranger", {"name": name})
    relation = relations[name]
    missing = [person for person in relation.of if person not in there]
    if missing:
        return _Fault("missing", {"reason": _reason(problem.scene, relation), "right": missing[0], "name": name})
    return _judge_formula(problem.scene, relation, step) or _judge_numbers(problem.values(), relation, step)


def _judge_answer(problem: Problem, reached: Sequence[str], answer: int) -> _Fault | None:
    name = problem.facts[-1].name
    if name not in reached:
        return _Fault("not found", {"name": name})
    if answer != problem.answer:
        return _Fault("answer", {"name": name, "right": problem.answer, "said": answer})
    return None


def _judge_formula(scene: Scene, relation: Relation, step: re.Match) -> _Fault | None:
    """Compares the formula in names with the relation's; the order of what is added or multiplied is free."""
    left, sign, right = relation.formula.split(" ")
    reason = _reason(scene, relation)
    if step[3] != sign:
        kind = "sign" if sign in "+-" else "sign by"
        return _Fault(kind, {"reason": reason, "left": left, "right": right, "do": DONE[sign],
                             "done": DONE[step[3]]})
    operands = (step[2], step[4])
    if operands == (left, right) or (sign in "+*" and operands == (right, left)):
        return None
    if left not in operands:
        return _Fault("operand", {"reason": reason, "right": left, "said": step[2]})
    other = operands[1] if operands[0] == left else operands[0]
    return _Fault("operand", {"reason": reason, "right": right, "said": other})


def _judge_numbers(values: dict[str, int], relation: Relation, step: re.Match) -> _Fault | None:
    """Compares the formula in numbers with the one in names, and works it out."""
    for name, number in ((step[2], int(step[5])), (step[4], int(step[7]))):
        right = values[name] if name in values else int(name)
        if number != right:
            return _Fault("copy" if name in values else "number", {"name": name, "right": right, "said": number})
    if step[6] != step[3]:
        return _Fault("sign in numbers", {"do": DONE[step[3]], "done": DONE[step[6]]})
    value = compute(int(step[5]), step[6], int(step[7]))
    if int(step[8]) != value:
        return _Fault("reckoning", {"left": step[5], "sign": step[6], "right": step[7], "value": value,
                                    "said": step[8]})
    return None


def _reason(scene: Scene, relation: Relation) -> str:
    old, other = (*relation.of, "")[:2]
    return REASONS[relation.rule].format(verb=scene.verb, new=relation.name, old=old, other=other,
                                         n=relation.number)


def _note(problem: Problem, text: str) -> str:
    """Why a step is right."""
    if text == f"The answer is {problem.answer}.":
        return f"The question asks for {problem.facts[-1].name}, and {problem.facts[-1].name} is {problem.answer}."
    for relation in problem.relations:
        if text.startswith(f"{relation.name} = "):
            right = text.rstrip(".").endswith(f"= {problem.values()[relation.name]}")
            return _so(problem, relation) if right else PASSED
    return PASSED


def _so(problem: Problem, relation: Relation) -> str:
    values, sign = problem.values(), RULES[relation.rule].sign
    old, other = (*relation.of, str(relation.number))[:2]
    left, right = values[old], values.get(other, relation.number)
    done = f"{other} must be {DONE[sign]}" if sign in "+-" else f"{old} must be {DONE[sign]} by {right}"
    return f"{_reason(problem.scene, relation)}, so {done}: {left} {sign} {right} is {values[relation.name]}."
