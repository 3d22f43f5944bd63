"""What a caller hands in as text, gold answer or choices, made plain: files hold numbers, lists and gaps too.

One design decision: a number is its digits, a list of gold answers is a choice of them (any of these is right, as
math-verify has it), a whole worked text is the answer that it states; whatever else is no text is nothing, and
nothing can be graded. So no value of any type raises.
"""

import math
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from fractions import Fraction

from lema.grading.extract import EXPLICIT, Reading

_STATES = ("####", "boxed", "nswer")
"""Without one of these no gold text states its answer, and none is read."""


def as_text(value: object) -> str | None:
    """A text or a number as text; None for anything else, and for what is no number ("nan") or has no end."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | Fraction):
        return None
    try:
        if not isinstance(value, int | Fraction) and not math.isfinite(value):
            return None
        return str(int(value)) if value == int(value) else str(float(value) if isinstance(value, float) else value)
    except (ValueError, OverflowError):  # more digits than Python writes
        return None


def gold_answers(gold: object) -> tuple[str, ...]:
    """The gold answers, of which any is right; none where there is no text."""
    if isinstance(gold, str):
        return (gold,)
    several = gold if isinstance(gold, list | tuple | set | frozenset) else (gold,)
    return tuple(filter(None, map(as_text, several)))


def stated_gold(gold: str, read: Callable[[str], Reading]) -> str:
    """The answer that a whole worked text ("… #### 5", a solution with its box) states; any other gold itself."""
    if any(map(gold.__contains__, _STATES)):
        answer, how = read(gold)
        if answer and how in EXPLICIT:
            return answer
    return gold


def choices_of(choices: object) -> tuple[str, ...]:
    """The texts of the choices; of {"A": ..., "B": ...} its values."""
    if isinstance(choices, tuple) and not choices:
        return ()
    several = choices.values() if isinstance(choices, Mapping) else choices
    return tuple(map(str, several)) if isinstance(several, Collection) and not isinstance(several, str) else ()
