"""Whether two formulas are equal, by their values at fixed points.

One design decision: two formulas of one value at several unrelated points, to 18 of 40 digits, are equal, and a
difference at one point decides the other way; a value that stays between, or cannot be had, decides nothing.
"""

from collections.abc import Iterator
from fractions import Fraction

from lema.grading.evaluate import Undecided, Value, context, is_real, real, value

_POINTS = tuple(
    Fraction(n, 1009) for n in (737, 1624, 2293, 541, 811, 1427, 389, 2749, 1153, 2011, 631, 1879, 997))
_WHOLE = tuple(map(Fraction, (5, 8, 3, 11, 7, 4, 13, 6, 9, 2, 10, 12, 15)))
_WHOLE_LETTERS = frozenset("klmnpjt")  # what may stand for any whole number
FLOAT_DIGITS = 12  # digits behind the point from which on a decimal is a float written out: 0.6666666666666666
ENOUGH = 4  # points at which both formulas must have a value


def nodes(tree: tuple) -> list[tuple]:
    """The tree itself and all trees that it is made of."""
    if tree[0] in _LEAVES:
        return [tree]
    trees, waiting = [], [tree]
    while waiting:  # no recursion and no generators: every formula is walked several times
        node = waiting.pop()
        trees.append(node)
        for part in node[1:]:
            if isinstance(part, tuple) and part:
                if not isinstance(part[0], str):
                    waiting.append(("", *part))
                elif part[0] not in _SIGNS:
                    waiting.append(part)
    return trees


def names_of(*trees: tuple) -> frozenset[str]:
    """The names that have no value of their own."""
    return frozenset([node[1] for tree in trees for node in nodes(tree) if node[0] == "sym"])


def says(tree: tuple, *kinds: str) -> bool:
    """Whether the tree has a part of one of these kinds."""
    return any(node[0] in kinds for node in nodes(tree))


def equal(a: tuple, b: tuple) -> bool:
    """Whether two formulas have the same value everywhere. Raises Undecided."""
    names = names_of(a, b)
    if not names:
        return any(close(value(a, base), value(b, base)) for base in bases(a, b))
    reach = _reach(a, b)
    enough = ENOUGH + (2 if reach > 1 else 0)
    complex_too = ("const", "i") in nodes(("", a, b))
    for seen, (here, there) in enumerate(_values(a, b, _points(names, reach), complex_too), 1):
        if not close(here, there):
            return False
        if seen == enough:
            return True
    raise Undecided("no points")


def is_rounding(a: Value, b: Value, digits: int) -> bool:
    """Whether two values differ by no more than rounding to so many digits behind the point; of the digits that a
    float has, the last is no one's word."""
    apart = abs(real(a) - real(b))
    if apart <= real(Fraction(6, 10 ** (digits + 1))):
        return True
    return digits >= FLOAT_DIGITS and apart <= max(abs(real(a)), abs(real(b))) * real(Fraction(1, 2**51))


def proportional(a: tuple, b: tuple) -> Fraction | Value | None:
    """The constant by which the formula `a` is that many times `b`; None where there is none. Raises Undecided."""
    ratio = None
    seen = 0
    for here, there in _values(a, b, _points(names_of(a, b), _reach(a, b)), False):
        if not here or not there:
            if bool(here) != bool(there):
                return None
            continue
        exact = isinstance(here, Fraction) and isinstance(there, Fraction)
        before, ratio = ratio, here / there if exact else real(here) / real(there)
        if before is not None and not close(before, ratio):
            return None
        seen += 1
        if seen == ENOUGH:
            return ratio
    raise Undecided("no points")


def _values(a: tuple, b: tuple, points: Iterator[dict], complex_too: bool) -> Iterator[tuple[Value, Value]]:
    """The values of both formulas at the points where both have one, and a real one unless all will do."""
    for point in points:
        try:
            here, there = value(a, point), value(b, point)
        except Undecided:
            continue
        if complex_too or (is_real(here) and is_real(there)):
            yield here, there


def close(a: Value, b: Value) -> bool:
    """Whether two values are the same number. Raises Undecided where their digits do not tell."""
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    a, b = real(a), real(b)
    apart = abs(a - b)
    if apart < context().mpf("1e-24"):
        return True
    ratio = apart / max(abs(a), abs(b))
    if ratio < context().mpf("1e-18"):
        return True
    if ratio > context().mpf("1e-9") or apart > 1:
        return False
    raise Undecided("too close")


def _points(names: frozenset[str], reach: int) -> Iterator[dict[str, Value]]:
    """Where to look: at positive points, at points of both signs, at last at whole numbers.

    `reach` stretches them: beside 0, a function with steps looks like many others."""
    ordered = sorted(names)
    if reach > 1:  # what has steps may differ at whole numbers only
        yield _whole_point(ordered, 0)
        yield _whole_point(ordered, 1)
    for trial in range(9):
        yield {name: reach * _POINTS[(5 * index + 3 * trial) % len(_POINTS)]
               * (-1 if (index + trial) % 4 == 2 else 1) for index, name in enumerate(ordered)}
    for trial in range(5):
        yield _whole_point(ordered, trial)


def _whole_point(names: list[str], trial: int) -> dict[str, Value]:
    return {name: _WHOLE[(3 * index + trial) % len(_WHOLE)] for index, name in enumerate(names)}


def _reach(a: tuple, b: tuple) -> int:
    has_steps = any(node[0] == "fn" and node[1] in ("floor", "ceil") for node in nodes(("", a, b)))
    return 23 if has_steps else 1


def bases(a: tuple, b: tuple) -> Iterator[dict[str, Value]]:
    """What a logarithm without a base may mean: natural, and to the base of ten."""
    yield {}
    if any(node[:2] == ("fn", "log") and node[3] is None for node in nodes(("", a, b))):
        yield {"log": Fraction(10)}


def same_family(a: tuple, b: tuple) -> bool | None:
    """Whether both are the same angles for all whole values of a letter, pi/4 + k pi and -3pi/4 + n pi; None where
    not both name one such letter, with pi or degrees beside it."""
    if (family := _family(a)) is None or (wanted_family := _family(b)) is None:
        return None
    (start, step), (wanted, period) = family, wanted_family
    if not _zero(abs(step) - abs(period)):
        return False
    apart = (start - wanted) / step
    return _zero(apart - context().nint(apart))


def _family(tree: tuple) -> tuple | None:
    """(first, step) of an arithmetic progression of angles."""
    names = names_of(tree)
    if len(names) != 1 or not names <= _WHOLE_LETTERS or not (says(tree, "deg") or ("const", "pi") in nodes(tree)):
        return None
    (letter,) = names
    try:
        values = [value(tree, {letter: Fraction(k)}) for k in (0, 1, 2, 5)]
    except Undecided:
        return None
    if not all(map(is_real, values)):
        return None
    first, second, third, sixth = (real(angle).real for angle in values)
    step = second - first
    straight = _zero(third - second - step) and _zero(sixth - first - 5 * step)
    return (first, step) if straight and not _zero(step) else None


def _zero(number: object) -> bool:
    return abs(number) < 1e-20


_LEAVES = frozenset(("num", "sym", "const"))
_SIGNS = frozenset(("=", "<", ">", "<=", ">=", "!=", "in", "~", ":"))
