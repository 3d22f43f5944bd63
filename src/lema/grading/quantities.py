"""Times of day, dates and quantities in several units: "6:30 PM" is 18:30, "3 hours and 20 minutes" 200 minutes.

One design decision: these are read by whole-text patterns before any formula is, because each would be taken for
something else (a ratio, a list, a number with words behind it); a quantity in one unit is left to the numbers.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from lema.grading.numbers import read_value
from lema.grading.units import size_of

LONGEST = 80  # characters of such an answer
_CLOCK = re.compile(
    r"(?:at )?(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-5][0-9])(?::(?P<second>[0-5][0-9]))?)? ?"
    r"(?P<half>[ap]\.? ?m\b\.?|noon|midnight|o'clock)?(?: (?:in the )?(?P<part>morning|afternoon|evening))?", re.I)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONG = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
         "november", "december")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBER = r"(?:[0-9]{1,12}(?:,[0-9]{3}){0,4}(?:\.[0-9]{1,12})?(?: [0-9]{1,6}/[0-9]{1,6}|/[0-9]{1,6})?)"
_PART = re.compile(rf"({_NUMBER})[ -]?([A-Za-z]{{1,12}})\.?(?:,? and |, | |\Z)")


class Total(NamedTuple):
    """A quantity: its kind, how much it is in the smallest unit, the units that it names."""

    kind: str
    amount: Fraction
    units: list[int]


def is_quantity(value: str) -> bool:
    """Whether the whole value is a time of day or a quantity in several units: no one number of it is it."""
    value = value.strip(" .*$")
    if len(value) > LONGEST or not value[:1].isdigit():
        return False
    if ":" in value:
        return _clock(value) is not None
    total = _total(value)
    return total is not None and len(total.units) > 1


def same_quantity(answer: str, gold: str) -> bool | None:
    """Whether both are the same time, date or quantity; None where not both are one, or none in several units.

    A time without a.m. and p.m. may be either; a number without a unit may be in any that the other side names.
    """
    if max(len(answer), len(gold)) > LONGEST or not (answer[:1].isalnum() and gold[:1].isalnum()):
        return None
    if ":" not in (both := answer + gold) and both.upper() == both.lower():
        return None  # no letters, no unit
    if (time := _clock(answer)) and (wanted_time := _clock(gold)):
        return _same_clock(time, wanted_time) if ":" in answer + gold else None
    if (day := _date(answer)) and (wanted := _date(gold)):
        return day == wanted
    a, b = _total(answer), _total(gold)
    if a and b and (len(a.units) > 1 or len(b.units) > 1):
        return a.kind == b.kind and a.amount == b.amount
    for total, number in ((a, gold), (b, answer)):
        if total and (len(total.units) > 1 or total.kind == "pieces") and (value := _number(number)) is not None:
            in_its_units = {total.amount / unit for unit in total.units}
            return value in in_its_units or (total.kind == "pieces" and value == total.amount)
    return None


def _number(text: str) -> Fraction | None:
    return read_value(text) if any(map(str.isdigit, text)) and _total(text) is None else None


def _total(text: str) -> Total | None:
    """The quantity that the whole text is."""
    text, at = text.strip(" ."), 0
    kind, amount, units = "", Fraction(0), []
    while at < len(text):
        part = _PART.match(text, at)
        unit = size_of(part[2]) if part else None
        if unit is None or (kind and unit[0] != kind) or (units and unit[1] >= units[-1]):
            return None
        kind, at = unit[0], part.end()
        amount += _amount(part[1]) * unit[1]
        units.append(unit[1])
    return Total(kind, amount, units) if units else None


def _amount(number: str) -> Fraction:
    whole, _, part = number.replace(",", "").rpartition(" ")
    upper, _, lower = part.partition("/")
    if Fraction(lower or 1) == 0:
        return Fraction(0)
    return Fraction(whole or 0) + Fraction(upper) / Fraction(lower or 1)


def _clock(text: str) -> tuple[int, int, int, str] | None:
    """(hour, minute, second, half of the day) of a time; "" where it does not say which half."""
    clock = _CLOCK.fullmatch(text.strip(" ."))
    if text.strip(" .").lower() in ("noon", "midnight"):
        return 12, 0, 0, "p" if "noon" in text.lower() else "a"
    if clock is None or not (clock["minute"] or clock["half"] or clock["part"]):
        return None
    hour, half = int(clock["hour"]), (clock["half"] or clock["part"] or "").lower()
    if hour > 24:
        return None
    half = {"noon": "p", "afternoon": "p", "evening": "p", "midnight": "a", "morning": "a"}.get(half, half[:1])
    if hour > 12 or hour == 0:
        hour, half = hour % 12, "p" if 12 < hour < 24 else "a"
    return hour % 12 or 12, int(clock["minute"] or 0), int(clock["second"] or 0), half.replace("o", "")


def _same_clock(a: tuple[int, int, int, str], b: tuple[int, int, int, str]) -> bool:
    return a[:3] == b[:3] and (a[3] == b[3] or not a[3] or not b[3])


def _date(text: str) -> tuple[int, int, int] | None:
    """(month, day, year) of a date that names its month, without the day of the week; 0 for what is left out."""
    month = day = year = 0
    for word in text.casefold().replace(",", " ").replace(".", " ").split():
        number = word[:-2] if word[-2:] in ("st", "nd", "rd", "th") else word
        if word in _LONG or word in _MONTHS or word == "sept":
            if month:
                return None
            month = _MONTHS.index(word[:3]) + 1
        elif number.isascii() and number.isdigit() and len(number) <= 2 and not day:
            day = int(number)
        elif number.isascii() and number.isdigit() and len(number) == 4 and not year:
            year = int(number)
        elif word not in _DAYS and word not in ("the", "of"):
            return None
    return (month, day, year) if month else None
