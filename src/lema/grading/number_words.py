"""Numbers in words: "twenty-one", "three hundred and five apples", "two and a half", "a dozen".

One design decision: English cardinals only, read word by word without a pattern; a word that is neither of a
number nor a unit behind it makes the whole no number. Every list of number words of the grader stands here.
"""

import re
from fractions import Fraction

_ONES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
         "ninety": 90}
_THOUSANDS = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
             "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12}
_PARTS = {"half": 2, "halves": 2, "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourth": 4, "fourths": 4,
          "fifth": 5, "fifths": 5, "sixth": 6, "sixths": 6, "seventh": 7, "sevenths": 7, "eighth": 8, "eighths": 8,
          "ninth": 9, "ninths": 9, "tenth": 10, "tenths": 10}
_ALONE = {"once": 1, "twice": 2, "thrice": 3, **_ORDINALS}
"""Words that are a number where they are the whole answer."""

_DIGITS = {**_ONES, "oh": 0, "o": 0}  # behind a point, "four point oh two"

SCALES = {"hundred": 100, **_THOUSANDS}  # what a number in digits may be followed by: "5 million"
NO_UNITS = frozenset((*SCALES, "dozen", "percent", "percentage"))
"""Words behind a number in digits that make it another number."""

FACTORS = frozenset((
    "half", "third", "quarter", "twice", "double", "doubled", "triple", "tripled", "thrice", "dozen"))
"""Words before a calculation that multiply it: "half of 12 + 4"."""

_NO_NOUNS = frozenset((
    "of", "or", "and", "to", "more", "less", "fewer", "than", "as", "out", "in", "by", "at", "from", "time",
    "thing", "such", "another", "other"))
_NUMBERS = frozenset((*_ONES, *_TENS, *_THOUSANDS))

LONGEST = 120  # characters of a number in words


def words_said(text: str) -> str | None:
    """The only number in words of the last sentence, "two hundred and six"; None where there are several or none.
    "One" alone is a pronoun as often."""
    runs: list[list[str]] = [[]]
    for word in re.split(r"[.!?\n]\s*(?=\S)", text.rstrip())[-1].lower().replace("-", " ").split():
        bare = word.strip(",.;:!?*()\"'")
        if bare in _NUMBERS or bare == "hundred" or (bare == "and" and runs[-1]):
            runs[-1].append(bare)
        elif runs[-1]:
            runs.append([])
    phrases = [" ".join(run).removesuffix(" and") for run in runs if run]
    return phrases[0] if len(phrases) == 1 and phrases[0] != "one" else None


def read_words(text: str) -> Fraction | None:
    """The number that the words say, a unit of up to three words behind it left out; None where they say none."""
    if len(text) > LONGEST:
        return None
    words = text.lower().replace("-", " ").replace(",", " ").split()
    sign = 1
    if words[:1] == ["the"] and len(words) > 1 and words[1] in _ORDINALS:
        words = words[1:]  # "the eleventh floor"
        return Fraction(_ORDINALS[words[0]]) if len(words) < 4 and _is_unit(words[1:]) else None
    if words and words[0] in ("minus", "negative"):
        sign, words = -1, words[1:]
    value, used = _pointed(words) if "point" in words else _cardinal(words)
    if value is None or not _is_unit(words[used:]):
        return None
    return sign * value


def _pointed(words: list[str]) -> tuple[Fraction | None, int]:
    """The value of "six point two five million", and how many words it takes."""
    at = words.index("point")
    whole, used = _cardinal(words[:at]) if at else (Fraction(0), 0)
    digits, end = "", at + 1
    while end < len(words) and _DIGITS.get(words[end], 10) < 10:
        digits, end = digits + str(_DIGITS[words[end]]), end + 1
    if whole is None or used < at or not digits:
        return None, 0
    value = whole + Fraction(int(digits), 10 ** len(digits))
    scale = SCALES.get(words[end], 0) if end < len(words) else 0
    return (value * scale, end + 1) if scale else (value, end)


def _cardinal(words: list[str]) -> tuple[Fraction | None, int]:
    """(value, how many words it takes)."""
    if len(words) == 1 and words[0] in _ALONE:
        return Fraction(_ALONE[words[0]]), 1
    if (part := _part(words)) is not None:
        return part
    total = group = 0
    at = last = 0
    for at, word in enumerate(words):
        if word in _ONES:
            group += _ONES[word]
        elif word in _TENS:
            group += _TENS[word]
        elif word == "hundred" and (group or words[at - 1:at] == ["a"]):
            group = (group or 1) * 100
        elif word in _THOUSANDS and (group or words[at - 1:at] == ["a"]):
            total, group = total + (group or 1) * _THOUSANDS[word], 0
        elif word == "dozen":
            group = (group or 1) * 12
        elif (word == "and" and at) or (word == "a" and not at):
            continue
        else:
            break
        last = at + 1
    if not last:
        return None, 0
    value = Fraction(total + group)
    if words[last:last + 3] in (["and", "a", "half"], ["and", "one", "half"]):
        return value + Fraction(1, 2), last + 3
    return value, last


def _part(words: list[str]) -> tuple[Fraction, int] | None:
    """ "half", "a half", "one third", "three quarters". """
    if words[:1] == ["half"]:
        return Fraction(1, 2), 1
    if len(words) < 2 or words[1] not in _PARTS:
        return None
    upper = 1 if words[0] == "a" else _ONES.get(words[0])
    return None if upper is None else (Fraction(upper, _PARTS[words[1]]), 2)


def _is_unit(words: list[str]) -> bool:
    if len(words) > 3 or (words and words[0] in _NO_NOUNS):
        return False
    return all(word.isalpha() and word not in _NUMBERS for word in words)
