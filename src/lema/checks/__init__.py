"""Checks: what a correction must pass before it is trained on, each a small function from `Checked` to yes or no.

One design decision: a check sees one correction beside its mistake and nothing else, so that the same functions
serve the verify stage and the measurement of what they are worth. The answer check alone is the paper's rule.
"""

from collections.abc import Collection

from lema.checks import explanation, form, sums
from lema.checks.checked import Checked
from lema.config import CHECKS

CHECK = {
    "complete": form.is_complete,
    "parsed": form.is_parsed,
    "step": form.names_a_step,
    "quoted": form.quotes_the_step,
    "kept": form.keeps_earlier_steps,
    "changed": form.changes_the_step,
    "arithmetic": sums.calculates_rightly,
    "earlier": sums.nothing_fails_before,
    "explanation": explanation.explains_the_step,
    "repeat": form.says_something_new,
    "answer": form.reaches_the_answer,
}
"""In the order in which they are asked: the first that fails is the reason that a row carries."""

REASONS = {
    "complete": "cut off or failed",
    "parsed": "unreadable",
    "step": "names a step that is not there",
    "quoted": "quotes a step that is not the path's",
    "kept": "does not keep the earlier steps",
    "changed": "repeats the mistake",
    "arithmetic": "a corrected step calculates wrongly",
    "earlier": "an earlier step calculates wrongly",
    "explanation": "the explanation is not about the step",
    "repeat": "says the same again",
    "answer": "wrong final answer",
}


def failed(checked: Checked, names: Collection[str] = CHECKS) -> tuple[str, ...]:
    """The checks among `names` that the correction fails, in their order. A reply that cannot be read fails
    `parsed` whichever checks are asked for, and then no other."""
    if not CHECK["parsed"](checked):
        first = "complete" if "complete" in names and not CHECK["complete"](checked) else "parsed"
        return (first,)
    return tuple(name for name, passes in CHECK.items() if name in names and not passes(checked))


__all__ = ["CHECK", "REASONS", "Checked", "failed"]
