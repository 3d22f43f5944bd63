"""What a run cost: by stage, by model, and for each correction that was kept.

One design decision: tokens are read from the records of the stages and prices are applied here, so that a bill can
be drawn up again when a price becomes known; what has no known price is named and never counted as nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lema.figures import cost
from lema.runs.prices import Price, Prices, Usage
from lema.runs.run import Stage

Spent = Iterable[tuple[str, int, int, int, float, float]]
"""Rows of lema.journal.Journal.spent: model, replies, prompt tokens, tokens, and both as charged."""


TRAINED = "the arms' models"


@dataclass(frozen=True, slots=True)
class Line:
    """What one model wrote for one stage, or in all."""

    stage: str
    model: str
    replies: int
    failed: int
    prompt_tokens: int
    tokens: int
    dollars: float | None  # of what has a known price; None where nothing has one
    unknown: int  # tokens without a known price
    here: bool  # computed on this machine: costs nothing


@dataclass(frozen=True, slots=True)
class Kept:
    """What the kept corrections of one round cost."""

    round: str
    kept: int
    corrector: Line  # the corrections alone, rejected ones included
    whole: Line  # with the paths that were sampled for their mistakes, and the questions written for them

    def each(self, line: Line) -> Line:
        """The line's figures for one kept correction."""
        share = 1 / self.kept if self.kept else 0.0
        return replace(line, tokens=round(line.tokens * share), prompt_tokens=round(line.prompt_tokens * share),
                       unknown=round(line.unknown * share),
                       dollars=None if line.dollars is None else line.dollars * share)


@dataclass(frozen=True, slots=True)
class Bill:
    """The account of a run."""

    stages: tuple[Line, ...]
    models: tuple[Line, ...]
    kept: tuple[Kept, ...]
    paid: tuple[Line, ...]  # all that served models ever wrote into the journal, by their endpoints' names
    sources: tuple[tuple[str, str], ...]  # model and where its price stands

    @property
    def total(self) -> Line:
        return _sum("", "", self.paid)


def draw_up(stages: Iterable[Stage], price: Prices, spent: Spent, served: Prices) -> Bill:
    """The bill of finished stages. `price` knows the config's models, `served` the names in the journal."""
    finished = [stage for stage in stages if stage.record() is not None]
    by_name, by_model = defaultdict(list), defaultdict(list)
    for line in (line for stage in finished for line in _lines(stage, price)):
        by_name[line.stage, line.model].append(line)
        by_model[line.model].append(line)
    lines = [_sum(*name, several) for name, several in by_name.items()]
    paid = [_line("", model, Usage(replies, 0, 0, prompts, tokens, charged_prompts, charged), served(model))
            for model, replies, prompts, tokens, charged_prompts, charged in spent]
    sources = [(model, found.source if (found := price(model)) else "price unknown") for model in by_model]
    return Bill(tuple(lines), tuple(_sum("", model, several) for model, several in by_model.items()),
                tuple(_kept(stage, lines) for stage in finished if stage.verb.__name__ == "verify"),
                tuple(paid), tuple(sources))


def ancestors(stage: Stage) -> list[Stage]:
    """Every stage that went into this one, in the order in which they were made."""
    found: dict[str, Stage] = {}
    for source in [*stage.sources, *(given for given in stage.models.values() if isinstance(given, Stage))]:
        found |= {one.name: one for one in ancestors(source)} | {source.name: source}
    return list(found.values())


def _lines(stage: Stage, price: Prices) -> list[Line]:
    usage = (stage.record() or {}).get("usage", {})
    return [_line(*_named(stage, model), Usage.read(row), price(model))
            for model, row in usage.items() if isinstance(row, dict)]


def _named(stage: Stage, model: str) -> tuple[str, str]:
    """The names that a line goes by; the arms' models, of which there are many, share theirs."""
    given = stage.models.get(model)
    if isinstance(given, Stage) and given.name.startswith("models/"):
        return stage.name.rpartition("/")[0], TRAINED
    return stage.name, model


def _line(stage: str, model: str, usage: Usage, price: Price | None) -> Line:
    dollars = usage.cost(price)
    unknown = usage.prompt_tokens + usage.tokens if dollars is None else 0
    return Line(stage, model, usage.asked + usage.known, usage.failed, usage.prompt_tokens, usage.tokens, dollars,
                unknown, price is not None and price.here)


def _kept(stage: Stage, lines: list[Line]) -> Kept:
    """The round of a verifying stage: the stages before it whose names begin as its own does."""
    prefix = stage.name.removesuffix("verified")
    before = {one.name for one in ancestors(stage) if one.name.startswith(prefix)}
    whole = [line for line in lines if line.stage in before]
    corrector = [line for line in whole if line.stage == f"{prefix}corrections"]
    kept = sum(bool(row.verified) for row in stage)
    return Kept(prefix.strip("/"), kept, _sum(f"{prefix}corrections", "", corrector), _sum(prefix, "", whole))


def _sum(stage: str, model: str, lines: Iterable[Line]) -> Line:
    """The lines in one."""
    several = list(lines)
    known = [line.dollars for line in several if line.dollars is not None and not line.here]
    counts = (sum(getattr(line, name) for line in several)
              for name in ("replies", "failed", "prompt_tokens", "tokens"))
    unknown = sum(line.unknown for line in several)
    return Line(stage, model, *counts, sum(known) if known or not unknown else None, unknown,
                all(line.here for line in several))


def in_words(bill: Bill) -> list[str]:
    """The bill for a terminal."""
    if not bill.stages:
        return []
    head = ("what it cost", "model", "replies", "prompt tokens", "tokens", "cost")
    lines = ["", "{:26} {:14} {:>8} {:>13} {:>11} {:>13}".format(*head)]
    lines += [_row(line) for line in (*bill.stages, *(bill.models if len(bill.models) > 1 else ()))]
    for one in (one for one in bill.kept if one.kept):
        each, whole = one.each(one.corrector), one.each(one.whole)
        named = f" ({one.round})" if one.round else ""
        lines += ["", f"{one.kept:,} kept corrections{named}: {each.tokens:,} tokens of the corrector for each, "
                      f"{cost(each)}; with all that led to it {cost(whole)}"]
    if bill.paid:
        lines += ["", f"paid in all, earlier settings, pilots and failures included: {cost(bill.total)}"]
    return lines


def _row(line: Line) -> str:
    return (f"{line.stage or 'all stages':26} {line.model:14} {line.replies:>8,} {line.prompt_tokens:>13,} "
            f"{line.tokens:>11,} {cost(line):>13}")
