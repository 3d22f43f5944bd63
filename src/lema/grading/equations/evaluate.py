"""The value of an expression in tokens: exact, bounded, and without any evaluation of text as code.

One design decision: a recursive descent over at most some dozens of tokens with Fractions of at most `BITS` bits;
what does not fit the grammar or the bounds raises `Unevaluable`, which the caller takes for "cannot be judged".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from lema.grading.equations.reading import Token
from lema.grading.evaluate import bits_of, exact_root
from lema.grading.units import FAMILIES, OF_TWO_LETTERS, singular, size_of

BITS = 2_000
DEEPEST = 20
MOST_UNIT_WORDS = 4
NO_UNITS = frozenset((
    "and", "so", "then", "because", "in", "on", "for", "from", "to", "since", "which", "that", "of", "with", "is",
    "are", "was", "were", "has", "have", "had", "as", "at", "but", "or", "where", "when", "this", "the"))
"""Words behind a number that go on with the sentence and name no unit."""


class Unevaluable(Exception):
    """Not an expression of this grammar, or too large to be worked out."""


@dataclass
class Expression:
    """What an expression is worth, and what decides how strictly it is compared."""

    value: Fraction
    end: int  # the token behind it
    signs: int = 0  # how many operations
    decimals: int = 0  # most digits behind a point
    percent: bool = False
    sums: bool = False  # whether anything is added or taken away
    doubtful: bool = False  # "60 / 3/4": which division comes first is not said
    units: set[str] = field(default_factory=set)


def evaluate(tokens: Sequence[Token], start: int, *, percent: Fraction) -> Expression:
    """The longest expression that begins at `start`. `percent` is what one percent is worth: 1/100, or 1 where
    the sign is taken for a unit."""
    parser = _Descent(tokens, start, percent)
    value = parser.sum(0)
    return Expression(value, parser.place, parser.signs, parser.decimals, parser.percents, parser.sums,
                      parser.doubtful, parser.units - parser.per)


class _Descent:
    """One descent; `place` is the token that comes next."""

    def __init__(self, tokens: Sequence[Token], start: int, percent: Fraction) -> None:
        self.tokens, self.place, self.percent = tokens, start, percent
        self.signs = self.decimals = 0
        self.percents = self.sums = self.doubtful = False
        self.units: set[str] = set()
        self.per: set[str] = set()

    def sum(self, depth: int) -> Fraction:
        value = self._product(depth)
        while self._sign() in ("+", "-"):
            sign = self._take().text
            right = self._product(depth)
            value = _bounded(value + right if sign == "+" else value - right)
            self.sums = True
            self.signs += 1
        return value

    def _product(self, depth: int) -> Fraction:
        value, divided = self._signed(depth), False
        while True:
            sign = self._sign()
            self.doubtful |= divided and bool(sign) and sign in "*/"
            divided = sign == "/"
            if sign in ("*", "/"):
                self._take()
            elif self._kind() == "open" and self.tokens[self.place - 1].kind in ("number", "close"):
                sign = "*"  # 2(4) and (3)(4)
            elif self._is_part_of():
                self._take()
                sign = "*"
            else:
                return value
            right = self._signed(depth)
            if sign == "/" and not right:
                raise Unevaluable("division by zero")
            value = _bounded(value * right if sign == "*" else value / right)
            self.signs += 1

    def _signed(self, depth: int) -> Fraction:
        if self._sign() == "-":
            self._take()
            return -self._signed(depth + 1) if depth < DEEPEST else self._no()
        return self._power(depth)

    def _power(self, depth: int) -> Fraction:
        value = self._atom(depth)
        if self._sign() != "^":
            return value
        self._take()
        exponent = self._signed(depth + 1) if depth < DEEPEST else self._no()
        self.signs += 1
        if exponent.denominator != 1 or abs(exponent) > 200 or (not value and exponent < 0):
            raise Unevaluable("power")
        if bits_of(value) * abs(exponent) > BITS:
            raise Unevaluable("too large")
        return value ** int(exponent)

    def _atom(self, depth: int) -> Fraction:
        if depth >= DEEPEST or self.place >= len(self.tokens):
            self._no()
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "root" and self._kind() == "open":
            self.signs += 1
            return _root(self._atom(depth + 1))
        if token.kind != "open":
            self._no()
        value = self.sum(depth + 1)
        if self._kind() != "close":
            self._no()
        self._take()
        self._units()
        return value

    def _number(self, token: Token) -> Fraction:
        self.decimals = max(self.decimals, token.decimals)
        if token.money:
            self.units.add("$")
        if token.percent:
            self.percents = True
        else:
            self._units()
        return token.value * self.percent if token.percent else token.value

    def _units(self) -> None:
        """Words behind a number, and "/ day" or "per day"."""
        for _ in range(MOST_UNIT_WORDS):
            if self._kind() == "word" and self.tokens[self.place].text not in NO_UNITS:
                self._unit(self._take().text)
            elif self._sign() == "/" and self._kind(1) == "word":
                if not self._is_rate():
                    raise Unevaluable("a name below")
                self._take()
                self.per.add(singular(self._take().text))
            else:
                return

    def _is_rate(self) -> bool:
        """Whether the word behind a "/" is what a quantity is counted per, "5 km / h", "$3/shirt": 1/di is no
        rate."""
        before, word = self.tokens[self.place - 1], self.tokens[self.place + 1].text
        return (before.kind == "word" or before.money or size_of(word) is not None
                or any(word in family or singular(word) in family for family in FAMILIES))

    def _unit(self, word: str) -> None:
        """One word as a unit, with its power: "cm^3". Two letters that are no unit are variables."""
        if len(word) == 2 and word not in OF_TWO_LETTERS:
            raise Unevaluable("variables")
        self.units.add(singular(word))
        if self._sign() == "^" and self._kind(1) == "number":
            self.place += 2

    def _is_part_of(self) -> bool:
        """Whether "of" stands here between a share and what it is a share of: "20% of 50", "1/4 of (8 + 4)"."""
        before = self.tokens[self.place - 1] if self.place else None
        return (self._kind() == "word" and self.tokens[self.place].text == "of" and before is not None
                and before.kind in ("number", "close") and self._kind(1) in ("number", "open"))

    def _kind(self, ahead: int = 0) -> str:
        place = self.place + ahead
        return self.tokens[place].kind if place < len(self.tokens) else ""

    def _sign(self) -> str:
        return self.tokens[self.place].text if self._kind() == "sign" else ""

    def _take(self) -> Token:
        self.place += 1
        return self.tokens[self.place - 1]

    def _no(self) -> Fraction:
        raise Unevaluable("no expression")


def _bounded(value: Fraction) -> Fraction:
    if bits_of(value) > BITS:
        raise Unevaluable("too large")
    return value


def _root(value: Fraction) -> Fraction:
    if value < 0:
        raise Unevaluable("root of a negative number")
    if (root := exact_root(value)) is None:
        raise Unevaluable("irrational")
    return root
