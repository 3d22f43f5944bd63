"""What a run cost, for a terminal: by model, by stage, and for each correction that was kept.

One design decision: the lines are the bill's own (lema.runs.bills), which programs read from `--json` in full;
here they are at most 80 columns wide, whatever stages and models are called.
"""

import textwrap
from collections.abc import Iterable, Iterator

from lema.figures import cost
from lema.report.tables import WIDTH, Table, in_text
from lema.runs.bills import Bill, Line, reckoned

COLUMNS = (("replies", "count"), ("read", "tokens"), ("wrote", "tokens"), ("cost", "text"))


def in_words(bill: Bill, *, stages: bool = False) -> list[str]:
    """The bill: by model, with `stages` by stage too; what a kept correction cost; and what was paid in all."""
    if not bill.stages:
        return []
    lines = ["", *in_text(_table("What it cost", bill.models, "model"))]
    if stages:
        lines += ["", *in_text(_table("By stage", bill.stages, "stage"))]
    return [*lines, *_closing(bill)]


def _table(name: str, lines: Iterable[Line], first: str) -> Table:
    rows = []
    for line in lines:
        label = f"{line.stage}: {line.model}" if first == "stage" else line.model
        rows.append((label, line.replies, line.prompt_tokens, line.tokens, cost(line)))
    about = "Tokens that each model read and wrote." if first == "model" else ""
    return Table(name=name, about=about, columns=((first, "text"), *COLUMNS), rows=tuple(rows))


def _closing(bill: Bill) -> Iterator[str]:
    for kept in bill.kept:
        if kept.kept:
            each, whole = kept.each(kept.corrector), kept.each(kept.whole)
            named = f" ({kept.round})" if kept.round else ""
            yield ""
            yield from _wrapped(f"{kept.kept:,} kept corrections{named}: {each.tokens:,} tokens of the corrector "
                                f"for each, {cost(each)}; with all that led to it {cost(whole)}")
    if bill.paid:
        yield ""
        yield from _wrapped(f"paid in all, earlier settings, pilots and failures included: {cost(bill.total)}")
    if bill.reckoned:
        yield from _wrapped(reckoned(bill.reckoned))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, break_on_hyphens=False)
