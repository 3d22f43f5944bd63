"""A question as words to compare: without its dress, without its numbers, without its names.

One design decision: letters in formulas are words of their own and operators count, so that $x y$ is $xy$ and
$2 - 2$ is not $2 + 2$; outside formulas only words and numbers count.
"""

import re
import unicodedata

_FORMULA = re.compile(r"\$\$?([^$]{1,2000})\$\$?|\\\(([^$]{1,2000}?)\\\)|\\\[([^$]{1,2000}?)\\\]")
_IN_FORMULA = re.compile(r"\\([A-Za-z]+)|([A-Za-z])|([0-9]+(?:[.,][0-9]+)*)|([-+*/^=<>!|%])")
_DRESS = frozenset(("left", "right", "displaystyle", "quad", "text", "mathrm", "mbox", "big", "bigg", "limits"))
_SAME = {"dfrac": "frac", "tfrac": "frac", "cdot": "*", "times": "*", "div": "/", "le": "leq", "ge": "geq",
         "ne": "neq"}
_TEXT = re.compile(r"\\[A-Za-z]+(?:\{[A-Za-z ]{1,60}\})?")
_PROSE = re.compile(r"[A-Za-z]{4}|\b[a-z]{3}\b[^$]*\b[a-z]{3}\b")
_WORD = re.compile(r"[^\W\d_]+|[0-9]+(?:[.,][0-9]+)*")
_WORD_OR_SIGN = re.compile(rf"{_WORD.pattern}|(?<=[0-9)])[ \t]?[-+*/=^](?=[ \t]?[0-9(])|%")
_SPELT = frozenset(re.findall(r"\w+", """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
"""))
_PRONOUNS = frozenset(re.findall(r"\w+", """
    he she they him her them his hers their theirs himself herself themselves
"""))
_NAME = re.compile(r"(?<=[a-z,;0-9'’] )([A-Z][a-z]+)\b")
NUMBER, NAME = "#", "@"


def normal(text: str) -> list[str]:
    """The words, numbers and operators of a text without case, accents, punctuation, spaces and thousands
    separators; formulas letter by letter."""
    words: list[str] = []
    place, text = 0, _plain(text)
    for formula in _FORMULA.finditer(text):
        inside = next(filter(None, formula.groups()))
        if not _PROSE.search(_TEXT.sub("", inside)):  # else two sums of money with words between them
            words += _words(text[place:formula.start()], _WORD_OR_SIGN) + _of_formula(inside)
            place = formula.end()
    return words + _words(text[place:], _WORD_OR_SIGN)


def plain(text: str) -> list[str]:
    """The words and numbers alone, also in formulas: what long pieces are made of."""
    return _words(_plain(text), _WORD)


def masked(words: list[str]) -> list[str]:
    """The same with every number, in digits or spelt, as "#"."""
    signs: list[str] = []
    for word in words:
        number = word[0].isdigit() or word in _SPELT
        if not (number and signs and signs[-1] == NUMBER):  # "two hundred" is one number, as 200 is
            signs.append(NUMBER if number else word)
    return signs


def runs(words: list[str], length: int) -> list[str]:
    """The runs of `length` words behind each other; a shorter text is one run."""
    return [" ".join(words[start:start + length]) for start in range(max(1, len(words) - length + 1))]


def veiled(text: str) -> list[str]:
    """A text's words with every name and pronoun as "@": who it is does not make a question another one. A name is
    what has a capital inside a sentence."""
    names = {name.lower() for name in _NAME.findall(_plain(text))}
    return [NAME if word in names or word in _PRONOUNS else word for word in normal(text)]


def _plain(text: str) -> str:
    """Compatible letters and digits in their plain form, without accents and invisible characters."""
    split = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in split if unicodedata.category(letter) not in ("Mn", "Cf"))


def _words(text: str, pattern: re.Pattern) -> list[str]:
    return [word.replace(",", "").strip() for word in pattern.findall(text.lower())]


def _of_formula(formula: str) -> list[str]:
    signs = []
    for command, letter, number, operator in _IN_FORMULA.findall(formula):
        if command not in _DRESS:
            signs.append(_SAME.get(command, command) or letter.lower() or number.replace(",", "") or operator)
    return signs
