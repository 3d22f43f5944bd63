"""Answers out of free text, and their equality: what every verdict stands on.

One design decision: reading (extract), number reading (numbers), comparing (compare) and judging (verdict) are
pure functions of text; the only process behind them is the one that runs math-verify (symbolic).
"""

from lema.grading.compare import same_letter, same_number, same_text
from lema.grading.extract import EXPLICIT, Reading, read_letter, read_number, read_text
from lema.grading.numbers import is_maths, read_value
from lema.grading.symbolic import GradingTimeout, same_symbolic
from lema.grading.verdict import Grade, grade_path

__all__ = [
    "EXPLICIT", "Grade", "GradingTimeout", "Reading", "grade_path", "is_maths", "read_letter", "read_number",
    "read_text", "read_value", "same_letter", "same_number", "same_symbolic", "same_text",
]
