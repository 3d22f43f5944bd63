"""What graders disagree on, as named settings with defaults.

One design decision: a convention never changes what an answer is, only which two answers count as equal; so a
text is read once, and may be compared again under other conventions at no cost.
"""

from typing import Literal

from pydantic import Field

from lema.plugins import Settings


class Conventions(Settings):
    """Which answers count as the same. The defaults are those of most published graders (docs/grading.md)."""

    percent: Literal["either", "number", "share"] = Field(
        default="either", description='is "10%" equal to 10 (number), to 0.1 (share), or to both (either)')
    fractions: Literal["any", "reduced"] = Field(
        default="any", description="reduced: 2/4 is no answer to 1/2 (but is one to 0.5 and to 2/4)")
    order: Literal["free", "fixed"] = Field(
        default="free", description='may a list without brackets, "1, 2", be given in another order; tuples never')
    brackets: Literal["must match", "free"] = Field(
        default="must match", description="free: (1, 2), {1, 2} and [1, 2] are the same list")
    units: Literal["ignored", "must match"] = Field(
        default="ignored", description='is "5 km" equal to 5, and to "5 m"')
    decimals: int | None = Field(
        default=None, ge=0, le=30, description="both sides are rounded to so many decimals, then compared")
    rounded: int | None = Field(
        default=4, ge=1, le=30,
        description="a decimal with at least so many decimals may be a rounded exact answer; null: never")


DEFAULT = Conventions()
"""What is used where nothing else is said."""
