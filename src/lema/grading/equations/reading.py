"""Lines of prose and LaTeX cut into the tokens of a calculation.

One design decision: what is not surely part of a calculation becomes a token that says so (a word, a variable, an
unknown sign, a boundary), so that whoever evaluates can refuse instead of guessing.
"""

import re
from fractions import Fraction
from typing import Literal, NamedTuple

from lema.grading.units import GLUED

LONGEST = 4_000  # characters of a line that are looked at
Kind = Literal["number", "sign", "open", "close", "root", "word", "variable", "unknown", "boundary", "equals"]


class Token(NamedTuple):
    """A piece of a calculation. `text` of a sign is one of + - * / ^; of an equals sign "=" or "≈"."""

    kind: Kind
    text: str
    value: Fraction = Fraction(0)
    decimals: int = 0  # digits behind the point
    percent: bool = False
    money: bool = False


_JOINED = re.compile(r"\\!|(?<=[0-9,])\\,(?=[0-9]{3})")
_LAYOUT = re.compile(r"\\(?:left|right|displaystyle|big|Big|bigl|bigr)(?![A-Za-z])|\\[,;: ]|~")
_MIXED_FRACTION = re.compile(r"(?<![0-9.,^_])([0-9]{1,6})\s?\\[dtc]?frac\s?\{([0-9]{1,6})\}\s?\{([0-9]{1,6})\}")
_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox|boxed|fbox|underline)\s{0,3}\{([^{}]{0,200})\}")
_FRACTION = re.compile(r"\\[dtc]?frac\s{0,3}\{([^{}]{1,200})\}\s{0,3}\{([^{}]{1,200})\}")
_SHORT_FRACTION = re.compile(r"\\[dtc]?frac\s?([0-9])\s?([0-9])")
_ROOT = re.compile(r"\\sqrt\s{0,3}\{([^{}]{1,200})\}")
_POWER = re.compile(r"\^\s{0,3}\{([^{}]{1,60})\}")
_NAMES = {r"\times": "*", r"\cdot": "*", r"\div": "/", r"\%": "%", r"\$": "$", r"\approx": "≈", r"\(": "|",
          r"\)": "|", r"\[": "|", r"\]": "|", r"\quad": "|", r"\qquad": "|", "{,}": ",",
          r"\implies": "|", r"\Rightarrow": "|"}
_NAMED = re.compile("|".join(rf"{re.escape(name)}(?![A-Za-z])" if name[-1].isalpha() else re.escape(name)
                             for name in sorted(_NAMES, key=len, reverse=True)))
_CLOSING_DOLLAR = re.compile(r"(?<=[\w)}\]%.])\$(?![0-9])")
_STARS = re.compile(r"(?<=[0-9)])\*\*(?=[0-9(])")  # a power; any others are bold
_LIST_MARK = re.compile(r"^\s{0,8}(?:[-*•]|\(?[0-9]{1,2}[.)]|\(?[a-z]\))\s+")
_SUPERSCRIPTS = str.maketrans({"²": "^2", "³": "^3", "−": "-", "–": "-", "—": "|", "×": "*", "·": "*", "⋅": "*",
                               "÷": "/", "∗": "*", "→": "|", "⇒": "|", "\u00a0": " ", "\u202f": " ", "’": "'"})
_MIXED = r"(?P<mixed>[0-9]{1,6}[ ][0-9]{1,6}/[0-9]{1,6})(?![0-9./])"
_TOKEN = re.compile(rf"""
    (?P<article>(?<![\w(])a(?=\s+[A-Za-z]))
  | (?P<money>[$£€]\s?)?(?:{_MIXED}
      | (?P<number>(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+(?![0-9])|[0-9]{{1,30}})(?:\.[0-9]{{1,30}})?
          | \.[0-9]{{1,30}}))
    (?P<dots>\.\.\.)?(?P<percent>\s?%)?
    (?P<glued>[A-Za-z_]+|[,:.][0-9(]|\.?\s?\\overline|!(?=\s?[-+*/^(=0-9]))?
  | (?P<word>[A-Za-z]+(?:['-][A-Za-z]+)*)(?P<index>[_0-9][\w]*)?
  | (?P<equals><=|>=|!=|==|=|≈|≠|≤|≥|<|>)
  | (?P<sign>[-+*/^]) | (?P<open>[(\[]) | (?P<close>[)\]])
  | (?P<boundary>[,;:.!?|$£€"“”]) | (?P<space>\s+) | (?P<degree>[°'])
  | (?P<unknown>\\[A-Za-z]+|.)""", re.X)
_ENDINGS = frozenset(("st", "nd", "rd", "th"))
_SPOKEN = {"plus": "+", "minus": "-", "times": "*"}


def tokens(line: str) -> list[Token]:
    """The tokens of one line, spaces left out."""
    pieces: list[Token] = []
    end = 0
    for match in _TOKEN.finditer(_plain(line[:LONGEST])):
        before = pieces[-1] if pieces else None
        pieces += _token(match, touching=match.start() == end and bool(pieces), before=before)
        end = match.end() if match.lastgroup != "space" else -1
    return [_times(pieces, place) for place in range(len(pieces))]


def _times(pieces: list[Token], place: int) -> Token:
    """The token there; an "x" between two numbers is a multiplication sign."""
    token = pieces[place]
    if token.text in ("x", "X") and 0 < place < len(pieces) - 1 and (
            pieces[place - 1].kind in ("number", "close") and pieces[place + 1].kind in ("number", "open")):
        return Token("sign", "*")
    return token


def _plain(line: str) -> str:
    """The line without LaTeX layout, its fractions, roots and powers written with brackets."""
    line = _LIST_MARK.sub("", line.translate(_SUPERSCRIPTS))
    if "**" in line:
        line = _STARS.sub("^", line).replace("**", " ")
    if "\\" in line or "{" in line:
        line = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", _LAYOUT.sub(" ", _JOINED.sub("", line)))
        line = _MIXED_FRACTION.sub(r"\1 \2/\3", line)
        for _ in range(6):
            before = line
            line = _ROOT.sub(r" sqrt(\1) ", _POWER.sub(r"^(\1)", _WRAPPED.sub(r" \1 ", line)))
            line = _FRACTION.sub(r"((\1)/(\2))", line)
            if line == before:
                break
        line = _NAMED.sub(lambda match: _NAMES[match[0]], line)
    if _CLOSING_DOLLAR.search(line):  # dollar signs that enclose mathematics, not money
        line = line.replace("$", "|")
    return line


def _token(match: re.Match, touching: bool, before: Token | None) -> list[Token]:
    kind = match.lastgroup
    if match["number"] or match["mixed"]:
        return _number(match, touching, before)
    if match["article"]:
        return [Token("word", "a")]
    if match["word"]:
        return [_word(match)]
    if match["equals"]:
        return [Token("equals", "=" if match[0] in ("=", "==") else match[0])]
    if kind in ("space", "degree"):
        return []
    return [Token(kind, match[0])]


def _number(match: re.Match, touching: bool, before: Token | None) -> list[Token]:
    glued = match["glued"]
    if (touching and before and before.kind in ("word", "variable", "unknown")) or (
            glued and glued.lower() not in GLUED | _ENDINGS):
        return [Token("variable", match[0])]
    if glued in _ENDINGS:
        return [Token("word", match[0])]
    if match["mixed"]:
        whole, part = match["mixed"].split()
        upper, lower = part.split("/")
        if not int(lower):
            return [Token("unknown", match[0])]
        value, decimals = int(whole) + Fraction(int(upper), int(lower)), 0
    else:
        digits = match["number"].replace(",", "")
        value, decimals = Fraction(digits), len(digits.partition(".")[2])
    number = Token("number", match[0], value, decimals, bool(match["percent"]), bool(match["money"]))
    return [number, Token("word", glued)] if glued else [number]


def _word(match: re.Match) -> Token:
    word = match["word"]
    if match["index"] or len(word) == 1 or (len(word) <= 3 and word.isupper()):
        return Token("variable", match[0])
    if word == "sqrt":
        return Token("root", word)
    if word.lower() in _SPOKEN:
        return Token("sign", _SPOKEN[word.lower()])
    return Token("word", word.lower())
