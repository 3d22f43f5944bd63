"""Numbers as people write them, read exactly.

One design decision: a number is a Fraction of at most a few hundred digits, read by one pattern and no
evaluation; what the pattern does not know is not a number here, and is left to slower means.
"""

import re
from fractions import Fraction
from functools import lru_cache

from lema.grading.normalize import folded
from lema.grading.number_words import SCALES, read_words
from lema.grading.units import LETTERS

LONGEST = 200  # characters that a number may have, its currency and unit included
LONGEST_EXPRESSION = 300  # characters that an expression may have to be worth a symbolic comparison
_MATHS = re.compile(r"[\\^√π*/+(\[{=<>-]|\bpi\b|\bsqrt\b|[0-9]")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
_ENGLISH = re.compile(r"(?<![\\A-Za-z])(?:if|for|all|any|the|is|are|not|none|when|odd)(?![A-Za-z])", re.I)
_FUNCTIONS = frozenset(("sqrt", "frac", "sinh", "cosh", "tanh", "infty", "pmatrix", "bmatrix", "vmatrix", "array"))
_LATEX = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}]{0,100})\}|\\[()\[\]!,]|\\(?=[$%£€])|\\[;: ]|~")
_EUROPEAN = re.compile(
    r"[-+]?(?:0,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+|[0-9]{1,3}(?:\.[0-9]{3}){2,}"
    r"|[0-9]{1,3}(?:[ .][0-9]{3})*,[0-9]{1,2} ?(?:[€$]|euros?))")
_DIGIT = re.compile("[0-9]")
_LEAD = re.compile(
    r"(?:(?:approximately|about|around|exactly|only|just|therefore|thus|equal to|[a-z] ?=) ?,? ?)+", re.I)
_NUMBER = re.compile(
    r"""(?P<sign>[-+]?)[ ]?(?:[$£€¥₹]|USD\b|US\$|Rs\.?)?[ ]?(?P<inner_sign>[-+]?)[ ]?
    (?: \\[dt]?frac\{(?P<upper>-?[0-9]+)\}\{(?P<lower>[0-9]+)\}
      | (?P<whole>[0-9]{1,3}(?:,[0-9]{3})+ | [0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3} | [0-9]{1,3}(?:['’_][0-9]{3})+
          | [0-9]{1,3}(?:[ ][0-9]{3})+(?![0-9/]) | [0-9]+)?
        (?P<decimals>\.[0-9]*)?
        (?:[eE](?P<exponent>[-+]?[0-9]{1,3})(?![0-9])
          | [ ]?(?:x|×|\\times|\*)[ ]?10\^\{?(?P<power>[-+]?[0-9]{1,3})\}?
          | [ ]?(?:\\[dt]?frac\{(?P<mixed_upper>[0-9]+)\}\{(?P<mixed_lower>[0-9]+)\}
              | (?<=[ ])(?P<upper_2>[0-9]+)/(?P<lower_2>[0-9]+))
          | [ ]?/[ ]?(?P<divisor>[0-9]+) )? )
    (?:[ ]?(?P<scale>""" + "|".join(SCALES) + r""")\b)?
    (?P<half>[ ]and[ ](?:a|one)[ ]half)?
    [ ]?(?P<unit>%|[¢$£€°]|(?:[^\W\d]|[°%$])[^\d=+*^\\<>{}]*|\([ ]?[A-Za-z][^\d=+*^\\<>{}()]*\))?""", re.X)
_UPRIGHT = "AM|PM|[LCFWV]|KG|KM|CM|MM|ML|MPH|KPH|[GMKT]B|LBS?|FT|HRS?|MIN|USD|EUR|GBP"
_UPRIGHT_UNIT = re.compile(_UPRIGHT)
_BEHIND = (
    r"(?![A-Za-z]{1,12}[0-9])(?!\.[0-9])(?!-[0-9]{4}(?![0-9])|-[0-9]{2}-[0-9A-Z])"
    rf"(?!(?!(?:{_UPRIGHT})(?![A-Za-z0-9]))[A-Z]{{1,8}}(?![a-z]))")
NUMBER = re.compile(
    r"(?=[-−$£€.0-9])(?:(?<![\w)\]}])[-−] ?)?(?:[$£€]-?)?"
    r"(?:(?<![0-9A-Za-z_.])|(?<=[0-9][xX])|(?<=\bRs)|(?<=USD)|(?<=[^0-9]\.)|(?<=\\times)|(?<=\\cdot))"
    r"(?<![A-Za-z]-)(?<![0-9][0-9][0-9]-)(?<![0-9]-[0-9][0-9]-)(?<![A-Za-z0-9]/)(?>"
    r"[0-9]{1,3}(?:\.[0-9]{3})*,[0-9]{1,2}(?= ?(?:€|\$(?![0-9])|euros?\b))|[0-9]{1,3}(?:\.[0-9]{3}){2,}(?![0-9])"
    r"|[0-9]{1,3}(?:(?<=[$£€=][0-9])|(?<=[$£€=][0-9]{2})|(?<=[$£€=][0-9]{3})|(?<=[$=] [0-9])|(?<=[$=] [0-9]{2})"
    r"|(?<=[$=] [0-9]{3})|(?=(?: [0-9]{3})* 000))(?: [0-9]{3})+(?![0-9/%-]|,[0-9]| [0-9]|\.[0-9]{4}| ?[x*+]"
    r"|[A-Za-z])(?:\.[0-9]{1,2})?"
    r"|(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?(?: [0-9]{1,9}/[0-9]{1,9}|/[0-9]{1,9})?"
    r"|(?<![A-Za-z])\.[0-9]+)" + _BEHIND)
"""A number within a text; the digits of a code (AZ2A, 3PO, 10.0.0.7) and of a telephone number are none."""

_NO_DIGITS = "".join(chr(code) for code in range(128) if not chr(code).isdigit())


def last_digit(text: str, stop: int) -> int:
    """Where the last digit before `stop` stands; -1 where there is none."""
    near = text[max(0, stop - 200):stop]
    at = len(near.rstrip(_NO_DIGITS)) - 1
    if at >= 0 and near[at] in "0123456789":
        return stop - len(near) + at
    return max(text.rfind(digit, 0, stop) for digit in "0123456789")


BOUND = re.compile(r"\bor (?:more|less|fewer|greater|higher|above|over|below|under|later|earlier)\b")
"""What makes a number a bound: "5 or more"."""


@lru_cache(maxsize=8192)
def read_value(text: str) -> Fraction | None:
    """The number that the whole of `text` is, or None.

    Integers, decimals, fractions, mixed numbers, powers of ten, thousands separators, a currency before and a
    unit or percent sign behind, which are both left out: 10% is 10. No digits may follow in the unit.
    """
    if len(text) > LONGEST:
        return None
    if not text.isascii():
        text = folded(text)
    text = _bare(text)
    if _EUROPEAN.fullmatch(text):
        text = text.replace(".", "").replace(",", ".").rstrip("eurosEUROS€$ ").replace(" ", "")
    lead = _LEAD.match(text)
    if text[lead.end() if lead else 0:][:1].isalpha() and not _DIGIT.search(text):
        return read_words(text[lead.end():] if lead else text)
    number = _NUMBER.fullmatch(text, lead.end() if lead else 0)
    if number is None or not _is_unit(number["unit"], text[number.start("unit") - 1:number.start("unit")]):
        return None
    try:
        value = _magnitude(number)
    except ZeroDivisionError:
        return None
    if value is None:
        return None
    negative = (number["sign"] == "-") != (number["inner_sign"] == "-")
    return -value if negative else value


def _bare(text: str) -> str:
    """The text without bold, dollar signs of LaTeX, spacing commands and its full stop."""
    if "\\" in text or "~" in text or "{" in text:
        text = _LATEX.sub(lambda match: match[1] or (" " if match[0] in ("\\;", "\\:", "\\ ", "~") else ""), text)
    text = " ".join(text.replace("{,}", ",").split()).strip("*`_ ").rstrip(" .,:;?").rstrip("*`_ ")
    return text.strip("$ ") if text.startswith("$") and text.endswith("$") else text


def is_maths(text: str) -> bool:
    """Whether the text can be an expression: short, with digits or mathematical signs, and without words."""
    if len(text) > LONGEST_EXPRESSION or not _MATHS.search(text):
        return False
    return all(word.lower() in _FUNCTIONS for word in _WORD.findall(text)) and not _ENGLISH.search(text)


def _is_unit(unit: str | None, before: str) -> bool:
    """Whether what follows the number is a unit and not a variable: "5 km" and "5m" are numbers, "5x" is not."""
    if not unit:
        return True
    if " " in unit and BOUND.search(unit):
        return False
    word = unit.split(" ", 1)[0].rstrip(".,")
    if before.isdigit() and word[:1].isupper() and not word[1:].islower():
        return _UPRIGHT_UNIT.fullmatch(word) is not None  # 5KM is a number, 5GHT and 3M are codes
    return len(word) != 1 or not word.isalpha() or word in LETTERS or (before == " " and word == "a")


def _magnitude(number: re.Match) -> Fraction | None:
    part = number.groupdict()
    if part["upper"] is not None:
        return Fraction(int(part["upper"]), int(part["lower"]))
    whole = "".join(filter(str.isdigit, part["whole"] or ""))
    decimals = (part["decimals"] or "")[1:]
    if not whole and not decimals:
        return None
    value = Fraction(int(whole + decimals or "0"), 10 ** len(decimals))
    if power := part["exponent"] or part["power"]:
        value *= Fraction(10) ** int(power)
    elif part["divisor"]:
        value /= int(part["divisor"])
    elif upper := part["mixed_upper"] or part["upper_2"]:
        value += Fraction(int(upper), int(part["mixed_lower"] or part["lower_2"]))
    return value * SCALES.get(part["scale"], 1) + (Fraction(1, 2) if part["half"] else 0)
