"""Checks: what a correction must pass before it is trained on, each a small function from `Checked` to yes or no.

One design decision: a check sees one correction beside its mistake and nothing else, so that the same functions
serve the verify stage and the measurement of what they are worth. The answer check alone is the paper's rule.
"""

from collections.abc import Callable, Collection
from typing import NamedTuple

from lema.checks import conclusion, explanation, form
from lema.checks.checked import Checked
from lema.config import CHECKS
from lema.records import Correction


class CorrectionCheck(NamedTuple):
    """A check, and how it is told to whom. No `objection` holds anything of the gold answer: that its own answer
    was not right is all that a corrector learns, unless the config gives it a hint."""

    passes: Callable[[Checked], bool]
    reason: str  # what the row of a correction that fails it carries
    objection: str  # what its corrector reads when it is asked again


CHECK = {
    "complete": CorrectionCheck(
        form.is_complete, "cut off or failed", "Your reply breaks off before it ends."),
    "parsed": CorrectionCheck(
        form.is_parsed, "unreadable", "Your reply does not have the three parts in the asked form."),
    "step": CorrectionCheck(
        form.names_a_step, "names a step that is not there",
        "The solution has no step of the number that you name."),
    "quoted": CorrectionCheck(
        form.quotes_the_step, "quotes a step that is not the path's",
        "What you quote is not the text of the step that you name."),
    "kept": CorrectionCheck(
        form.keeps_earlier_steps, "does not keep the earlier steps",
        "Your corrected steps do not begin with the step that you name; those before it must stay."),
    "changed": CorrectionCheck(
        form.changes_the_step, "repeats the mistake",
        "Your correction repeats the step that you call wrong."),
    "arithmetic": CorrectionCheck(
        form.calculates_rightly, "a corrected step calculates wrongly",
        "One of your corrected steps contains a calculation that is not true."),
    "earlier": CorrectionCheck(
        form.nothing_fails_before, "an earlier step calculates wrongly",
        "A step before the one that you name already contains a calculation that is not true."),
    "explanation": CorrectionCheck(
        explanation.explains_the_step, "the explanation is not about the step",
        "Your explanation does not say what is wrong in the step that you name."),
    "repeat": CorrectionCheck(
        form.says_something_new, "says the same again", "Your corrected steps say the same thing twice."),
    "answer": CorrectionCheck(
        form.reaches_the_answer, "wrong final answer",
        "The final answer that your correction reaches is not right."),
    "follows": CorrectionCheck(
        conclusion.follows_from_the_steps, "the answer does not follow from the steps",
        "The answer that you state at the end is not what the steps before it come to."),
}
"""In the order in which they are asked: the first that fails is the reason that a row carries."""


def failed(checked: Checked, names: Collection[str] = CHECKS) -> tuple[str, ...]:
    """The checks among `names` that the correction fails, in their order. A reply that cannot be read fails
    `parsed` whichever checks are asked for, and then no other."""
    if not form.is_parsed(checked):
        return ("parsed",) if form.is_complete(checked) or "complete" not in names else ("complete",)
    return tuple(name for name, check in CHECK.items() if name in names and not check.passes(checked))


def objection(rejected: Correction) -> str:
    """What a corrector reads about its rejected correction when it is asked again: a sentence on the check that
    this one failed."""
    reason = rejected.rejected.split(":", 1)[0]
    for check in CHECK.values():
        if check.reason == reason:
            return check.objection
    return "Your correction does not hold."


__all__ = ["CHECK", "Checked", "failed", "objection"]
