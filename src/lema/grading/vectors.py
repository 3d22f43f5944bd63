"""Vectors and matrices: 2i + 3j as (2, 3), a tuple or a list of rows as the matrix that it is.

One design decision: the unit vectors are names with a number each, so that what stands before them is found by
putting 1 for one of them and 0 for the others.
"""

from fractions import Fraction

from lema.grading.numeric_equality import names_of
from lema.grading.structure import stated

UNITS = ("uniti", "unitj", "unitk")  # what the unit vectors are called in a tree


def has_units(tree: tuple) -> bool:
    return not names_of(tree).isdisjoint(UNITS)


def components(tree: tuple, other: tuple) -> tuple:
    """2i + 3j as the tuple (2, 3), with a third one where either side has it; of a list each of its items."""
    if tree[0] in ("list", "or", "set"):
        return (tree[0], tuple(components(item, other) for item in tree[1]))
    if not has_units(tree):
        return stated(tree).tree
    three = "unitk" in names_of(tree) | names_of(other) or (other[0] == "tuple" and len(other[1]) == 3)
    units = UNITS if three else UNITS[:2]
    return ("tuple", tuple(_along(stated(tree).tree, unit) for unit in units))


def _along(tree: object, unit: str) -> object:
    """The tree with 1 for this unit vector and 0 for the others."""
    if not isinstance(tree, tuple) or not tree:
        return tree
    if tree[0] == "sym" and tree[1] in UNITS:
        return ("num", Fraction(int(tree[1] == unit)), 0)
    return tuple(_along(part, unit) for part in tree)


def rows_of(tree: tuple) -> tuple | None:
    """The rows of a matrix; a tuple beside one is a column."""
    if tree[0] == "matrix":
        return tree[1]
    if tree[0] not in ("tuple", "closed"):
        return None
    rows = tuple(item[1] if item[0] in ("tuple", "closed") else _row(item) for item in tree[1])
    return rows if len({len(row) for row in rows}) == 1 else None


def _row(item: tuple) -> tuple:
    """A row of [[1, 2], [3, 4]], which was read as an interval; any other item is a row of one."""
    return item[1:3] if item[0] == "interval" and item[3] == "[]" else (item,)
