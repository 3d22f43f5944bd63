"""How far two people agree beyond chance."""

from collections import Counter
from collections.abc import Iterable
from itertools import starmap
from operator import eq


def cohen_kappa(pairs: Iterable[tuple[str, str]]) -> float | None:
    """Cohen's kappa of two raters over what both rated (Cohen 1960, "A coefficient of agreement for nominal
    scales"): (observed - expected agreement) / (1 - expected). None without pairs, or where both always gave the
    same single class, of which nothing can be said."""
    both = list(pairs)
    if not both:
        return None
    first, second = map(Counter, zip(*both, strict=True))
    expected = sum(first[each] * second[each] for each in first) / len(both) ** 2
    observed = sum(starmap(eq, both)) / len(both)
    return None if expected == 1 else (observed - expected) / (1 - expected)
