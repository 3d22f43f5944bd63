"""Perplexity of wrong paths and of the same paths corrected, under each arm."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from lema.config import AnalyseConfig
from lema.report.analyses.answers import BEFORE
from lema.report.tables import Table
from lema.statistics.scores import Likelihood


def perplexity_table(settings: AnalyseConfig, likely: Sequence[Iterable[Likelihood]]) -> Iterator[Table]:
    """A line per arm, its seeds taken together; nothing where none was asked for."""
    arms = {settings.base: ""} | {model: arm for model, arm, _ in settings.examined}
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"wrong": [0.0, 0], "corrected": [0.0, 0]})
    paths, left_out = 0, 0
    for row in chain.from_iterable(likely):
        total = sums[arms[row.model]][row.sort]
        total[0] += row.log_likelihood
        total[1] += row.tokens
        paths, left_out = row.paths, max(left_out, row.left_out)
    rows = []
    for arm, by_sort in sums.items():
        wrong, corrected = (math.exp(-nats / tokens) for nats, tokens in by_sort.values())
        rows.append((arm or BEFORE, wrong, corrected, corrected / wrong))
    if rows:
        too_long = f" {left_out:,} more are too long for the models." if left_out else ""
        yield Table(
            name="Perplexity of mistakes and their corrections", detail=True,
            about=f"A token's perplexity over {paths:,} wrong paths, and over the same paths corrected, each "
                  f"after its question.{too_long}",
            columns=(("arm", "text"), ("wrong", "number"), ("corrected", "number"), ("ratio", "number")),
            rows=tuple(rows))
