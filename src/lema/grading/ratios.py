"""Ratios of three and more: 1:2:3 is 2:4:6 and neither 1:3:2 nor 1/6.

One design decision: a ratio of two is a fraction and is read as one; a longer one has no value, and is compared
side by side, by what its parts have in common.
"""

from math import gcd

from lema.grading.conventions import Conventions
from lema.grading.evaluate import Undecided
from lema.grading.latex import parsed
from lema.grading.numeric_equality import equal
from lema.grading.tokens import Unreadable

MOST = 12
"""Parts of a ratio."""


def same_ratio(answer: str, gold: str, how: Conventions) -> bool | None:
    """Whether both are the same ratio; None where neither has three parts. Of a : b : c = 1 : 2 : 3 the right."""
    parts, wanted_parts = (side.rpartition("=")[2].split(":") for side in (answer, gold))
    if max(len(parts), len(wanted_parts)) < 3:
        return None
    if len(parts) != len(wanted_parts) or len(parts) > MOST:
        return False
    if how.fractions == "reduced" and _shared(parts) > 1 and _shared(wanted_parts) == 1:
        return False
    try:
        trees, wanted = ([parsed(part.strip()) for part in side] for side in (parts, wanted_parts))
        return all(equal(("mul", tree, wanted[0]), ("mul", want, trees[0]))
                   for tree, want in zip(trees, wanted, strict=True))
    except (Unreadable, Undecided, RecursionError):
        return None


def _shared(parts: list[str]) -> int:
    """The greatest common divisor of whole numbers; 1 where not all are."""
    stripped = [part.strip() for part in parts]
    return gcd(*map(int, stripped)) if all(part.isascii() and part.isdigit() and len(part) < 19
                                            for part in stripped) else 1
