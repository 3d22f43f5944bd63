"""How numbers are written in reports.

One design decision: a figure says as much as it knows and no more: one decimal for percent, three digits for
tokens, and a dash where there is nothing to say.
"""

import re
from typing import Protocol

THIN = "\u202f"  # narrow no-break space
NOTHING = "–"


def percent(fraction: float) -> str:
    """0.6284 → "62.8" (the unit stands in the head of the column)."""
    return f"{100 * fraction:.1f}"


def count(number: int) -> str:
    """12523 → "12 523", with a thin space that does not break."""
    return f"{number:,}".replace(",", THIN)


def tokens(number: int) -> str:
    """950, 12.3k, 4.0M."""
    if number < 1_000:
        return str(number)
    if number < 999_950:
        return f"{number / 1_000:.1f}k"
    return f"{number / 1_000_000:.1f}M"


def money(dollars: float) -> str:
    """$1,234.50, $0.0042, and as many digits as it takes to be no zero."""
    if dollars >= 1 or dollars == 0:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= 0.0001 else f"${dollars:.1e}"


def duration(seconds: float) -> str:
    """45 s, 12 min, 3.4 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class Priced(Protocol):
    """A line of a bill."""

    dollars: float | None
    unknown: int
    here: bool


def cost(line: Priced) -> str:
    """What a bill's line cost, that it cost nothing, or that nobody knows."""
    if line.here:
        return "nothing"
    if line.dollars is None:
        return "price unknown"
    return money(line.dollars) + (f" + {tokens(line.unknown)} tokens of unknown price" if line.unknown else "")


def p_value(p: float) -> str:
    """0.034, and "<0.001" below that."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def deviation(value: float | None) -> str:
    """A standard deviation over seeds in points; a dash with one seed."""
    return NOTHING if value is None else f"{100 * value:.1f}"


def unbroken(text: str) -> str:
    """`text` with no-break spaces inside its intervals, so that no line ends between their two ends."""
    return re.sub(r"\[[^]]*\]", lambda interval: interval[0].replace(" ", "\xa0"), text)
