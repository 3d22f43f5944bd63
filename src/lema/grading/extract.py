"""The final answer that a free text states, per kind of answer, and in which form it states it.

One design decision: a statement counts only where it holds an answer of the wanted kind; a text without any
falls back on what is bold in its last paragraph, then on its last value, and the reading says so.
"""

import re
from typing import NamedTuple

from lema.grading.last import last_formula, last_group, last_number
from lema.grading.numbers import NUMBER, is_maths, read_value
from lema.grading.plain import undressed
from lema.grading.statements import LONGEST, closing_box, own_part, statements
from lema.steps import drop_calculator_marks

EXPLICIT = frozenset(("answer sentence", "boxed", "####", "A:"))
"""The forms in which a text says itself that this is its answer."""

_CLAUSE = re.compile(r"[,;] (?!and\b)|;| because\b| since\b| which\b| as \b| where\b| \(", re.I)
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_MONEY = re.compile(r"(?:[$£€] ?[0-9][0-9,]*(?:\.[0-9]+)?|[0-9][0-9,]*(?:\.[0-9]+)? ?[$£€](?![0-9]))")
_NO_ANSWER = frozenset((
    "unknown", "unclear", "correct", "incorrect", "wrong", "right", "not", "as", "given", "found", "that",
    "because",
    "above", "below", "in", "to", "based", "therefore", "clear", "obvious", "simple", "here", "there", "missing"))


class Reading(NamedTuple):
    """A final answer as it stands in a text; `answer` is None where the text states none."""

    answer: str | None
    how: str  # which form: "answer sentence", "boxed", "####", "A:", "bold", "last value", "whole", "none"


NONE = Reading(None, "none")


def read_number(text: str) -> Reading:
    """The last stated number, with its currency and unit, else the last number of the text."""
    text = drop_calculator_marks(own_part(text)) if "<<" in text else own_part(text)
    for value, how in statements(text):
        if not value.lower().startswith("not ") and (answer := _number_in(value)) is not None:
            return Reading(answer, how)
    answer, how = last_number(text)
    return Reading(answer, how) if answer is not None and len(answer) <= LONGEST else NONE


def read_expression(text: str) -> Reading:
    """The last stated answer of any mathematical kind, else the text itself where it is nothing but a formula,
    else its last value."""
    text = drop_calculator_marks(own_part(text)) if "<<" in text else own_part(text)
    if (inside := closing_box(text)) is not None:
        return Reading(inside, "boxed")
    words = None
    for value, how in statements(text):
        if how == "boxed":
            return Reading(value, how)
        if value.lower().startswith("not "):
            continue
        if (answer := _expression_in(value)) is not None:
            return Reading(answer, how)
        if words is None and _is_short_text(value):
            words = Reading(value, how)
    answer, how = last_formula(text)
    if words is not None and how != "whole":
        return words
    return Reading(answer, how) if answer is not None else NONE


def read_text(text: str) -> Reading:
    """The last stated answer in its own words. Without a statement there is none: no last value to guess."""
    for value, how in statements(own_part(text)):
        if answer := value.strip(" \t*_\"'“”$").removeprefix("\\(").removesuffix("\\)").strip():
            return Reading(answer, how)
    return NONE


def _number_in(value: str) -> str | None:
    """The part of a stated value that is its number: all of it, the right side of an equation, its first
    clause, or a number among the words: the one that it begins with, the only sum of money, else the last."""
    for part in (value, value.rsplit("=", 1)[-1], _CLAUSE.split(value, maxsplit=1)[0]):
        if read_value(part) is not None:
            return part.strip()
    if is_maths(value) and not _PROSE.search(value):
        return value  # an expression: its digits alone would be another answer
    if opening := NUMBER.match(value):
        return opening[0].strip()
    if len(sums := _MONEY.findall(value)) == 1:
        return sums[0].strip()
    tokens = NUMBER.findall(value)
    return tokens[-1].strip() if tokens else None


def _expression_in(value: str) -> str | None:
    """The part of a stated value that is mathematics: all of it, its formulas, else the number among its words."""
    from lema.grading.compare import readings

    bare = undressed(value)
    if read_value(value) is not None or readings(bare):
        return value.strip()
    if value.startswith(("\\text", "\\mbox")) and value.endswith("}"):
        return value
    formulas = last_group(value, "formula") if "$" in value or "\\(" in value or "\\[" in value else None
    if formulas is not None:
        return formulas
    clause = _CLAUSE.split(value, maxsplit=1)[0]
    if clause != value and (read_value(clause) is not None or readings(undressed(clause))):
        return clause.strip()
    if len(value) < 80 and is_maths(bare) and not _PROSE.search(bare):
        return value
    return _number_in(value) if any(map(str.isdigit, value)) else None


def _is_short_text(value: str) -> bool:
    words = value.split()
    return 0 < len(words) <= 5 and words[0].lower().strip(".,*") not in _NO_ANSWER
