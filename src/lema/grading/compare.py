"""Whether a stated answer equals the gold one, per kind of answer.

One design decision: the cheapest that can tell decides: equal strings, then numbers as exact fractions, then
trees compared part by part; only what is mathematics and could not be read or decided here goes to math-verify,
in a process that is killed at its limit. Words never do.
"""

import re
from fractions import Fraction
from functools import lru_cache
from math import gcd

from lema.grading.conventions import DEFAULT, Conventions
from lema.grading.equal import same_tree
from lema.grading.evaluate import Undecided
from lema.grading.latex import parsed
from lema.grading.normalize import as_plain_latex, normalized, trimmed, words
from lema.grading.numbers import BOUND, is_maths, read_value
from lema.grading.numeric_equality import FLOAT_DIGITS, equal, is_rounding
from lema.grading.phrases import as_formula
from lema.grading.quantities import same_quantity
from lema.grading.statements import statements
from lema.grading.symbolic import GradingTimeout, same_symbolic
from lema.grading.tokens import Unreadable

LONGEST_RATIO = 12  # parts of a ratio
_GROUPS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])")
_DECIMAL_COMMA = re.compile(r"(?<![0-9.,])[0-9]+,[0-9]+(?![0-9.,])")
_POINT_GROUPS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]+)?(?![0-9.,])")
_REMARK = re.compile(
    r"(?:,|\s)\s*(?:(?:for|where|with)\s+(?:all |any |some |every |each )?(?:(?:positive |real |natural )?"
    r"(?:integers?|numbers?) )?)?[a-zA-Z](?:,\s*[a-zA-Z])?\s*"
    r"(?:\\in\s*\\?(?:mathbb)?\s*\{?\s*[ZNRQC]\s*\}?(?:\^\+|_\+)?"
    r"|is an?y? (?:arbitrary )?(?:positive )?(?:integer|real|constant)s?\b.{0,20})\s*\Z", re.S)
_ASSIGNED = re.compile("[=%]")
_FRACTION = re.compile(r"/|\\frac")
_LEAD = re.compile(
    r"(?:(?:=|~|\\approx|\\sim|\\therefore|\\implies|\\[Rr]ightarrow|approximately|about|around|exactly|equal to"
    r"|therefore|thus|so|hence|we get|we have|(?:the )?(?:final )?answer(?: is)?)(?![A-Za-z])[\s,:]{0,4})+", re.I)
_MODULUS = re.compile(r"mod\W{0,4}([0-9]{1,30})\W{0,4}\Z")
_YES_OR_NO = re.compile(r"(yes|no)(?:[,.;:!]\s|\s[-–—]|[.!]?\Z)", re.I)
_BASED = re.compile(r"[0-9] ?_")
_HUGE = re.compile(r"[0-9]{4,}\)? ?!|! ?!|\^ ?\{? ?[0-9]{4,}|\^ ?\{[^{}]{0,30}\^|\^ ?[0-9]+ ?\^"
    r"|\*\* ?[0-9]+ ?\*\*")
_CAPITALS = re.compile("[A-Z]{3,20}")
_LABEL = re.compile(r"\(([A-J])\) ?(?=[^,;|) ])")
_REST = re.compile(r"\s*(?:\.\.\.|\\[lc]?dots|…|\(?\\[pb]?mod\s*\{?[0-9]+\}?\)?|\(mod [0-9]+\))\s*\Z")
_CODE = re.compile(
    r"(?=[^0-9]*[0-9])(?:[A-Z]{1,8}[-.]?[0-9][A-Z0-9./-]{0,20}|[0-9]{1,8}[A-Z]{2,8}[0-9]{0,8}"
    r"|[0-9]{1,4}[A-Z]{1,3}[0-9]{1,4}"
    r"|[vV][0-9]+(?:\.[0-9]+)+|[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9]{2,4}(?:-0[0-9]{1,3}"
    r"|-[0-9]{2,4}(?=-)){1,2}(?:-[0-9]{1,4})?)")
"""What is spelt and not calculated: AZ2A, 3PO, B-52, v2.0, 555-0199, 2024-05-12."""

_BARE = re.compile(r"-?(?:[0-9]{1,30}|[0-9]{1,9}\.[0-9]{1,9}|\\frac\{[0-9]{1,30}\}\{[0-9]{1,30}\})")
"""A number or a fraction without anything around it, of which no other reading is worth a look."""

_CLOCK = re.compile(r"[0-9]:[0-9]{2}(?![0-9])")
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")
_ORDER = re.compile(r"[<>]|\\(?:le|ge|lt|gt|ne|in)(?:q|qslant|slant)?(?![A-Za-z])|!=")
_UNIT = re.compile(r"(?<=[0-9)}\] ])[ ]?(?:[°%]|[A-Za-z]{1,20}(?:[/ ^][A-Za-z0-9]{1,20}){0,3})\.?\Z")
_VALUE = re.compile(r"[0-9\\]")
_TAIL = re.compile(
    r"(?P<body>.*[0-9)}\]A-Za-z|!°%])[ ](?P<words>(?:[A-Za-z]{2,}\.?(?:[/*][A-Za-z]+){0,3}|per|a|of"
    r"|[mkcd]?[gmsLl])(?: ?\^ ?\{? ?[1-9] ?\}?)?)", re.S)


def same_number(answer: str, gold: str, how: Conventions = DEFAULT) -> bool:
    """Whether both are the same number; currency, units and separators do not count.

    Raises GradingTimeout where only a symbolic comparison could tell and it did not end in time.
    """
    if answer.isdigit() and gold.isdigit() and answer.isascii() and gold.isascii():
        return _same_digits(answer, gold)
    if trimmed(answer) == trimmed(gold):
        return True
    if (quantity := same_quantity(trimmed(answer), trimmed(gold))) is not None:
        return quantity
    stated, wanted = read_value(answer), read_value(gold)
    if stated is not None and wanted is not None and "%" not in answer + gold and how.units == "ignored":
        if how.decimals is not None:
            return round(stated, how.decimals) == round(wanted, how.decimals)
        return stated == wanted or _is_written_out(stated, wanted, how)
    if not (is_maths(normalized(answer)) and is_maths(normalized(gold))):
        return stated is not None and stated == wanted
    return same_expression(answer, gold, how)


def _is_written_out(stated: Fraction, wanted: Fraction, how: Conventions) -> bool:
    """Whether one is a decimal with many places and the other what it was rounded from, 0.6666666666666666 and
    2/3."""
    if how.rounded is None or abs(stated - wanted) * 10 ** how.rounded > 1:
        return False
    places = [_places(number) for number in (stated, wanted)]
    if None not in places and max(places) < FLOAT_DIGITS:
        return False  # two decimals that differ, differ
    digits = min(place for place in places if place is not None) if None not in places else places[0] or places[1]
    return digits is not None and digits >= how.rounded and is_rounding(stated, wanted, digits)


def _places(number: Fraction) -> int | None:
    """The places of a number that is a decimal; None of one that has no end."""
    places = next((places for places in range(31) if 10**places % number.denominator == 0), None)
    return places


def same_expression(answer: str, gold: str, how: Conventions = DEFAULT) -> bool:
    """Whether both are the same mathematics, or the same words.

    Raises GradingTimeout where only a symbolic comparison could tell and it did not end in time.
    """
    if answer.isdigit() and gold.isdigit() and answer.isascii() and gold.isascii():
        return _same_digits(answer, gold)
    answer, gold = _unboxed(answer), _unboxed(gold)
    a, b = normalized(answer), normalized(gold)
    if a == b:
        return True
    if how.units == "must match" and _unit(as_plain_latex(answer)) != _unit(as_plain_latex(gold)):
        return False
    settled = _decided(a, b, answer, gold, how)
    if settled is not None:
        return settled
    if words(a) == words(b) or _letters(a) == _letters(b):
        return True
    if _is_code(a) != _is_code(b):
        return False
    if _CLOCK.search(a) or _CLOCK.search(b) or _BASED.search(a + b) or not (is_maths(a) and is_maths(b)):
        return False
    if _HUGE.search(a) or _HUGE.search(b):  # what is past our bounds, math-verify rounds to 0 or infinity
        raise GradingTimeout("a factorial or a power too large to compare")
    return same_symbolic(a, b)


def _same_digits(answer: str, gold: str) -> bool:
    return int(answer) == int(gold) if len(answer) < 4000 and len(gold) < 4000 else answer == gold


def _is_code(text: str) -> bool:
    return len(text) <= 40 and _CODE.fullmatch(text) is not None


def decided(answer: str, gold: str, how: Conventions = DEFAULT) -> bool | None:
    """Whether both are the same, as far as numbers, quantities and trees can tell; None where they cannot."""
    a, b = normalized(answer), normalized(gold)
    return True if a == b else _decided(a, b, answer, gold, how)


def _decided(a: str, b: str, answer: str, gold: str, how: Conventions) -> bool | None:
    a, b = as_formula(a), as_formula(b)
    if a == b:
        return True
    for sentence, word in ((a, b), (b, a)):
        if (opening := _YES_OR_NO.match(sentence)) and word.casefold() in ("yes", "no"):
            return opening[1].casefold() == word.casefold()
    stated, wanted = read_value(answer), read_value(gold)
    free = how.fractions == "any" or stated is None or stated.denominator == 1 or not _FRACTION.search(a)
    if free and stated is not None and stated == wanted and not _ASSIGNED.search(a + b):
        return True
    if stated is not None and wanted is not None and _BARE.fullmatch(a) and _BARE.fullmatch(b) and (
            how.decimals is None and abs(stated - wanted) * 10 ** (how.rounded or 0) > 1):
        return False  # further apart than any rounding
    if (quantity := same_quantity(a, b)) is not None:
        return quantity
    if _CAPITALS.fullmatch(a) and _CAPITALS.fullmatch(b):
        return a == b  # an order, and no product
    if (modulo := _same_modulus(a, b)) is not None:
        return modulo
    if (labelled := _labelled(a, b, how)) is not None:
        return labelled
    if a[:1].isalnum() and (_is_code(a) and b.replace(".", "").lstrip("-").isdigit()):
        return False
    if (":" in a or ":" in b) and (ratio := _same_ratio(a, b, how)) is not None:
        return ratio
    undecided = False
    for tree in readings(a):
        for wanted_tree in readings(b):
            try:
                if same_tree(tree, wanted_tree, how):
                    return True
            except (Undecided, RecursionError):
                undecided = True
    return False if readings(a) and readings(b) and not undecided else None


def _same_modulus(a: str, b: str) -> bool | None:
    """False where both name a modulus and not the same one; None for anything else."""
    if "mod" not in a or "mod" not in b:
        return None
    moduli = [match[1] if (match := _MODULUS.search(text)) else "" for text in (a, b)]
    return False if all(moduli) and moduli[0] != moduli[1] else None


def _same_ratio(answer: str, gold: str, how: Conventions) -> bool | None:
    """Whether both are the same ratio, 1:2:3 and 2:4:6; None where neither has three parts, as a ratio of two is a
    fraction. Of a : b : c = 1 : 2 : 3 the right."""
    parts, wanted_parts = answer.rpartition("=")[2].split(":"), gold.rpartition("=")[2].split(":")
    if max(len(parts), len(wanted_parts)) < 3:
        return None
    if len(parts) != len(wanted_parts) or len(parts) > LONGEST_RATIO:
        return False
    if how.fractions == "reduced" and _common_divisor(parts) > 1 and _common_divisor(wanted_parts) == 1:
        return False
    try:
        trees, wanted = list(map(parsed, parts)), list(map(parsed, wanted_parts))
        return all(equal(("mul", tree, wanted[0]), ("mul", want, trees[0]))
                   for tree, want in zip(trees, wanted, strict=True))
    except (Unreadable, Undecided, RecursionError):
        return None


def _common_divisor(parts: list[str]) -> int:
    """The greatest common divisor of whole numbers; 1 where not all are."""
    whole = all(re.fullmatch(r"\s*[0-9]{1,18}\s*", part) for part in parts)
    return gcd(*map(int, parts)) if whole else 1


def _labelled(a: str, b: str, how: Conventions) -> bool | None:
    """Where one side alone is a choice with its letter, "(C) 7": whether the other is the letter or the words."""
    label, wanted_label = _LABEL.match(a), _LABEL.match(b)
    if (label is None) == (wanted_label is None):
        return None
    if label:
        return b.strip("()") == label[1] or decided(a[label.end():], b, how)
    return a.strip("()") == wanted_label[1] or decided(a, b[wanted_label.end():], how)


def _unit(text: str) -> str:
    """The words and signs behind a value."""
    match = _UNIT.search(text)
    return match[0].strip().casefold() if match else ""


def _unboxed(text: str) -> str:
    """What a text with a box has in it; a gold answer may be a whole worked solution."""
    if "boxed" not in text and "\\fbox" not in text:
        return text
    return next((value for value, how in statements(text) if how == "boxed"), text)


@lru_cache(maxsize=4096)
def readings(text: str) -> tuple[tuple, ...]:
    """The trees that a normalized text can be: as it stands, with its commas as separators of thousands or of
    decimals, without the words behind it. None where it is no mathematics."""
    if " or " in text and BOUND.search(text):
        return ()
    trees: dict[tuple, None] = {}
    for form in _forms(text):
        try:
            trees.setdefault(parsed(form))
        except (Unreadable, RecursionError):
            continue
    if not trees and "=" in text and not _ORDER.search(text) and len(_PROSE.findall(text)) < 3 and text.isascii():
        return readings(text.rsplit("=", 1)[1].strip())
    if len(text) < 500 and (remark := _REMARK.search(text)):
        return (*trees, *readings(text[:remark.start()]))
    if not trees and len(text) < 400 and (tail := _TAIL.fullmatch(text)) and _VALUE.search(tail["body"]):
        return readings(tail["body"].rstrip(" \\"))
    return tuple(trees)


def _forms(text: str) -> list[str]:
    if lead := _LEAD.match(text):
        text = text[lead.end():]
    ends = text.endswith(("s", "}", ")", ".", "…")) or "mod" in text
    if ends and (rest := _REST.search(text, max(0, len(text) - 30))):
        text = text[:rest.start()]
    forms = [text]
    if "," in text or text.count(".") > 1:
        if _GROUPS.search(text):
            forms.insert(0, _GROUPS.sub(lambda match: match[0].replace(",", ""), text))
        if _DECIMAL_COMMA.fullmatch(text):
            forms.append(text.replace(",", "."))
        elif _POINT_GROUPS.fullmatch(text):
            forms.append(text.replace(".", "").replace(",", "."))
    return forms


def same_text(answer: str, gold: str) -> bool:
    """Whether both say the same words; case, spaces, quotation marks, articles and the full stop do not count."""
    return words(answer) == words(gold)


def _letters(text: str) -> str:
    return "".join(text.split()).strip("().").casefold()
