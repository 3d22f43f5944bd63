"""Checks of form and arithmetic: whole, readable, true, and a continuation of the very path that it corrects.

One design decision: a path without steps passes what is about steps; there is nothing that it could get wrong. And
only equations that can be read without doubt count (equations of lema.grading), so that little is accused wrongly.
"""

from collections import Counter

from lema.checks.carried import passes_over
from lema.checks.checked import Checked, bare
from lema.grading import contradiction, false_equation
from lema.replies import drop_calculator_marks

ENOUGH_OF_A_QUOTE = 0.7
"""Share of a quotation's words that the step must hold: correctors shorten, but do not invent."""


def is_complete(checked: Checked) -> bool:
    """The reply ended by itself."""
    return checked.correction.finish == "stop"


def is_parsed(checked: Checked) -> bool:
    """The reply could be read."""
    return bool(checked.correction.steps) and not checked.correction.rejected


def names_a_step(checked: Checked) -> bool:
    """The named step exists."""
    return checked.rewrites or 1 <= checked.correction.step <= len(checked.mistake)


def quotes_the_step(checked: Checked) -> bool:
    """What is quoted as the named step is that step's text."""
    quoted = Counter(bare(checked.correction.quote))
    if checked.rewrites or not quoted:
        return True
    held = quoted & Counter(bare(checked.wrong_step))
    return held.total() >= ENOUGH_OF_A_QUOTE * quoted.total()


def keeps_earlier_steps(checked: Checked) -> bool:
    """The corrected steps begin with the named one, contradict no value of those before, and take up what these
    come to. (Earlier steps that were repeated word by word are no longer here: see `without_repeated`.)"""
    first = checked.correction.first_number
    if checked.rewrites:
        return True
    before, steps = _before(checked), checked.correction.steps
    return (first in (None, checked.correction.step) and contradiction(before, steps) is None
            and passes_over(checked.question, before, steps) is None)


def changes_the_step(checked: Checked) -> bool:
    """The first corrected step is not the wrong one again; of a path without steps, the answer is another text."""
    if checked.rewrites:
        return bare(" ".join(checked.correction.steps)) != bare(" ".join(checked.mistake))
    return bare(checked.correction.steps[0]) != bare(checked.wrong_step)


def calculates_rightly(checked: Checked) -> bool:
    """No equation in the corrected steps is false."""
    return false_equation(map(drop_calculator_marks, checked.correction.steps)) is None


def nothing_fails_before(checked: Checked) -> bool:
    """No step before the named one holds a false equation or contradicts a value of one before it: then the named
    step would be too late."""
    before = tuple(map(drop_calculator_marks, _before(checked)))
    return false_equation(before) is None and contradiction((), before) is None


def _before(checked: Checked) -> tuple[str, ...]:
    """The steps before the named one."""
    return checked.mistake[:max(0, (checked.correction.step or 1) - 1)]


def says_something_new(checked: Checked) -> bool:
    """Neither a step of it twice nor the same correction of the same steps before."""
    steps = list(map(bare, checked.correction.steps))
    return not checked.again and len(set(steps)) == len(steps)


def reaches_the_answer(checked: Checked) -> bool:
    """The final answer is the gold one."""
    return checked.right


def without_repeated(step: int, first_number: int, steps: tuple[str, ...],
                     mistake: tuple[str, ...]) -> tuple[int, tuple[str, ...]]:
    """(first number, corrected steps) less the earlier steps of the mistake that were repeated word by word."""
    while first_number < step and len(steps) > 1 and first_number <= len(mistake) and (
            bare(steps[0]) == bare(mistake[first_number - 1])):
        first_number, steps = first_number + 1, steps[1:]
    return first_number, steps
