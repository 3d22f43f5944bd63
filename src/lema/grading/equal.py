"""Whether two trees are the same answer, under the conventions.

One design decision: structure first, values last: two answers are brought to one form, lists, sets, intervals
and matrices are compared part by part, and only what has no parts is compared as numbers.
"""

import itertools
import re
from collections.abc import Iterable
from fractions import Fraction

from lema.grading import structure
from lema.grading.conventions import Conventions
from lema.grading.evaluate import Undecided, real, value
from lema.grading.interval_sets import intervals, same_intervals
from lema.grading.numeric_equality import (
    FLOAT_DIGITS,
    bases,
    equal,
    is_rounding,
    names_of,
    proportional,
    same_family,
    says,
)
from lema.grading.structure import Stated, SymbolicInterval, is_rounded, items, must_be_interval_set, stated
from lema.grading.vectors import components, has_units, rows_of

MOST = 60  # items of two lists that are compared each with each
_ANGLE = re.compile("'pi'|'arc|'acos|'asin|'atan")
_ORDERED = frozenset(("tuple", "closed"))


def same_tree(answer: tuple, gold: tuple, how: Conventions) -> bool:
    """Whether the answer's tree is the gold one's. Raises Undecided."""
    if has_units(answer) or has_units(gold):
        answer, gold = components(answer, gold), components(gold, answer)
    return _same(answer, gold, how)


def _same(a: tuple, b: tuple, how: Conventions) -> bool:
    if a == b:
        return True
    if is_rounded(a) or is_rounded(b):
        return _same_rounded(a, b, how)
    relation = structure.is_relation(a) or structure.is_relation(b)
    if relation and (must_be_interval_set(a) or must_be_interval_set(b)):
        return _same_inequality(a, b, how)
    if (a[0] == "deg") != (b[0] == "deg") and _ANGLE.search(f"{a}{b}") and equal(a, b):
        return True  # 30° and pi/6
    answer, gold = stated(a), stated(b)
    named = answer.name is not None and gold.name is not None and not must_be_interval_set(answer.tree)
    if named and _other_unknown(answer.name, gold.name):
        return _same_equation(answer.as_relation(), gold.as_relation())
    a, b = answer.tree, gold.tree
    if a[0] == "rel" or b[0] == "rel":
        return _same_relation(answer, gold, how)
    if must_be_interval_set(a) or must_be_interval_set(b):
        return _same_interval_set(a, b, how)
    if a[0] == "matrix" or b[0] == "matrix":
        return _same_matrix(rows_of(a), rows_of(b), how)
    kind, parts = items(a)
    other_kind, other_parts = items(b)
    if kind == other_kind == "one":
        return _same_value(parts[0], other_parts[0], how)
    return _same_sequence(kind, parts, other_kind, other_parts, how)


def _same_rounded(a: tuple, b: tuple, how: Conventions) -> bool:
    """Where a side says "1/3 ≈ 0.33": what it says exactly, or what it says about it."""
    return any(_same(x, y, how) for x in structure.sides_said(a) for y in structure.sides_said(b))


def _other_unknown(name: tuple, other: tuple) -> bool:
    """Whether two different plain letters are given a value: x = 5 is not y = 5."""
    return name[0] == other[0] == "sym" and len(name[1]) == len(other[1]) == 1 and name != other


def _same_value(a: tuple, b: tuple, how: Conventions) -> bool:
    if structure.is_infinite(a) or structure.is_infinite(b):
        return structure.is_infinite(a) == structure.is_infinite(b)
    if a[0] in structure.SEQUENCES or b[0] in structure.SEQUENCES or a[0] == "interval" or b[0] == "interval":
        return a[0] == b[0] and _same(a, b, how)
    if a[0] == b[0] == "domain":
        return a == b
    if (family := same_family(a, b)) is not None:
        return family
    if _holds_interval_set(a) != _holds_interval_set(b):
        return False  # a number is no interval
    if "based" in (a[0], b[0]) and a[0] != b[0]:
        return _same_digits(a, b)
    if a[0] == b[0] == "based" and a[2] == b[2]:
        return a[1].lstrip("0") == b[1].lstrip("0")
    if a[0] == b[0] == "based":
        return _same_bases(a, b)
    if how.fractions == "reduced" and structure.is_reduced(a) is False and structure.is_reduced(b):
        return False
    readings = itertools.product(_percent(a, b, how), _percent(b, a, how))
    return any(_same_number(x, y, how) for x, y in readings)


def _holds_interval_set(tree: tuple) -> bool:
    return says(tree, "interval", "union", "set")


def _percent(tree: tuple, other: tuple, how: Conventions) -> tuple[tuple, ...]:
    """What "10%" may mean beside an answer that has no percent sign."""
    if tree[0] == "neg":
        inner = _percent(tree[1], other[1] if other[0] == "neg" else other, how)
        return tuple(("neg", reading) for reading in inner)
    if tree[0] != "pct" or other[0] == "pct":
        return (tree,)
    return {"number": (tree[1],), "share": (tree,), "either": (tree[1], tree)}[how.percent]


def _same_digits(a: tuple, b: tuple) -> bool:
    """A number with its base beside one without: the same digits."""
    a, b = (a, b) if a[0] == "based" else (b, a)
    return b[0] == "num" and str(b[1]) == a[1]


def _same_bases(a: tuple, b: tuple) -> bool:
    """Whether two numbers in different bases are the same one; digits that a base does not have are none."""
    try:
        return value(a, {}) == value(b, {})
    except Undecided:
        return False


def _same_number(a: tuple, b: tuple, how: Conventions) -> bool:
    named = bool(names_of(a, b))
    if how.decimals is not None and not named:
        return _rounded(a, how.decimals) == _rounded(b, how.decimals)
    decimals = structure.literal_decimals(a), structure.literal_decimals(b)
    digits = max(decimals)
    if how.rounded is None or digits < how.rounded or named:
        return equal(a, b)
    if all(decimals) and digits >= FLOAT_DIGITS and min(decimals) >= how.rounded:
        return is_rounding(value(a, {}), value(b, {}), min(decimals))
    if any(abs(real(value(a, base)) - real(value(b, base))) < 1e-24 for base in bases(a, b)):
        return True
    exact_a, exact_b = value(a, {}), value(b, {})
    if {type(exact_a), type(exact_b)} == {Fraction} and all(decimals):
        return False  # two decimals that differ, differ
    return is_rounding(exact_a, exact_b, digits)


def _rounded(tree: tuple, decimals: int) -> object:
    number = value(tree, {})
    exact = number if isinstance(number, Fraction) else Fraction(str(real(number).real))
    return round(exact, decimals)


def _same_sequence(kind: str, a: tuple, other_kind: str, b: tuple, how: Conventions) -> bool:
    brackets = {kind, other_kind} - {"list", "or", "one"}
    if len(brackets) == 2 and how.brackets == "must match":
        return False
    if "one" in (kind, other_kind) and len(a) != len(b):  # "1/2 or 0.5"
        return not brackets and all(_same(x, y, how) for x in a for y in b)
    if "one" in (kind, other_kind):
        return brackets <= {"set"} and _same(a[0], b[0], how)
    in_order = bool(brackets & _ORDERED) or (not brackets and how.order == "fixed") or _half_named(a, b)
    if in_order and len(a) == len(b):
        a, b = _by_name(a, b, how), _by_name(b, a, how)
    if in_order:
        return len(a) == len(b) and _same_pairwise(a, b, how)
    if len(a) > MOST or len(b) > MOST:
        raise Undecided("long lists")
    return _covers(a, b, how) and _covers(b, a, how)


def _half_named(a: tuple, b: tuple) -> bool:
    """Whether only one of two lists says which value belongs to which name; then their order must tell."""
    names = [{stated(item).name for item in side} - {None} for side in (a, b)]
    if any(all(name[0] == "sym" and "_" in name[1] for name in side) for side in names if side):
        return False  # x_1 and x_2 are two values of one unknown
    return min(map(len, names)) == 0 and max(map(len, names)) > 1


def _by_name(a: tuple, b: tuple, how: Conventions) -> tuple:
    """The values of y = 3, x = 2 by their letters, where the other side has no names and another order."""
    names = [stated(item).name for item in a]
    letters = all(name is not None and name[0] == "sym" and len(name[1]) == 1 for name in names)
    if not letters or any(stated(item).name for item in b) or _same_pairwise(a, b, how):
        return a
    return tuple(item for _, item in sorted(zip(names, a, strict=True), key=lambda pair: pair[0]))


def _same_pairwise(a: Iterable[tuple], b: Iterable[tuple], how: Conventions) -> bool:
    """Whether the first of one is the first of the other, and so on."""
    return all(_same(x, y, how) for x, y in zip(a, b, strict=False))


def _covers(a: tuple, b: tuple, how: Conventions) -> bool:
    """Whether every item of `a` is among those of `b`."""
    return all(any(_same(x, y, how) for y in b) for x in a)


def _same_numeric_sets(a: tuple, b: tuple, how: Conventions) -> bool | None:
    """Whether both are the same set of numbers; None where not both are one whose ends have values."""
    sets = intervals(a), intervals(b)
    return None if None in sets else same_intervals(*sets, how, _same)


def _same_interval_set(a: tuple, b: tuple, how: Conventions) -> bool:
    if (same := _same_numeric_sets(a, b, how)) is not None:
        return same
    parts, wanted_parts = structure.symbolic_intervals(a), structure.symbolic_intervals(b)
    if parts is None or wanted_parts is None:
        if a[0] == b[0] and a[0] in ("union", "inter", "minus"):
            return _same_pairwise(a[1:], b[1:], how)
        if how.brackets == "free" and "interval" in (a[0], b[0]):
            return _same_pairwise(_ends(a), _ends(b), how)
        return False
    if len(parts) != len(wanted_parts):
        return False
    return all(any(_same_interval(x, y, how) for y in wanted_parts) for x in parts)


def _ends(tree: tuple) -> tuple:
    return tree[1:3] if tree[0] == "interval" else items(tree)[1]


def _same_interval(a: SymbolicInterval, b: SymbolicInterval, how: Conventions) -> bool:
    if how.brackets == "must match" and a.ends != b.ends:
        return False
    return _same(a.low, b.low, how) and _same(a.high, b.high, how)


def _same_inequality(a: tuple, b: tuple, how: Conventions) -> bool:
    if (same := _same_numeric_sets(a, b, how)) is not None:
        return same
    if None not in (structure.symbolic_intervals(a), structure.symbolic_intervals(b)):
        return _same_interval_set(a, b, how)
    if a[0] == b[0] == "rel":
        return _same_either_way(a, b, how) or _same_slope(a, b)
    return False


def _same_sides(a: tuple, b: tuple, how: Conventions) -> bool:
    return a[1] == b[1] and _same_pairwise(a[2], b[2], how)


def _same_either_way(a: tuple, b: tuple, how: Conventions) -> bool:
    """Whether two relations are the same, the one perhaps read from the right."""
    return _same_sides(a, b, how) or _same_sides(a, structure.flipped(b), how)


def _same_slope(a: tuple, b: tuple) -> bool:
    """Two inequalities of two sides: the one is a positive multiple of the other."""
    if len(a[1]) != 1 or len(b[1]) != 1:
        return False
    if a[1][0][0] != b[1][0][0]:
        b = structure.flipped(b)
    if a[1] != b[1]:
        return False
    ratio = proportional(_difference(a), _difference(b))
    return ratio is not None and real(ratio).real > 0


def _same_relation(answer: Stated, gold: Stated, how: Conventions) -> bool:
    """An equation against an equation, or against a value with a name."""
    a, b = answer.as_relation(), gold.as_relation()
    if a[0] != "rel" or b[0] != "rel":
        return _same_total(a, b, how)
    if a[1] == b[1] and len(a[1]) == 1 and a[1][0] in ("=", "!="):
        return _same_equation(a, b)
    return _same_either_way(a, b, how)


def _same_total(a: tuple, b: tuple, how: Conventions) -> bool:
    """Whether an equation gives a quantity the value that stands alone on the other side: |r - s| = 16, not 2x =
    6, which is still to be solved, nor "= 0". The answer's equation may be of any quantity of several names, 2x +
    2y = 80."""
    equation, alone = (a, b) if a[0] == "rel" else (b, a)
    if alone[0] == "rel" or set(equation[1]) != {"="} or names_of(alone, equation[2][-1]):
        return False
    left, value = equation[2][0], equation[2][-1]
    of_quantity = structure.is_quantity(left) or (equation is a and len(names_of(left)) > 1)
    zero = value[0] == "num" and not value[1]
    return of_quantity and (not zero or structure.is_sum(left)) and _same(value, alone, how)


def _same_equation(a: tuple, b: tuple) -> bool:
    return proportional(_difference(a), _difference(b)) is not None


def _difference(relation: tuple) -> tuple:
    return ("add", relation[2][0], ("neg", relation[2][1]))


def _same_matrix(a: tuple | None, b: tuple | None, how: Conventions) -> bool:
    if a is None or b is None:
        raise Undecided("a product of matrices")
    if len(a) * len(a[0]) != len(b) * len(b[0]):
        return False
    if len(a) != len(b) and 1 not in (len(a), len(a[0])):
        return False
    return _same_pairwise(itertools.chain(*a), itertools.chain(*b), how)
