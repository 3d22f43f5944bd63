"""What kind of answer a tree is: a named value, a list, a set of real numbers.

One design decision: every form is brought to one of few, so that two answers are compared part by part: "x = 5"
is 5 with a name, "1 ± √2" is two numbers, "x < 3" is the interval from minus infinity to 3.
"""

from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from lema.grading.numeric_equality import names_of, says

ONE = ("num", Fraction(1), 0)
MINUS_INFINITY = ("neg", ("const", "inf"))
INFINITY = ("const", "inf")
SEQUENCES = frozenset(("list", "or", "set", "tuple", "closed"))
_ORDER = frozenset(("<", ">", "<=", ">="))
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "~": "~"}


class Stated(NamedTuple):
    """An answer without its name: of "x = 5" the tree of 5 and the tree of x."""

    tree: tuple
    name: tuple | None

    def as_relation(self) -> tuple:
        """The equation that it was, where it has a name."""
        if self.tree[0] == "rel" or self.name is None:
            return self.tree
        return ("rel", ("=",), (self.name, self.tree))


class SymbolicInterval(NamedTuple):
    """One interval, whose ends may have letters in them."""

    low: tuple
    high: tuple
    ends: str  # "[)" and its like


def stated(tree: tuple) -> Stated:
    """The value that a chain of equations ends in, and what it is the value of."""
    if tree[0] == "deg":
        return Stated(tree[1], None)
    if tree[0] == "neg" and tree[1][0] == "deg":
        return Stated(("neg", tree[1][1]), None)
    if tree[0] == "mul" and tree[1][0] == "sym" and tree[1][1].isupper() and tree[2][0] == "tuple":
        return Stated(tree[2], None)  # a point with its name, P(1, 2)
    if tree[0] != "rel":
        return Stated(tree, None)
    _, signs, sides = tree
    while "=" in signs and signs[-1] == "~":  # "1/3 ≈ 0.33": the exact value is the answer
        signs, sides = signs[:-1], sides[:-1]
    if signs == ("in",):
        return Stated(sides[1], sides[0])
    if set(signs) <= {"=", "~", ":"}:
        last = stated(sides[-1]).tree
        if is_name(sides[0]):
            return Stated(last, sides[0])
        if is_name(sides[-1]) and len(sides) == 2 and not is_name(sides[0]) and not names_of(sides[0]):
            return Stated(sides[0], sides[-1])  # "5 = x"
        if not names_of(*sides):
            return Stated(last, None)
    return Stated(("rel", signs, sides), None)


def is_relation(tree: tuple) -> bool:
    """Whether the tree is an equation or inequality, or a list with one in it."""
    return tree[0] == "rel" or (tree[0] in ("or", "list") and any(part[0] == "rel" for part in tree[1]))


def is_sum(tree: tuple) -> bool:
    """Whether the tree is a sum of plain names."""
    return tree[0] == "sym" or (tree[0] == "add" and is_sum(tree[1]) and is_sum(tree[2]))


def is_quantity(tree: tuple) -> bool:
    """Whether the tree is something that an equation can be asked about: made of names alone, without numbers but
    as powers and roots: x^3, |r - s|, ab + bc + ca, cos^2 x, AB * CD; not 2x + z."""
    kind = tree[0]
    if kind in ("add", "mul", "div", "tuple"):
        return all(map(is_quantity, tree[1:] if kind != "tuple" else tree[1]))
    if kind == "pow":
        return is_quantity(tree[1]) and not names_of(tree[2])
    if kind == "neg":
        return is_quantity(tree[1])
    if kind == "fn":
        return is_quantity(tree[2]) or is_name(tree)
    return is_name(tree)


def is_rounded(tree: tuple) -> bool:
    """Whether the tree says that something is about something."""
    return tree[0] == "rel" and "~" in tree[1]


def sides_said(tree: tuple) -> tuple[tuple, ...]:
    """What stands before "about" and the last of what stands behind it; of a name only the latter."""
    if not is_rounded(tree):
        return (tree,)
    signs, sides = tree[1], tree[2]
    at = signs.index("~")
    exact = ("rel", signs[:at], sides[:at + 1]) if at else sides[0]
    return (sides[-1],) if is_name(exact) else (exact, sides[-1])


def is_name(tree: tuple) -> bool:
    """Whether the tree can stand for what is asked for: x, AB, f(2), A:B, (x, y), NO/BO, sin x; not 2x."""
    kind = tree[0]
    if kind == "sym":
        return True
    if kind == "mul":
        return is_name(tree[1])
    if kind == "pow":  # the inverse of a function
        return tree[1][0] == "sym" and tree[2] == ("neg", ONE)
    if kind == "div":
        return is_name(tree[1]) and is_name(tree[2])
    if kind == "tuple" or (kind == "closed" and len(tree[1]) == 1):  # [ABC], an area
        return all(map(is_name, tree[1]))
    return kind == "fn" and tree[1] != "root" and is_name(tree[2])


def items(tree: tuple) -> tuple[str, tuple[tuple, ...]]:
    """The kind of a sequence and its items, those with "±" as two; a single value is a list of one."""
    if tree[0] in SEQUENCES:
        return tree[0], tuple(chain.from_iterable(map(both_signs, tree[1])))
    values = both_signs(tree)
    return ("list" if len(values) > 1 else "one"), values


def both_signs(tree: tuple) -> tuple[tuple, ...]:
    """The tree with + and with - where it says "±"; else the tree alone."""
    if not says(tree, "pm", "mp"):
        return (tree,)
    if tree[0] == "rel" and (equation := stated(tree)).name is not None:
        return tuple(("rel", ("=",), (equation.name, signed)) for signed in both_signs(equation.tree))
    return (_signed(tree, 1), _signed(tree, -1))


def _signed(tree: object, sign: int) -> object:
    if not isinstance(tree, tuple) or not tree:
        return tree
    if tree[0] in ("pm", "mp"):
        right = _signed(tree[2], sign)
        plus = (tree[0] == "pm") == (sign > 0)
        return ("add", _signed(tree[1], sign), right if plus else ("neg", right))
    return tuple(_signed(part, sign) for part in tree)


def is_infinite(tree: tuple) -> int:
    """1 for infinity, -1 for minus infinity, 0 for anything else."""
    if tree == INFINITY:
        return 1
    return -1 if tree == MINUS_INFINITY else 0


def symbolic_intervals(tree: tuple) -> tuple[SymbolicInterval, ...] | None:
    """The intervals that the tree is: an interval, a union, an inequality in one name, several of them."""
    kind = tree[0]
    if kind == "interval":
        return (SymbolicInterval(tree[1], tree[2], tree[3]),)
    if kind == "tuple" and len(tree[1]) == 2:
        return (SymbolicInterval(*tree[1], "()"),)
    if kind == "set":
        return tuple(SymbolicInterval(item, item, "[]") for item in tree[1])
    if kind == "rel":
        return _inequality(tree)
    if kind in ("union", "or", "list"):
        parts = list(map(symbolic_intervals, tree[1:] if kind == "union" else tree[1]))
        return tuple(chain(*parts)) if all(parts) else None
    return None


def must_be_interval_set(tree: tuple) -> bool:
    """Whether the tree can be nothing but a set of real numbers; a pair "(1, 2)" may be a point too."""
    if tree[0] in ("union", "inter", "minus", "interval", "domain", "such"):
        return True
    if tree[0] == "rel":
        left_out = tree[1] == ("!=",) and is_name(tree[2][0]) and not names_of(tree[2][1])
        return left_out or bool(_ORDER & set(tree[1]))
    return tree[0] in ("or", "list") and any(map(must_be_interval_set, tree[1]))


def flipped(tree: tuple) -> tuple:
    """The same relation read from the right."""
    return ("rel", tuple(_FLIPPED.get(sign, sign) for sign in reversed(tree[1])), tuple(reversed(tree[2])))


def _inequality(tree: tuple) -> tuple[SymbolicInterval, ...] | None:
    _, signs, sides = tree
    if signs == ("in",):
        return symbolic_intervals(sides[1])
    if any(side[:2] == ("fn", "abs") for side in sides):
        return None
    if not set(signs) <= _ORDER:
        return None
    if signs[0] in (">", ">="):
        return _inequality(flipped(tree))
    ends = ["[" if sign == "<=" else "(" for sign in signs], ["]" if sign == "<=" else ")" for sign in signs]
    if len(signs) == 2 and names_of(sides[1]) & (names_of(sides[0]) | names_of(sides[2])):
        return None  # f(1) < f(2) < f(3)
    if len(signs) == 2 and signs[1] in ("<", "<=") and is_name(sides[1]):
        return (SymbolicInterval(sides[0], sides[2], ends[0][0] + ends[1][1]),)
    if len(signs) == 1 and is_name(sides[0]):
        return (SymbolicInterval(MINUS_INFINITY, sides[1], "(" + ends[1][0]),)
    if len(signs) == 1 and is_name(sides[1]):
        return (SymbolicInterval(sides[0], INFINITY, ends[0][0] + ")"),)
    return None


def literal_decimals(tree: tuple) -> int:
    """How many decimals a plain decimal number has; 0 for anything else."""
    while tree[0] in ("neg", "pct"):
        tree = tree[1]
    return tree[2] if tree[0] == "num" else 0


def is_reduced(tree: tuple) -> bool | None:
    """Whether a fraction of two whole numbers is in lowest terms; None where the tree is no such fraction."""
    while tree[0] == "neg":
        tree = tree[1]
    if tree[0] != "div" or not all(side[0] == "num" and not side[2] for side in tree[1:]) or not tree[2][1]:
        return None
    return tree[2][1] != 1 and Fraction(tree[1][1], tree[2][1]).denominator == tree[2][1]
