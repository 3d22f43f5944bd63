"""What a run cost: by stage, by model, and for each correction that was kept.

One design decision: tokens are read from the records of the stages and prices are applied here, so that a bill can
be drawn up again when a price becomes known; what has no known price is named and never counted as nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter

from lema.config import TrainOneConfig
from lema.records import Correction
from lema.runs.prices import Price, Prices, Usage, source_of
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
    reckoned: int = 0  # replies whose tokens were counted from the text

    @property
    def total(self) -> Line:
        return _sum("", "", self.paid)


def draw_up(stages: Iterable[Stage], price: Prices, spent: Spent, served: Prices) -> Bill:
    """The bill of finished stages. `price` knows the config's models, `served` the names in the journal."""
    finished = [stage for stage in stages if stage.record() is not None]
    by_name, by_model = defaultdict(list), defaultdict(list)
    for stage in finished:
        for line in _lines(stage, price):
            by_name[line.stage, line.model].append(line)
            by_model[line.model].append(line)
    lines = [_sum(*name, several) for name, several in by_name.items()]
    models = [_sum("", model, several) for model, several in by_model.items()]
    kept = [_kept(stage, lines) for stage in finished if _verifies(stage)]
    sources = [(model, source_of(price(model))) for model in by_model]
    paid = []
    for model, replies, prompts, tokens, charged_prompts, charged in spent:
        usage = Usage(replies, 0, 0, prompts, tokens, charged_prompts, charged)
        paid.append(_line("", model, usage, served(model)))
    usages = (use for stage in finished for use in (stage.record() or {}).get("usage", {}).values())
    counted = sum(use.get("reckoned", 0) for use in usages if isinstance(use, dict))
    return Bill(tuple(lines), tuple(models), tuple(kept), tuple(paid), tuple(sources), counted)


def ancestors(stage: Stage) -> list[Stage]:
    """Every stage that went into this one, in the order in which they were made."""
    before: dict[str, Stage] = {}
    for source in [*stage.sources, *stage.makers]:
        for earlier in (*ancestors(source), source):
            before[earlier.name] = earlier
    return list(before.values())


def _verifies(stage: Stage) -> bool:
    """Whether its rows are corrections that were checked: they are made of other stages' rows, as imported ones
    are not, and no model was asked for them."""
    return stage.kind is Correction and bool(stage.sources) and not stage.models


def _lines(stage: Stage, price: Prices) -> Iterator[Line]:
    for model, row in (stage.record() or {}).get("usage", {}).items():
        if isinstance(row, dict):
            yield _line(*_named(stage, model), Usage.read(row), price(model))


def _named(stage: Stage, model: str) -> tuple[str, str]:
    """The names that a line goes by; the arms' models, of which there are many, share theirs."""
    maker = stage.models.get(model)
    made_by = maker.settings if isinstance(maker, Stage) else None
    # a grown student may end in a training too, but goes on from itself: it keeps the name that its table has
    if isinstance(made_by, TrainOneConfig) and made_by.base != model:
        return stage.name.rpartition("/")[0], TRAINED
    return stage.name, model


def _line(stage: str, model: str, usage: Usage, price: Price | None) -> Line:
    dollars = usage.cost(price)
    unknown = usage.prompt_tokens + usage.tokens if dollars is None else 0
    return Line(stage, model, usage.replies, usage.failed, usage.prompt_tokens, usage.tokens, dollars,
                unknown, price is not None and price.here)


def _kept(stage: Stage, lines: list[Line]) -> Kept:
    """The round of a verifying stage: the stages before it that lie in the same folder of the run."""
    name = stage.name.rpartition("/")[0]
    here = f"{name}/" if name else ""
    before = {each.name for each in ancestors(stage) if each.name.startswith(here)}
    checked = {source.name for source in stage.sources if source.kind is Correction}
    whole = [line for line in lines if line.stage in before]
    corrector = [line for line in whole if line.stage in checked]
    kept = sum(bool(row.verified) for row in stage)
    return Kept(name, kept, _sum("", "", corrector), _sum("", "", whole))


def _sum(stage: str, model: str, lines: Iterable[Line]) -> Line:
    """The lines in one."""
    several = list(lines)
    charged = [line.dollars for line in several if line.dollars is not None and not line.here]

    def total(figure: str) -> int:
        return sum(map(attrgetter(figure), several))

    dollars = sum(charged) if charged or not total("unknown") else None
    return Line(stage, model, total("replies"), total("failed"), total("prompt_tokens"), total("tokens"), dollars,
                total("unknown"), all(line.here for line in several))


def reckoned(replies: int, model: str = "their models") -> str:
    """That a server's count of tokens was not to be used; nothing where each of them was."""
    if not replies:
        return ""
    return (f"{replies:,} replies of {model} came without a count of tokens that can be true: theirs were "
            "reckoned from the text, on the high side")
