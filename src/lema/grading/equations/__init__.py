"""Equations as people write them in worked solutions: found, judged and listed.

One design decision: three answers. An equation is `false` only where both sides can be read without doubt and no
sensible rounding, percent or unit makes them equal; where anything is in doubt it is not judged, because a right
correction thrown away costs money and a wrong verdict poisons a check.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import chain, product
from typing import NamedTuple

from lema.grading.equations.evaluate import Expression, Unevaluable, evaluate
from lema.grading.equations.reading import Token, tokens
from lema.grading.number_words import FACTORS
from lema.grading.units import FAMILIES

WINDOW = 80  # tokens on each side of an equals sign that are looked at
_NAME = re.compile(r"[\s$*-]{0,9}[A-Za-z]\w{0,40}\s{0,3}=")
_SIGN = re.compile(r"[=≈]|\\approx")
_PERCENTS = (Fraction(1, 100), Fraction(1))
_ABOUT = frozenset((
    "about", "approximately", "approx", "roughly", "around", "nearly", "almost", "exactly", "just", "only"))
_WHOLE = frozenset((
    "about", "approximately", "approx", "roughly", "around", "nearly", "almost", "round", "rounded", "rounding",
    "rounds", "nearest", "whole", "full", "complete", "completely", "remainder", "left", "leftover", "remaining",
    "floor", "ceiling", "up", "down", "integer", "estimate", "estimated", "mod", "modulo", "at"))
_CHANGING = FACTORS | {
    "by", "over", "per", "percent", "squared", "cubed", "root", "mod", "modulo", "log", "ln", "sin", "cos", "tan",
    "max", "min", "gcd", "lcm", "than", "divided", "multiplied", "added", "subtracted", "from", "to", "sqrt",
    "times"}
_PLAIN_OF = frozenset(("total", "sum", "cost", "amount", "price", "number", "spend", "spent"))


class Equation(NamedTuple):
    """One equation of a text. `true` is None where it cannot be judged."""

    text: str
    true: bool | None
    result: Fraction | None = None  # the value of its right side, where both sides could be read


def false_equation(steps: Iterable[str]) -> str | None:
    """The first equation in the steps that is not true; None where there is none."""
    judged = chain.from_iterable(map(equations_in, steps))
    return next((equation.text for equation in judged if equation.true is False), None)


def equations_in(text: str, values: Mapping[str, Fraction] | None = None) -> Iterator[Equation]:
    """Every "left = right" of the text in reading order; a chain "a = b = c" holds two. `values` are those of
    `names`, which then count as numbers wherever something is calculated with them."""
    for line in text.splitlines():
        if _SIGN.search(line):
            yield from _of(_filled(_cut(line), values)) if values else _of_line(line)


@lru_cache(maxsize=1024)
def _of_line(line: str) -> tuple[Equation, ...]:
    """The equations of one line; several checks ask for those of the same steps."""
    return tuple(_of(_cut(line)))


@lru_cache(maxsize=1024)
def _cut(line: str) -> tuple[Token, ...]:
    return tuple(tokens(line))


def _of(line: Sequence[Token]) -> Iterator[Equation]:
    signs = [place for place, token in enumerate(line) if token.kind == "equals"]
    edges = [-1, *signs, len(line)]
    words = frozenset(token.text for token in line if token.kind == "word")
    for number, place in enumerate(signs):
        if line[place].text in ("=", "≈"):
            left = line[max(edges[number] + 1, place - WINDOW):place]
            right = line[place + 1:min(edges[number + 2], place + 1 + WINDOW)]
            yield _judged(left, line[place].text, right, words)


def names(steps: Iterable[str]) -> dict[str, Fraction]:
    """The value of every name that a step begins with: "Sam = Leo * 2 = 15 * 2 = 30." gives sam 30."""
    values: dict[str, Fraction] = {}
    for step in steps:
        if not _NAME.match(step):
            continue
        line = _cut(step)
        signs = [place for place, token in enumerate(line) if token.kind == "equals"]
        if signs[:1] != [1] or line[0].kind not in ("word", "variable"):
            continue
        try:
            value = _right_side(line[signs[-1] + 1:], _PERCENTS[0])
        except Unevaluable:
            continue
        values[line[0].text] = value.value
    return values


def contradiction(kept: Iterable[str], further: Iterable[str]) -> str | None:
    """The first equation in `further` that is false only because `kept` gives a name in it another value."""
    values = names(kept)
    for step in further:
        judged = zip(equations_in(step), equations_in(step, values), strict=True) if values else ()
        for plain, filled in judged:
            if filled.true is False and plain.true is not False:
                return filled.text
        values |= names([step])
    return None


def calculations(steps: Iterable[str]) -> tuple[str, ...]:
    """The calculations of a path in one plain notation: what makes two right paths the same to RFT."""
    judged = chain.from_iterable(map(equations_in, steps))
    return tuple(equation.text for equation in judged if equation.result is not None)


def _filled(line: Sequence[Token], values: Mapping[str, Fraction]) -> list[Token]:
    """The tokens with names as their numbers where a sign stands beside them; a name alone on its side stays."""
    filled = list(line)
    for place, token in enumerate(line):
        if token.kind in ("word", "variable") and token.text in values:
            beside = {other.kind for other in (*line[max(0, place - 1):place], *line[place + 1:place + 2])}
            if "sign" in beside and not {"number", "word", "variable", "close", "unknown"} & beside:
                filled[place] = Token("number", token.text, values[token.text])
    return filled


def _judged(left: Sequence[Token], sign: str, right: Sequence[Token], words: frozenset[str]) -> Equation:
    shown = f"{_shown(left)} {sign} {_shown(right)}"
    verdicts, result = [], None
    for percents in product(_PERCENTS, _PERCENTS):
        try:
            first, sure, start = _left_side(left, percents[0])
            second = _right_side(right, percents[1])
        except Unevaluable:
            return Equation(shown, None)
        if not first.signs and not second.signs:
            return Equation(shown, None)  # "2 hours = 120 minutes", "x is 5 = 5": nothing is calculated
        end = second.end
        shown = f"{_shown(left[start:])} {sign} {_shown(right[:end])}"
        result = second.value if result is None else result
        if sure:
            verdicts.append(_compared(first, second, sign, words))
        else:
            verdicts.append(True if first.value == second.value else None)
        if not first.percent and not second.percent:
            break
    if True in verdicts:
        return Equation(shown, True, result)
    if left[start].text == "-" and (dash := _without_dash(left, start, sign, right, words)) is not None:
        return dash
    return Equation(shown, None if None in verdicts else False, result)


def _without_dash(left: Sequence[Token], start: int, sign: str, right: Sequence[Token],
                  words: frozenset[str]) -> Equation | None:
    """The equation without the dash that it begins with, where only that makes it true: behind a word the dash
    belongs to a list or to the sentence ("Sum - 5 + 3 = 8"), at the beginning it may, and nothing is judged."""
    without = _judged(left[start + 1:], sign, right, words)
    if without.true is not True:
        return None
    return without if start else without._replace(true=None)


def _left_side(side: Sequence[Token], percent: Fraction) -> tuple[Expression, bool, int]:
    """The longest expression that ends at the equals sign, whether nothing before it can change its value, and
    where it begins."""
    begin = max((place + 1 for place, token in enumerate(side) if token.kind == "boundary"), default=0)
    for start in range(begin, len(side)):
        if side[start].kind not in ("number", "open", "root", "sign"):
            continue
        try:
            expression = evaluate(side, start, percent=percent)
        except Unevaluable:
            continue
        if expression.end == len(side):
            return expression, _is_free(side, start), start
    raise Unevaluable("no expression")


def _is_free(side: Sequence[Token], start: int) -> bool:
    """Whether what stands before an expression leaves its value alone. Unevaluable where it surely does not."""
    if side[start].kind == "sign" and start:
        return False  # "total - 5" with words before the sign
    if not start:
        return True
    before, earlier = side[start - 1], side[start - 2] if start > 1 else None
    if before.kind in ("sign", "number", "variable", "unknown", "close", "root"):
        raise Unevaluable("part of a larger expression")
    if before.kind == "open":
        return earlier is None or earlier.kind in ("word", "boundary")
    if before.kind == "word":
        if before.text == "of":
            return earlier is not None and earlier.text in _PLAIN_OF
        return before.text not in _CHANGING and (earlier is None or earlier.kind != "sign")
    return True


def _right_side(side: Sequence[Token], percent: Fraction) -> Expression:
    """The expression that begins right behind the equals sign."""
    start = next((place for place, token in enumerate(side) if token.text not in _ABOUT), 0)
    if start >= len(side):
        raise Unevaluable("nothing there")
    expression = evaluate(side, start, percent=percent)
    behind = side[expression.end] if expression.end < len(side) else None
    if [token.text for token in side[expression.end:expression.end + 3:2]] == ["and", "/"]:
        raise Unevaluable("1 and 1/3")
    after_words = side[expression.end - 1].kind == "word"
    if behind and (behind.kind in ("sign", "variable", "unknown") or (
            behind.kind in ("open", "number", "root") and not after_words)):
        raise Unevaluable("part of a larger expression")
    return expression


def _compared(left: Expression, right: Expression, sign: str, words: frozenset[str]) -> bool | None:
    """Whether the sides agree: exactly, or as far as a sensible rounding goes."""
    difference = abs(left.value - right.value)
    if not difference:
        return True
    size = max(abs(left.value), abs(right.value))
    rounded = left if left.signs == 0 else right
    exact = right if rounded is left else left
    if rounded.signs == 0 and rounded.decimals and difference * 10 ** rounded.decimals <= Fraction(1, 2):
        return True
    if sign == "≈" or words & _WHOLE:
        return True if difference < 1 or difference * 20 <= size else None
    long = 10_000 % exact.value.denominator != 0  # more than four digits behind the point: it had to be cut
    if rounded.signs == 0 and rounded.decimals and long and difference * 10 ** rounded.decimals < 1:
        return True
    if max(left.decimals, right.decimals) >= 2 and difference * 100 <= size:
        return True  # calculated on with rounded numbers
    percents_added = (left.percent or right.percent) and (left.sums or right.sums)
    if left.doubtful or right.doubtful or percents_added or _other_units(left, right):
        return None
    return False


def _other_units(left: Expression, right: Expression) -> bool:
    """Whether the sides speak of different things, so that a conversion may stand between them."""
    if any(len((left.units | right.units) & family) > 1 for family in FAMILIES):
        return True
    if bool(left.signs) != bool(right.signs) and left.signs == 0 and left.units:
        return True  # "3 hours = 3 * 60"
    return bool(left.units and right.units and not left.units & right.units)


def _shown(side: Sequence[Token]) -> str:
    """Tokens as one plain line without words: a calculation's canonical form."""
    parts = []
    for token in side:
        if token.kind == "number":
            parts.append(_digits(token) + ("%" if token.percent else ""))
        elif token.kind != "word" or token.text == "of":
            parts.append(token.text)
    return " ".join(parts)


def _digits(token: Token) -> str:
    return str(token.value) if token.value.denominator == 1 else f"{float(token.value):g}"
