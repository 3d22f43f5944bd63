"""Checks of arithmetic: what is calculated is true, and the named step is not too late.

One design decision: only equations that can be read without doubt count (lema.grading), so both checks miss much
and accuse little.
"""

from lema.checks.checked import Checked
from lema.grading import false_equation
from lema.replies import drop_calculator_marks


def calculates_rightly(checked: Checked) -> bool:
    """No equation in the corrected steps is false."""
    return false_equation(map(drop_calculator_marks, checked.correction.steps)) is None


def nothing_fails_before(checked: Checked) -> bool:
    """No step before the named one holds a false equation: then the named step would be too late."""
    before = checked.mistake[:max(0, (checked.correction.step or 1) - 1)]
    return false_equation(map(drop_calculator_marks, before)) is None
