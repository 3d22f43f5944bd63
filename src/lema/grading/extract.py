"""The final answer that a free text states, per kind of answer, and in which form it states it.

One design decision: a statement counts only where it holds an answer of the wanted kind; a text without any
falls back on what is bold in its last paragraph, then on its last value, and the reading says so.
"""

import re
from typing import NamedTuple

from lema.grading.compare import readings
from lema.grading.continued import is_nothing, is_supposed, is_taken_back, last_line, rounded, without_mark
from lema.grading.last import last_formula, last_group, last_number
from lema.grading.normalize import normalized
from lema.grading.numbers import NUMBER, is_maths, read_value
from lema.grading.prose import is_two, number_said, result_of
from lema.grading.quantities import is_quantity
from lema.grading.statements import CUT, LONGEST, closing_box, placed, statements
from lema.replies import drop_calculator_marks
from lema.replies.reply_span import is_cut, reply_span

EXPLICIT = frozenset(("answer sentence", "boxed", "####", "A:"))
"""The forms in which a text says itself that this is its answer."""

_CLAUSE = re.compile(r"[,;] (?!and\b)|;| because\b| since\b| which\b| as \b| where\b| \(", re.I)
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_MONEY = re.compile(r"(?:[$£€] ?[0-9][0-9,]*(?:\.[0-9]+)?|[0-9][0-9,]*(?:\.[0-9]+)? ?[$£€](?![0-9]))")
_YES_OR_NO = re.compile(r"[*_\"“ ]{0,4}((?:yes|no)\b)(?! (?:[a-z]|[0-9]))(?=[*_\"”]{0,3}(?:[,.;:!]|\s[-–—]"
    r"|\s?$))", re.I)
_BUT = re.compile(r"\b(?:but(?: rather)?|it is|it's) (?=[^A-Za-z]{0,3}[0-9(\\])")
_UNDECIDED = re.compile(r"(?:determined|found|computed|calculated|known|decided)\b", re.I)
_DERIVED = re.compile(r"(?:obtained|found|calculated|computed|derived|determined|given) (?:by|from|as|using"
    r"|with)\b", re.I)
_PART = re.compile(r"\A\([a-z]\) (?=\S)")
_BOUND = re.compile(r"(?:at (?:least|most)|(?:more|less|greater|fewer) than"
    r"|up to) [$\\(]{0,2}-?[0-9][0-9,.]{0,20}\W{0,3}\Z", re.I)
_CODE = re.compile(r"(?=[0-9./-]*[A-Za-z])(?=[A-Za-z./-]*[0-9])[A-Za-z0-9]+(?:[./-][A-Za-z0-9]+)*"
    r"|[0-9]+(?:\.[0-9]+){2,}")
_SQUARE = re.compile(r"\[\s?(-?[0-9][0-9,.]{0,30})\s?\]")
_NO_ANSWER = frozenset((
    "unknown", "unclear", "correct", "incorrect", "wrong", "right", "not", "as", "given", "found", "that",
    "because",
    "above", "below", "in", "to", "based", "therefore", "clear", "obvious", "simple", "here", "there", "missing"))


class Reading(NamedTuple):
    """A final answer as it stands in a text; `answer` is None where the text states none."""

    answer: str | None
    how: str  # "answer sentence", "boxed", "####", "A:", "bold", "last value", "whole", "cut off", "none"


NONE = Reading(None, "none")
UNFINISHED = Reading(None, CUT)


def read_number(text: str) -> Reading:
    """The last stated number, with its currency and unit, else the last number of the text."""
    if is_cut(text):
        return UNFINISHED
    text = drop_calculator_marks(reply_span(text)) if "<<" in text else reply_span(text)
    rest = text
    for start, value, how in placed(text):
        if how == CUT:
            return Reading(value or None, how)
        end = text.find(value, start) + len(value) if how != "boxed" else 0
        if denied := _denied(value):
            rest = _behind(rest, denied)
        elif how == "answer sentence" and is_supposed(text[start:end - len(value)], value):
            rest = text[end:]
        elif how != "boxed" and is_taken_back(text, end) and NUMBER.search(text, end):
            rest = text[end:]
            break
        elif (answer := (how == "answer sentence" and last_line(text, end, value))
            or _number_in(value)) is not None:
            return Reading(answer, how)
    answer, how = last_number(rest)
    return Reading(answer, how) if answer is not None and len(answer) <= LONGEST else NONE


def read_expression(text: str) -> Reading:
    """The last stated answer of any mathematical kind, else the text itself where it is nothing but a formula,
    else its last value."""
    if is_cut(text):
        return UNFINISHED
    text = drop_calculator_marks(reply_span(text)) if "<<" in text else reply_span(text)
    if (inside := closing_box(text)) is not None:
        return Reading(inside, "boxed")
    words, rest = None, text
    for value, how in statements(text):
        if how in ("boxed", CUT):
            return Reading(value or None, how)
        if (denied := _denied(value)) and _UNDECIDED.match(denied):
            return Reading(f"cannot be {denied.split()[0]}", how)
        if denied:
            rest = _behind(rest, denied)
            continue
        if opening := _YES_OR_NO.match(value):
            return Reading(opening[1], how)
        if (answer := _expression_in(value)) is not None:
            return Reading(answer, how)
        if words is None and _is_short_text(value):
            words = Reading(value, how)
    answer, how = last_formula(rest)
    if words is not None and how != "whole":
        return words
    return Reading(answer, how) if answer is not None else NONE


def read_text(text: str) -> Reading:
    """The last stated answer in its own words. Without a statement there is none: no last value to guess."""
    if is_cut(text):
        return UNFINISHED
    for value, how in statements(reply_span(text)):
        if how == CUT:
            return Reading(value or None, how)
        if opening := _YES_OR_NO.match(value):
            return Reading(opening[1], how)
        if answer := value.strip(" \t*_\"'“”$").removeprefix("\\(").removesuffix("\\)").strip():
            return Reading(answer, how)
    return NONE


def _denied(value: str) -> str:
    """What a statement takes back, "6" of "not 6"; "" for any other, "not 6 but 7" too."""
    if value[:4].lower() != "not " or _BUT.search(value):
        return ""
    return value[4:].strip()


def _behind(text: str, denied: str) -> str:
    """The text behind the last place where this was said: what is denied is no last value either."""
    return text.rpartition(denied)[2]


def _number_in(value: str) -> str | None:
    """The part of a stated value that is its number: all of it, the right side of an equation, its first
    clause, or a number among the words: the one that it begins with, the only sum of money, else the one that
    the sentence says. Two numbers to choose from are both, so that neither is the answer."""
    if is_quantity(value):
        return value
    if _DERIVED.match(value):
        return result_of(value)
    value = without_mark(_PART.sub("", value, count=1))
    if value[:4].lower() == "not " and (but := _BUT.search(value)):
        value = value[but.end():]
    if is_two(value):
        return value
    if read_value(value) is None and (whole := rounded(value)) is not None:
        return whole
    for part in (value, value.rsplit("=", 1)[-1], _CLAUSE.split(value, maxsplit=1)[0]):
        if read_value(part) is not None:
            return part.strip()
    if not any(map(str.isdigit, value)):
        return "0" if is_nothing(value) else None
    if _CODE.fullmatch(value.strip(" .*\"'")):
        return value  # spelt, and no number
    if boxed := _SQUARE.fullmatch(value):
        return boxed[1]
    if is_maths(value) and not _PROSE.search(value):
        return value  # an expression: its digits alone would be another answer
    if opening := NUMBER.match(value):
        return opening[0].strip()
    if len(sums := _MONEY.findall(value)) == 1:
        return sums[0].strip()
    return number_said(value)


def _expression_in(value: str) -> str | None:
    """The part of a stated value that is mathematics: all of it, its formulas, else the number among its words."""
    value = _PART.sub("", value, count=1)
    if _BOUND.match(value):
        return value
    bare = normalized(value)
    if read_value(value) is not None or readings(bare):
        return value.strip()
    if value.startswith(("\\text", "\\mbox")) and value.endswith("}"):
        return value
    formulas = last_group(value, "formula") if "$" in value or "\\(" in value or "\\[" in value else None
    if formulas is not None:
        return formulas
    clause = _CLAUSE.split(value, maxsplit=1)[0]
    if clause != value and (read_value(clause) is not None or readings(normalized(clause))):
        return clause.strip()
    if len(value) < 80 and is_maths(bare) and not _PROSE.search(bare):
        return value
    return _number_in(value) if any(map(str.isdigit, value)) else None


def _is_short_text(value: str) -> bool:
    words = value.split()
    return 0 < len(words) <= 5 and words[0].lower().strip(".,*") not in _NO_ANSWER
