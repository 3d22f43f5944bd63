"""Answers that are said in words and are mathematics all the same: "all real numbers", "no solution", "3 to 2".

One design decision: a phrase is the whole answer or none; what is not in the table stays text and is compared as
text. Where words and signs are one answer, the signs are what is compared.
"""

import re

from lema.grading.normalize import words
from lema.grading.number_words import read_words

LONGEST = 120  # characters of an answer in words
REALS = "\\mathbbR "
_EMPTY = "\\emptyset"
_SAID = {
    **dict.fromkeys(
        ("all real numbers", "all reals", "all real values", "all real x", "any real number", "every real number",
         "real numbers", "set of all real numbers", "set of real numbers", "all real values of x",
         "all real numbers x", "for all real x", "x can be any real number", "entire real line", "real line"),
         REALS),
    **dict.fromkeys(
        ("no solution", "no solutions", "no real solution", "no real solutions", "there is no solution",
         "there are no solutions", "there is no real solution", "there are no real solutions",
         "no solution exists", "no solutions exist", "none", "empty set", "null set"), _EMPTY),
    **dict.fromkeys(("infinitely many", "infinite", "positive infinity", "plus infinity"), "\\infty"),
    **dict.fromkeys(("negative infinity", "minus infinity"), "-\\infty"),
    **dict.fromkeys(("all integers", "set of integers", "set of all integers"), "\\mathbbZ "),
    **dict.fromkeys(("dne", "d.n.e", "doesnt exist", "limit does not exist", "it does not exist"),
    "does not exist"),
}
_BUT = re.compile(
    r"(?:all|any|every) real (?:numbers?|values?)(?: (?:of )?[a-z])? (?:except|other than|excluding|but"
    r"|not equal to)(?: for)? (?:[a-z] ?= ?)?(.{1,60})", re.I)
_RATIO = re.compile(r"([0-9.]{1,20}) to ([0-9.]{1,20})(?: to ([0-9.]{1,20}))?")
_OPTION = re.compile(r"(?:[Oo]ption|[Cc]hoice) ?\(?([A-J])\)?")
_SHARE = re.compile(r"([0-9]{1,12}) out of ([0-9]{1,12})")
_SOME = re.compile(r"([0-9][0-9,.]{0,20}) (?:out )?of the [0-9][0-9,.]{0,20}(?: [A-Za-z]{1,20}){1,3}")
_CHOOSE = re.compile(
    r"(?<![A-Za-z\\])[Cn]?C ?\( ?([0-9]{1,4}) ?, ?([0-9]{1,4}) ?\)"
    r"|(?:\{ ?\})?_ ?\{? ?([0-9]{1,4}) ?\}? ?C ?_ ?\{? ?([0-9]{1,4}) ?\}?|\b([0-9]{1,4}) choose ([0-9]{1,4})\b")


def as_formula(text: str) -> str:
    """The formula that a normalized answer in words is; the text itself where it is none."""
    if "C" in text or "choose" in text:
        text = _CHOOSE.sub(_binomial, text)
    if len(text) > LONGEST or not text[:1].isalnum():
        return text
    if text[0].isdigit():
        return _of_numbers(text) if " to " in text or " of " in text else text
    if exception := _BUT.fullmatch(text):
        return f"{REALS}\\setminus \\{{{exception[1]}\\}}"
    if len(text) >= 40:
        return text
    if option := _OPTION.fullmatch(text):
        return option[1]
    if (number := read_words(text)) is not None:
        return str(number)
    return _SAID.get(words(text), text)


def _of_numbers(text: str) -> str:
    if match := _RATIO.fullmatch(text):
        return ":".join(filter(None, match.groups()))
    if match := _SHARE.fullmatch(text):
        return f"{match[1]}/{match[2]}"
    return match[1] if (match := _SOME.fullmatch(text)) else text


def _binomial(match: re.Match) -> str:
    upper, lower = [number for number in match.groups() if number is not None]
    return f"\\binom{{{upper}}}{{{lower}}}"
