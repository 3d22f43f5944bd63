"""The final answer that a free text states, and in which form it states it.

One design decision: the last statement wins. All explicit forms (answer sentence, \\boxed, "####", "A:") are
looked for in one pass each, the last one that holds an answer of the wanted kind is taken, and only a text
without any falls back on its last value, which is then called that. Every pattern is bounded, so reading is
linear in the text.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lema.grading.numbers import is_maths, read_value
from lema.steps import drop_calculator_marks

LONGEST = 300
"""Characters that a stated answer may have; a longer one is no final answer."""

MOST = 50
"""Statements of one text that are looked at, from the last one back."""

EXPLICIT = frozenset(("answer sentence", "boxed", "####", "A:"))
"""The forms in which a text says itself that this is its answer."""

_QUESTION = re.compile(r"^[ \t#*>]{0,8}(?:question|q)[ \t]{0,3}[0-9]{0,4}[ \t*]{0,4}:", re.I | re.M)
_SENTENCE = re.compile(r"\banswers?\b[^\n.:=]{0,40}?(?:\bis\b|\bare\b|:|=)[\s:*_]{0,12}", re.I)
_LINE_FORM = re.compile(r"^[ \t]{0,8}(?:(#{4})(?!#)|A:)[ \t]{0,8}(?=\S)", re.M)
_SENTENCE_END = re.compile(r"\n|[.!?](?=[\s\"')*$\]]|$)")
_BRACE = re.compile(r"\\(?:boxed|fbox)\s{0,4}\{|\\[{}\\]|[{}]")
_CLAUSE = re.compile(r"[,;] (?!and\b)|;| because\b| since\b| which\b| as \b| \(", re.I)
_NUMBER = re.compile(
    r"(?:(?<![\w)\]}])[-−] ?)?(?:[$£€]-?)?"
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?: [0-9]{1,9}/[0-9]{1,9}|/[0-9]{1,9})?"
    r"|\.[0-9]+)")
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_LETTER = re.compile(r"\W{0,8}(?:(?:option|choice|letter|answer)\W{1,4})?([A-Z])(?![\w'’])")
_BRACKETED = re.compile(r"\(([A-Z])\)")


class Reading(NamedTuple):
    """A final answer as it stands in a text; `answer` is None where the text states none."""

    answer: str | None
    how: str  # which form was found: "answer sentence", "boxed", "####", "A:", "last value", "none"


def read_number(text: str) -> Reading:
    """The last stated number, with its currency and unit, else the last number of the text."""
    text = drop_calculator_marks(own_part(text)) if "<<" in text else own_part(text)
    for value, how in statements(text):
        if not value.lower().startswith("not ") and (answer := _number_in(value)) is not None:
            return Reading(answer, how)
    last = None
    for token in _NUMBER.finditer(text):
        if text[max(0, token.start() - 5):token.start()].lower() != "step ":
            last = token
    if last is None or last.end() - last.start() > LONGEST:
        return Reading(None, "none")
    return Reading(last[0].strip(), "last value")


def read_text(text: str) -> Reading:
    """The last stated answer in its own words. Without a statement there is none: no last value to guess."""
    for value, how in statements(own_part(text)):
        if answer := value.strip(" \t*_\"'“”$"):
            return Reading(answer, how)
    return Reading(None, "none")


def read_letter(text: str) -> Reading:
    """The last stated letter of a choice, else the last one in brackets, "(B)"."""
    text = own_part(text)
    for value, how in statements(text):
        if found := _LETTER.match(value) or _BRACKETED.search(value):
            return Reading(found[1], how)
    bracketed = _BRACKETED.findall(text)
    return Reading(bracketed[-1], "last value") if bracketed else Reading(None, "none")


def read_choice(text: str, choices: Sequence[str] = ()) -> Reading:
    """The last stated choice: its letter, or, where `choices` are known, one of their texts."""
    found = read_letter(text)
    return found if found.answer is not None else read_text(text)


def read_expression(text: str) -> Reading:
    """The last stated expression."""
    return read_number(text)


def own_part(text: str) -> str:
    """The text up to the next "Question:" that a model goes on to invent; one at its very start stays."""
    for cut in _QUESTION.finditer(text):
        if text[:cut.start()].strip():
            return text[:cut.start()]
    return text


def statements(text: str) -> Iterator[tuple[str, str]]:
    """(value, form) of everything that the text states as its answer, the last one first."""
    found = [(match.start(), match.end(), "answer sentence") for match in _SENTENCE.finditer(text)]
    found += [(match.start(), match.end(), match[1] or "A:") for match in _LINE_FORM.finditer(text)]
    boxes = dict(_boxes(text))
    found += [(start, start, "boxed") for start in boxes]
    for start, end, how in sorted(found, reverse=True)[:MOST]:
        value = boxes[start] if how == "boxed" else _sentence(text, end)
        if value:
            yield value, how


def _boxes(text: str) -> Iterator[tuple[int, str]]:
    """(position, content) of every closed \\boxed{...}, in one pass over the braces."""
    if "\\boxed" not in text and "\\fbox" not in text:
        return
    opened: list[tuple[int, int]] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "}":
            if opened:
                start, inside = opened.pop()
                if start >= 0 and brace.start() - inside <= LONGEST:
                    yield start, text[inside:brace.start()].strip()
        elif brace[0][-1] == "{" and brace[0] != "\\{":
            opened.append((brace.start() if len(brace[0]) > 1 else -1, brace.end()))


def _sentence(text: str, start: int) -> str:
    """What stands from `start` to the end of its sentence."""
    window = text[start:start + LONGEST]
    end = _SENTENCE_END.search(window)
    return (window[:end.start()] if end else window).strip(" \t*_")


def _number_in(value: str) -> str | None:
    """The part of a stated value that is its number: all of it, the right side of an equation, its first
    clause, or a number among the words: the one that it begins with, else the last."""
    for part in (value, value.rsplit("=", 1)[-1], _CLAUSE.split(value, maxsplit=1)[0]):
        if read_value(part) is not None:
            return part.strip()
    if is_maths(value) and not _PROSE.search(value):
        return value  # an expression: its digits alone would be another answer
    if opening := _NUMBER.match(value):
        return opening[0].strip()
    tokens = _NUMBER.findall(value)
    return tokens[-1].strip() if tokens else None
