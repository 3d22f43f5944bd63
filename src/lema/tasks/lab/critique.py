"""What a critic says of a path: a sentence on every step up to the first wrong one, and the judgement.

One design decision: a critique is made of the words of stories and corrections alone, so that a grown student can
be trained on it with the vocabulary that it has.
"""

from collections.abc import Sequence

from lema.replies import number_steps
from lema.tasks.lab.problems import RULES, Problem, Relation
from lema.tasks.lab.review import DONE, REASONS, Review

NOTHING = "Nothing is wrong."
PASSED = "This step is correct."
"""What a critic says who does not see what is wrong with a step."""

BLAMED = "misjudged"
"""The mistake of a review that calls a step wrong for no reason: its critic has no other answer either."""


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


def _note(problem: Problem, text: str) -> str:
    """Why a step is right."""
    if text == f"The answer is {problem.answer}.":
        return f"The question asks for {problem.facts[-1].name}, and {problem.facts[-1].name} is {problem.answer}."
    for relation in problem.relations:
        if text.startswith(f"{relation.name} = "):
            right = text.rstrip(".").endswith(f"= {problem.values()[relation.name]}")
            return _reason(problem, relation) if right else PASSED
    return PASSED


def _reason(problem: Problem, relation: Relation) -> str:
    values, sign = problem.values(), RULES[relation.rule].sign
    old, other = (*relation.of, str(relation.number))[:2]
    left, right = values[old], values.get(other, relation.number)
    why = REASONS[relation.rule].format(verb=problem.scene.verb, new=relation.name, old=old, other=other,
                                        n=relation.number)
    done = f"{other} must be {DONE[sign]}" if sign in "+-" else f"{old} must be {DONE[sign]} by {right}"
    return f"{why}, so {done}: {left} {sign} {right} is {values[relation.name]}."
