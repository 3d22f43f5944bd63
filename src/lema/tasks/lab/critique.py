"""What a critic says of a path: a sentence on every step up to the first wrong one, and the verdict.

One design decision: a critique is made of the words of stories and corrections alone, so that a grown student can
be trained on it with the vocabulary that it has.
"""

from collections.abc import Sequence

from lema.tasks.lab.problems import RULES, Problem, Relation
from lema.tasks.lab.review import DONE, REASONS, Review

NOTHING = "Nothing is wrong."
PASSED = "This step is correct."
"""What a critic says who does not see what is wrong with a step."""

BLAMED = "misjudged"
"""The mistake of a review that calls a step wrong for no reason: its critic has no other answer either."""


def critique(problem: Problem, path: Sequence[str], found: Review | None) -> str:
    """The critique of `path` by somebody who finds what `found` says, None for nothing. Steps before the one that
    is called wrong are explained where they are right, and let pass where they are not."""
    kept = path[:found.step - 1] if found else path
    notes = [_note(problem, text.strip()) for text in kept]
    if found:
        meant = f" The correct answer is {problem.answer}." if found.mistake != BLAMED else ""
        notes.append(found.explanation + meant)
    lines = [f"Step {number}: {note}" for number, note in enumerate(notes, 1)]
    return "\n".join([*lines, f"Incorrect Step: Step {found.step}." if found else NOTHING])


def _note(problem: Problem, text: str) -> str:
    """Why a step is right."""
    if text == f"The answer is {problem.answer}.":
        return f"The question asks for {problem.facts[-1].name}, and {problem.facts[-1].name} is {problem.answer}."
    relation = next((one for one in problem.relations if text.startswith(f"{one.name} = ")), None)
    value = problem.values()[relation.name] if relation else None
    return _reason(problem, relation) if text.rstrip(".").endswith(f"= {value}") else PASSED


def _reason(problem: Problem, relation: Relation) -> str:
    values, sign = problem.values(), RULES[relation.rule].sign
    old, other = (*relation.of, str(relation.number))[:2]
    left, right = values[old], values.get(other, relation.number)
    why = REASONS[relation.rule].format(verb=problem.scene.verb, new=relation.name, old=old, other=other,
                                        n=relation.number)
    done = f"{other} must be {DONE[sign]}" if sign in "+-" else f"{old} must be {DONE[sign]} by {right}"
    return f"{why}, so {done}: {left} {sign} {right} is {values[relation.name]}."
