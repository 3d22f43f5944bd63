"""Solutions in one whole number: pi/4 + k pi and pi/4 + n pi are the same angles, and so is -3pi/4 + k pi.

One design decision: only what names one letter that stands for whole numbers, with pi or degrees beside it, is a
family; any other formula in one letter keeps its letter.
"""

from fractions import Fraction

from lema.grading.evaluate import Undecided, context, is_real, real, value
from lema.grading.numeric_equality import names_of, nodes

LETTERS = frozenset("klmnpjt")


def same_family(a: tuple, b: tuple) -> bool | None:
    """Whether both are the same numbers for all whole values of their letter; None where not both are a family."""
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
    if len(names) != 1 or not names <= LETTERS or not _has_angle(tree):
        return None
    (letter,) = names
    try:
        values = [value(tree, {letter: Fraction(k)}) for k in (0, 1, 2, 5)]
    except Undecided:
        return None
    if not all(map(is_real, values)):
        return None
    first, second, third, sixth = (real(one).real for one in values)
    step = second - first
    straight = _zero(third - second - step) and _zero(sixth - first - 5 * step)
    return (first, step) if straight and not _zero(step) else None


def _has_angle(tree: tuple) -> bool:
    return any(node == ("const", "pi") or node[0] == "deg" for node in nodes(tree))


def _zero(number: object) -> bool:
    return abs(number) < 1e-20
