"""Multiple choice: which letter or candidate a text settles on, and whether two name the same one.

One design decision: a choice is what is stated, a letter or one candidate's words; a text that names none, or
two, states none, and no candidate is ever taken because it is the nearest.
"""

import re
from collections.abc import Sequence

from lema.grading.extract import NONE, Reading, read_text
from lema.grading.plain import EDGES, plain, words
from lema.grading.statements import own_part, statements

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_STATED = re.compile(
    r"\W{0,8}(?:(?:the )?(?:option|choice|letter|answer)\W{1,4})?([A-Z])(?![\w'’]|[ ][a-z])", re.A)
_ALONE = re.compile(r"\W{0,4}([A-Z])(?:[).:。,]|\s*$|(?=[^\x00-\x7f]))", re.A)
_BRACKETED = re.compile(r"\(([A-Z])\)")
_CHOSEN = re.compile(
    r"\b(?:it'?s|it is|it must be|choose|pick|select|option|choice|is)\s{1,2}[(*\"]{0,3}([A-Z])"
    r"[)*\"]{0,3}(?![\w'’]|[ ][a-z])",
    re.A)
_CALLED = re.compile(
    r"\b(?:option|choice|letter|answer)\s{1,2}[(*\"]{0,3}([A-Z])[)*\"]{0,3}\s{1,2}(?:is|must be|seems)\s{1,2}"
    r"(?:the\s{1,2})?(?:only\s{1,2})?(?:correct|right|best|answer|true)\b", re.A | re.I)
_LABELLED = re.compile(r"\s*\(?([A-Z])(?:[).:]\s*|\s+(?=[A-Z0-9]))(.*)", re.S)


def read_letter(text: str) -> Reading:
    """The last stated letter of a choice, else the last one in brackets, "(B)", or the chosen one."""
    text = own_part(text)
    for value, how in statements(text):
        if found := _STATED.match(value) or _BRACKETED.search(value):
            return Reading(found[1], how)
    if bracketed := _BRACKETED.findall(text):
        return Reading(bracketed[-1], "last value")
    if alone := _ALONE.match(text):
        return Reading(alone[1], "whole")
    chosen = _CALLED.findall(text) or _CHOSEN.findall(text)
    return Reading(chosen[-1].upper(), "last value") if chosen else NONE


def read_choice(text: str, choices: Sequence[str] = ()) -> Reading:
    """The last stated choice: its letter, or its words. Where `choices` are given, it is one of them."""
    known = {words(choice): choice for choice in choices}
    letters = frozenset(LETTERS[:len(choices)] or LETTERS)
    for value, how in statements(own_part(text)):
        if words(value) in known:
            return Reading(value.strip(EDGES), how)
        found = _STATED.match(value) or _BRACKETED.search(value)
        if found and found[1] in letters:
            return Reading(found[1], how)
        if (named := _only_named(value, known)) is not None:
            return Reading(named, how)
    found, said = read_letter(text), NONE if choices else read_text(text)
    if found.answer in letters and (found.how != "whole" or said.answer is None):
        return found
    return Reading(text.strip(EDGES), "whole") if words(text) in known else said


def same_choice(answer: str, gold: str, choices: Sequence[str] = ()) -> bool:
    """Whether both name the same choice, by its letter or by its words; either side may be "(C) Cecile"."""
    letter, said = _parts(answer, choices)
    wanted, meant = _parts(gold, choices)
    if said and meant and said == meant:
        return True
    return letter is not None and letter == wanted


def same_letter(answer: str, gold: str) -> bool:
    """Whether both name the same choice: "(b)" is "B"."""
    return answer.strip("() .").upper() == gold.strip("() .").upper()


def _only_named(value: str, known: dict[str, str]) -> str | None:
    """The one candidate whose words stand in the value; of "red" and "dark red" the longer one."""
    said = f" {words(value)} "
    if " not " in said:
        return None
    found = [name for name in known if name and f" {name} " in said.replace(",", " ").replace(".", " ")]
    longest = [name for name in found if not any(name != other and name in other for other in found)]
    return known[longest[0]] if len(longest) == 1 else None


def _parts(text: str, choices: Sequence[str]) -> tuple[str | None, str]:
    """(letter, words) that a choice is given by; what `choices` can tell is filled in."""
    bare = plain(text).strip("() .")
    if len(bare) == 1 and bare.isalpha():
        place = LETTERS.find(bare.upper())
        return bare.upper(), words(choices[place]) if 0 <= place < len(choices) else ""
    if "\n" in bare and (found := read_letter(text)).answer:
        return found.answer, ""
    if labelled := _LABELLED.fullmatch(plain(text)):
        return labelled[1], words(labelled[2])
    said = words(text)
    places = [place for place, choice in enumerate(choices) if words(choice) == said]
    return (LETTERS[places[0]] if len(places) == 1 else None), said
