"""Sets of real numbers: intervals, unions, complements, inequalities, "all x but 2", as one list of intervals.

One design decision: a set whose ends are numbers is brought to its only form, intervals in order that do not
touch, so that [1, 3] with [3, 5] is [1, 5] and x ≠ 0 two half-lines; what has letters in its ends is none here.
"""

from collections.abc import Callable
from functools import cmp_to_key, reduce
from itertools import chain
from typing import NamedTuple

from lema.grading.conventions import Conventions
from lema.grading.evaluate import Undecided, Value, is_real, real, value
from lema.grading.numeric_equality import close, names_of
from lema.grading.structure import flipped, is_infinite, is_name

MOST = 24  # intervals of a set


class End(NamedTuple):
    """One end of an interval: infinite (-1, 1) or 0 and where it is, and whether it belongs to it."""

    infinite: int
    at: Value
    closed: bool
    tree: tuple = ()


Interval = tuple[End, End]
LOWEST, HIGHEST = End(-1, 0, False), End(1, 0, False)
LINE: tuple[Interval, ...] = ((LOWEST, HIGHEST),)


def intervals(tree: tuple) -> tuple[Interval, ...] | None:
    """The set in its only form; None where the tree is none, or has ends that are no numbers. Raises
    Undecided."""
    parts = _parts_of(tree)
    return None if parts is None else _joined(parts)


def same_intervals(a: tuple[Interval, ...], b: tuple[Interval, ...], how: Conventions,
                   same: Callable[[tuple, tuple, Conventions], bool]) -> bool:
    """Whether two sets are the same, where `same` tells of two ends whether they are."""
    if len(a) != len(b):
        return False
    for end, wanted in zip(chain(*a), chain(*b), strict=True):
        if end.infinite != wanted.infinite or not (end.infinite or same(end.tree, wanted.tree, how)):
            return False
        if how.brackets == "must match" and end.closed != wanted.closed:
            return False
    return True


def _parts_of(tree: tuple) -> tuple[Interval, ...] | None:
    kind = tree[0]
    if kind == "domain":
        return LINE if tree[1] == "R" else None
    if kind == "interval" or (kind == "tuple" and len(tree[1]) == 2):
        low, high, ends = tree[1:] if kind == "interval" else (*tree[1], "()")
        return _between(_end(low, ends[0] == "["), _end(high, ends[1] == "]")) or None  # (3, 1) is a pair
    if kind == "set":
        points = [_end(item, True) for item in tree[1]]
        return None if None in points else tuple(zip(points, points, strict=True))
    if kind == "rel":
        return _relation(tree)
    if kind == "such":
        return _combined("inter", LINE if tree[2] is None else _parts_of(tree[2]), _parts_of(tree[1]))
    if kind in ("union", "inter", "minus"):
        return _combined(kind, _parts_of(tree[1]), _parts_of(tree[2]))
    if kind in ("or", "list"):
        return _several(kind, [_parts_of(part) for part in tree[1]])
    return None


def _combined(kind: str, a: tuple | None, b: tuple | None) -> tuple | None:
    if a is None or b is None:
        return None
    if kind == "union":
        return (*a, *b)
    return _both(a, b if kind == "inter" else _without(b))


def _several(kind: str, conditions: list) -> tuple | None:
    """Conditions in a row: both hold, unless nothing is left then or the text says "or"."""
    if None in conditions:
        return None
    both = reduce(_both, conditions, LINE)
    return both if both and kind == "list" else tuple(chain(*conditions))


def _relation(tree: tuple) -> tuple | None:
    _, signs, sides = tree
    if signs == ("in",):
        return _parts_of(sides[1])
    meeting = LINE
    for left, sign, right in zip(sides, signs, sides[1:], strict=False):
        half = _half(left, sign, right)
        if half is None:
            return None
        meeting = _both(meeting, half)
    names = set(map(names_of, sides)) - {frozenset()}
    return meeting if len(names) == 1 else None


def _half(left: tuple, sign: str, right: tuple) -> tuple | None:
    """Where `left sign right` holds, one of them being a name, or the absolute value of one, or both numbers."""
    if not names_of(right) and names_of(left):
        return _bounded(left, sign, right)
    if names_of(right) and not names_of(left):
        _, (turned,), (right, left) = flipped(("rel", (sign,), (left, right)))
        return _bounded(right, turned, left)
    return None


def _bounded(name: tuple, sign: str, bound: tuple) -> tuple | None:
    if name[:2] == ("fn", "abs"):
        return _absolute(name[2], sign, bound)
    if not is_name(name) or (end := _end(bound, sign in ("<=", ">=", "!="))) is None:
        return None
    if sign == "!=":
        return _without(((end, end),))
    if sign in ("<", "<="):
        return _between(LOWEST, end)
    return _between(end, HIGHEST) if sign in (">", ">=") else None


def _absolute(inside: tuple, sign: str, bound: tuple) -> tuple | None:
    """|x - 3| < 5."""
    shift: tuple = ("num", 0, 0)
    if inside[0] == "add" and not names_of(inside[2]):
        inside, shift = inside[1], inside[2]
    low, high = ("add", ("neg", bound), ("neg", shift)), ("add", bound, ("neg", shift))
    if sign in ("<", "<="):
        return _combined("inter", _bounded(inside, ">" + sign[1:], low), _bounded(inside, sign, high))
    if sign in (">", ">="):
        return _combined("union", _bounded(inside, "<" + sign[1:], low), _bounded(inside, sign, high))
    return None


def _end(tree: tuple, closed: bool) -> End | None:
    if infinite := is_infinite(tree):
        return End(infinite, 0, False) if not closed else None
    if names_of(tree):
        return None
    place = value(tree, {})
    return End(0, place, closed, tree) if is_real(place) else None


def _between(low: End | None, high: End | None) -> tuple | None:
    if low is None or high is None:
        return None
    if low.infinite or high.infinite:
        return ((low, high),) if low.infinite <= 0 and high.infinite >= 0 else ()
    if close(low.at, high.at):
        return ((low, high),) if low.closed and high.closed else ()
    return ((low, high),) if _less(low.at, high.at) else ()


def _joined(parts: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """The same set in intervals in order that neither overlap nor touch."""
    if len(parts) > 2 * MOST:
        raise Undecided("many intervals")
    apart: list[Interval] = []
    for low, high in sorted(parts, key=cmp_to_key(_by_low_end)):
        if apart and _touches(apart[-1][1], low):
            apart[-1] = (apart[-1][0], _further(apart[-1][1], high))
        else:
            apart.append((low, high))
    return tuple(apart)


def _by_low_end(a: Interval, b: Interval) -> int:
    """How two intervals are ordered; of two that begin at the same place the closed one comes first."""
    return _before(b[0], a[0]) - _before(a[0], b[0])


def _before(end: End, other_end: End) -> bool:
    if end.infinite or other_end.infinite:
        return end.infinite < other_end.infinite
    if close(end.at, other_end.at):
        return end.closed and not other_end.closed
    return _less(end.at, other_end.at)


def _touches(high: End, low: End) -> bool:
    if high.infinite or low.infinite:
        return True
    return _less(low.at, high.at) or (close(low.at, high.at) and (low.closed or high.closed))


def _further(end: End, other_end: End) -> End:
    if end.infinite or other_end.infinite:
        return end if end.infinite else other_end
    if close(end.at, other_end.at):
        return end if end.closed else other_end
    return other_end if _less(end.at, other_end.at) else end


def _without(parts: tuple[Interval, ...]) -> tuple[Interval, ...]:
    """Everything else."""
    gaps: list[Interval] = []
    low = LOWEST
    for start, stop in _joined(parts):
        if not start.infinite:
            gaps += _between(low, start._replace(closed=not start.closed)) or ()
        low = stop._replace(closed=not stop.closed) if not stop.infinite else HIGHEST
    if not low.infinite or low is LOWEST:
        gaps += _between(low, HIGHEST) or ()
    return tuple(gaps)


def _both(a: tuple[Interval, ...], b: tuple[Interval, ...]) -> tuple[Interval, ...]:
    return _without((*_without(a), *_without(b)))


def _less(a: Value, b: Value) -> bool:
    return real(a).real < real(b).real
