"""Answers out of free text, and their equality: what every verdict stands on.

One design decision: reading (extract), number reading (numbers), comparing (compare) and judging (verdict) are
pure functions of text; the only processes behind them are those that run math-verify (symbolic).
"""

from lema.grading.choices import read_choice, read_letter, same_choice, same_letter
from lema.grading.compare import same_expression, same_number, same_text
from lema.grading.conventions import Conventions
from lema.grading.extract import (
    EXPLICIT,
    Reading,
    read_expression,
    read_number,
    read_text,
)
from lema.grading.kinds import KINDS, grade, read, same
from lema.grading.many import grade_many
from lema.grading.numbers import is_maths, read_value
from lema.grading.symbolic import GradingTimeout, same_symbolic
from lema.grading.verdict import Grade, grade_path

__all__ = [
    "EXPLICIT", "KINDS", "Conventions", "Grade", "GradingTimeout", "Reading", "grade", "grade_many", "grade_path",
    "is_maths", "read", "read_choice", "read_expression", "read_letter", "read_number", "read_text", "read_value",
    "same", "same_choice", "same_expression", "same_letter", "same_number", "same_symbolic", "same_text",
]
