"""`lema estimate`: what a run will ask and cost, from a pilot on a few questions or from given averages.

One design decision: the pilot is the same pipeline on fewer questions, in the same run and through the same
journal, so that what it pays for is not paid again; each stage's figure is the pilot's, times how many more
questions (or seeds) the run has, with an interval from how much they differ between the pilot's questions and from
how few of them may have needed the stage at all.
"""

import dataclasses
import json
from pathlib import Path

from lema.commands.estimate.averages import Averages, by_averages
from lema.commands.estimate.figure import Figure
from lema.commands.estimate.pilot import by_pilot
from lema.config import load_table, parse_config
from lema.figures import money
from lema.runs.prices import Prices, price_of


def estimate_in_words(source: str, overrides: list[str], runs: Path, questions: int,
                      given: tuple[float, float, float] | None, *, as_json: bool) -> str:
    """The estimate of a config. `given`, instead of a pilot: prompt tokens, reply tokens, share of wrong paths."""
    table = load_table(source, overrides)
    config = parse_config(table, source)
    if given:
        figures = by_averages(config, runs, Averages(*given))
        basis = "from given averages; the range ends where every reply is as long as max_tokens allows"
    else:
        figures = by_pilot(config, table, runs, questions)
        basis = (f"from a pilot on {questions} questions, whose replies are in the run's journal and are not paid "
                 "again; 95 % range from how much the questions differ")
    if as_json:
        return json.dumps([dataclasses.asdict(figure) for figure in figures], indent=1)
    return in_words(figures, lambda name: price_of(config, name), basis)


def in_words(figures: list[Figure], prices: Prices, basis: str) -> str:
    """The estimate for a terminal."""
    head = ("stage", "model", "replies", "prompt tokens", "tokens", "cost", "range")
    lines = ["{:26} {:14} {:>8} {:>13} {:>11} {:>9} {:>21}".format(*head)]
    total, unpriced, sources = [0, 0, 0], [], {}
    for figure in figures:
        lines.append(f"{figure.stage:26} {figure.model:14} {figure.replies:>8,.0f} {figure.prompt_tokens:>13,.0f} "
                     f"{figure.tokens:>11,.0f} {_cost(figure):>9} {_range(figure):>21}".rstrip())
        price = prices(figure.model)
        sources[figure.model] = price.source if price else "price unknown"
        if figure.dollars is None:
            unpriced.append(figure.model)
        else:
            total[0] += figure.dollars
            total[1] += figure.dollars_low
            total[2] += figure.dollars_high
    lines += ["", "in all: {} ({} to {})".format(*map(money, total))]
    if unpriced:
        lines[-1] += (f", and what {', '.join(dict.fromkeys(unpriced))} will cost: the price is not known; add a "
                      "[prices] table")
    return "\n".join([*lines, "; ".join(f"{model}: {source}" for model, source in sources.items()), basis])


def _cost(figure: Figure) -> str:
    if figure.here:
        return "nothing"
    return "unknown" if figure.dollars is None else money(figure.dollars)


def _range(figure: Figure) -> str:
    if figure.here:
        return ""
    if figure.dollars is None:
        return f"{figure.low:,.0f} to {figure.high:,.0f}"
    return f"{money(figure.dollars_low)} to {money(figure.dollars_high)}"
