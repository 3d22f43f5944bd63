"""Numbers in words: "twenty-one", "three hundred and five apples", "two and a half", "a dozen".

One design decision: English cardinals only, read word by word without a pattern; a word that is neither of a number
nor a unit behind it makes the whole no number.
"""

from fractions import Fraction

_ONES = {word: number for number, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"])}
_TENS = {word: 10 * number for number, word in enumerate(
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {"half": Fraction(1, 2), "third": Fraction(1, 3), "quarter": Fraction(1, 4)}
_NO_UNIT = frozenset(["of", "or", "and", "to", "more", "less", "fewer", "than", "as", "out", "in", "by", "at", "from", "time", "thing", "such", "another", "other"])

LONGEST = 120
"""Characters of a number in words."""


def read_words(text: str) -> Fraction | None:
    """The number that the words say, a unit of up to three words behind it left out; None where they say none."""
    if len(text) > LONGEST:
        return None
    words = text.lower().replace("-", " ").replace(",", " ").split()
    sign = 1
    if words and words[0] in ("minus", "negative"):
        sign, words = -1, words[1:]
    value, used = _cardinal(words)
    if value is None or not _is_unit(words[used:]):
        return None
    return sign * value


def _cardinal(words: list[str]) -> tuple[Fraction | None, int]:
    """(value, how many words it takes)."""
    if words[:1] in (["a"], ["one"], ["half"]) and (part := _part(words)) is not None:
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
        elif word in _SCALES and (group or words[at - 1:at] == ["a"]):
            total, group = total + (group or 1) * _SCALES[word], 0
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
    """ "half", "a half", "one third", "a quarter". """
    at = 0 if words[0] == "half" else 1
    return (_PARTS[words[at]], at + 1) if words[at:at + 1] and words[at] in _PARTS else None


def _is_unit(words: list[str]) -> bool:
    if len(words) > 3 or (words and words[0] in _NO_UNIT):
        return False
    return all(word.isalpha() and word not in _ONES and word not in _TENS and word not in _SCALES for word in words)
