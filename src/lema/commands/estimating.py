"""`lema estimate`: what a run will ask and cost, from a pilot on a few questions or from given averages.

One design decision: the pilot is the same pipeline on fewer questions, in the same run and through the same
journal, so that what it pays for is not paid again; each stage's figure is the pilot's, times how many more
questions (or seeds) the run has, with an interval from how much they differ between the pilot's questions and from
how few of them may have needed the stage at all.
"""

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import tomli_w

from lema.commands.running import run_folder, stages_of
from lema.config import Config, load_table, parse_config
from lema.figures import money
from lema.prompting import find_prompt
from lema.runs.bills import ancestors
from lema.runs.folder import held
from lema.runs.prices import Price, Prices, Usage, price_of
from lema.runs.run import Run, Stage
from lema.stages.sample import how_many
from lema.statistics import t_quantile, wilson
from lema.tasks import find_task

LEVEL = 0.95
PILOT = "pilot"
NEEDED_BY_SOME = ("correct", "critique")  # stages about paths of one verdict
BYTES_A_TOKEN = 3  # of a prompt that was never sent


@dataclass(frozen=True)
class Figure:
    """What one model will write for one stage: mean and 95 % interval. `dollars` None: price unknown."""

    stage: str
    model: str
    replies: float
    prompt_tokens: float
    tokens: float
    low: float  # tokens, prompts included
    high: float
    dollars: float | None
    dollars_low: float | None
    dollars_high: float | None
    here: bool


@dataclass(frozen=True)
class Averages:
    """What the user already knows, instead of a pilot."""

    prompt_tokens: float
    tokens: float
    wrong: float  # share of sampled paths that are mistakes


@dataclass(frozen=True)
class Unit:
    """What a stage's work grows with: so many questions or seeds in the run, so many in the pilot."""

    run: int
    pilot: int


@dataclass(frozen=True)
class PilotRun(Run):
    """A run whose stages that differ from the full run's lie in a folder of their own."""

    full: dict[str, Stage] = dataclasses.field(default_factory=dict)

    def placed(self, stage: Stage) -> Stage:
        same = stage.name in self.full and self.full[stage.name].fingerprint == stage.fingerprint
        return stage if same else dataclasses.replace(stage, run=self.folder / PILOT)


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


def by_pilot(config: Config, table: dict, runs: Path, questions: int) -> list[Figure]:
    """Runs the pilot, as far as it was not run before, and scales it up."""
    from lema.pipeline import gathered
    from lema.runs.engine import Local
    from lema.runs.progress import display

    folder, small = run_folder(config, runs), pilot_of(config, questions)
    found: dict[str, Stage] = {}
    full = stages_of(folder, config)
    with held(folder):
        (folder / PILOT).mkdir(exist_ok=True)
        if not (folder / "config.toml").exists():
            (folder / "config.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
        with display() as progress, closing(Local(folder, small, progress)) as engine:
            def perform(stages: Sequence[Stage]) -> None:
                found.update((stage.name, stage) for stage in stages)
                engine(stages)

            gathered(PilotRun(folder, perform, small, full=full), small)
    return [figure for name, stage in found.items() if _asks(stage) and name in full
            for figure in _scaled(stage, full[name], config, found, full)]


def pilot_of(config: Config, questions: int) -> Config:
    """The same config on few questions and without training: a later round's mistakes come from the sampled
    models."""
    few = {"limit": min(config.sample.limit or questions, questions)}
    cot = config.cot and config.cot.model_copy(update={"limit": min(config.cot.limit or questions, questions)})
    evolve = {name: table.model_copy(update={"seeds": min(table.seeds, questions), "students": ()})
              for name, table in config.evolve.items()}
    return config.model_copy(update={"sample": config.sample.model_copy(update=few), "cot": cot, "evolve": evolve,
                                     "train": None})


def _asks(stage: Stage) -> bool:
    return bool(stage.models) and hasattr(stage.settings, "sampling")


def _scaled(stage: Stage, full: Stage, config: Config, pilot: dict[str, Stage], run: dict[str, Stage]
            ) -> Iterator[Figure]:
    unit = _unit(stage, full, pilot, run)
    record = stage.record() or {}
    written = Counter()
    for row in stage:
        written[getattr(row, "question", None) or row.parent or row.id] += row.tokens
    if not record.get("usage"):
        yield from _unseen(stage, full, unit, config)
    interval = _interval(list(written.values()), unit.pilot)
    for model, counted in record.get("usage", {}).items():
        use, made_here = Usage.read(counted), isinstance(stage.models[model], Stage)
        times = unit.run / max(1, unit.pilot)
        cap = _cap(full)
        times = min(times, cap / use.tokens if use.tokens else times)
        exact = times <= 1 or unit.run <= unit.pilot
        yield _figure(stage.name, model, use, times, (1.0, 1.0) if exact else interval, cap,
                      None if made_here else price_of(config, model), made_here)


def _unit(stage: Stage, full: Stage, pilot: dict[str, Stage], run: dict[str, Stage]) -> Unit:
    """Seeds where the stage belongs to an evolved round, else the questions that are asked."""
    drafts = [one for one in [*ancestors(stage), stage] if one.verb.__name__ == "evolve"]
    if drafts:
        return Unit(run[drafts[-1].name].settings.seeds, pilot[drafts[-1].name].settings.seeds)
    sampling = [one for one in [*ancestors(stage), stage] if one.verb.__name__ == "sample"]
    return Unit(*(how_many(one.settings, pilot["questions"]) for one in (run[sampling[0].name], sampling[0])))


def _interval(written: list[int], units: int) -> tuple[float, float]:
    """The ends of the 95 % interval of the mean over units, as shares of it; units that wrote nothing are zeros.

    The t interval; where only some wrote, it reaches at least to the share that may have to (Wilson), each writing
    as much as those did.
    """
    values = written + [0] * max(0, units - len(written))
    if len(values) < 2 or not sum(values):
        return 0.0, 2.0
    half = t_quantile((1 + LEVEL) / 2, len(values) - 1) * stdev(values) / math.sqrt(len(values)) / fmean(values)
    wrote = sum(map(bool, values))
    return max(0.0, 1 - half), max(1 + half, wilson(wrote, len(values)).high * len(values) / wrote)


def _unseen(stage: Stage, full: Stage, unit: Unit, config: Config) -> Iterator[Figure]:
    """A stage that no unit of the pilot needed: as many as that leaves open may (Wilson), at max_tokens each."""
    settings, verb = full.settings, stage.verb.__name__
    share = 1.0 if unit.run <= unit.pilot or verb not in NEEDED_BY_SOME else wilson(0, max(1, unit.pilot)).high
    each = {"correct": "samples", "sample": "paths", "critique": "per_question"}.get(verb)
    replies = unit.run * share * (getattr(settings, each) if each else 1)
    prompt = find_prompt(settings.prompt or verb, config.task.name).text if verb != "sample" else ""
    tokens = min(replies * settings.max_tokens, _cap(full))
    prompts = replies * (len(prompt) / BYTES_A_TOKEN + 2 * settings.max_tokens)
    for model, given in stage.models.items():
        here = isinstance(given, Stage)
        price = None if here else price_of(config, model)
        dollars = 0.0 if here else None if price is None else price.of(prompts, tokens)
        yield Figure(stage.name, model, 0.0, 0.0, 0.0, 0.0, tokens + prompts, None if dollars is None else 0.0,
                     None if dollars is None else 0.0, dollars, here or (price is not None and price.here))


def _figure(stage: str, model: str, use: Usage, times: float, interval: tuple[float, float], cap: float,
            price: Price | None, here: bool) -> Figure:
    tokens, prompts = times * use.tokens, times * use.prompt_tokens
    low, high = interval[0], min(interval[1], max(1.0, cap / tokens if tokens else 1.0))
    dollars = 0.0 if here else None if price is None else price.of(times * use.paid_prompt_tokens,
                                                                   times * use.paid_tokens)
    return Figure(stage, model, times * use.replies, prompts, tokens, low * (tokens + prompts),
                  high * (tokens + prompts), dollars, *(None if dollars is None else bound * dollars
                                                        for bound in (low, high)),
                  here or (price is not None and price.here))


def by_averages(config: Config, runs: Path, known: Averages) -> list[Figure]:
    """Every stage's requests counted by the config, with the given averages; the interval ends at max_tokens."""
    task = find_task(config.task.name, config.task.own)
    rows = [dataclasses.replace(question, text="", answer="", source="", solution=question.solution and "-")
            for split in task.splits for question in task.questions(split)]  # what how_many looks at
    figures = []
    for stage in stages_of(run_folder(config, runs), config).values():
        if not _asks(stage) or any(source.verb.__name__ == "train" for source in stage.models.values()
                                   if isinstance(source, Stage)):
            continue
        count, most = _requests(stage, rows, known)
        for model, given in stage.models.items():
            price = None if isinstance(given, Stage) else price_of(config, model)
            figures.append(_given(stage, model, count, most, known, price, isinstance(given, Stage)))
    return figures


def _requests(stage: Stage, questions: list, known: Averages) -> tuple[float, float]:
    """How many requests a stage will make, and the most that it can."""
    before = ancestors(stage)
    drafts = [one for one in [*before, stage] if one.verb.__name__ == "evolve"]
    units = drafts[-1].settings.seeds if drafts else None
    if stage.verb.__name__ == "evolve":
        return units, units
    if stage.verb.__name__ == "sample":
        asked = units if units is not None else how_many(stage.settings, questions)
        return asked * stage.settings.paths, asked * stage.settings.paths
    judged = stage.settings.of if stage.verb.__name__ == "critique" else None
    prefix = re.sub(r"(try-[0-9]+/)?(corrections|critiques/(right|wrong))$", "", stage.name)
    sampling = [one for one in before if one.verb.__name__ == "sample" and one.name.startswith(f"{prefix}paths/")]
    paths = sum(_requests(one, questions, known)[1] for one in sampling)
    if judged is None:
        return known.wrong * paths, paths
    asked = units if units is not None else how_many(sampling[0].settings, questions)
    most = min(paths, stage.settings.per_question * asked)
    return min((known.wrong if judged == "wrong" else 1 - known.wrong) * paths, most), most


def _cap(stage: Stage) -> float:
    """The budget of a stage in tokens; where it is what corrections will cost, there is none to reckon with."""
    tokens = getattr(stage.settings, "tokens", None)
    return tokens if isinstance(tokens, int) else math.inf


def _given(stage: Stage, model: str, count: float, most: float, known: Averages, price: Price | None,
           here: bool) -> Figure:
    cap = _cap(stage)
    count = min(count, cap / known.tokens) if known.tokens else count
    limit = stage.settings.max_tokens
    high = min(most * limit, max(cap, known.tokens * count) + limit)
    low = min(count, most) * known.prompt_tokens
    prompts, tokens = count * known.prompt_tokens, count * known.tokens
    most_prompts = min(most, high / known.tokens if known.tokens else most) * known.prompt_tokens
    costs = [0.0] * 3 if here else [None] * 3 if price is None else [
        price.of(prompts, tokens), price.of(low, 0), price.of(most_prompts, high)]
    return Figure(stage.name, model, count, prompts, tokens, low, high + most_prompts, *costs,
                  here or (price is not None and price.here))


def in_words(figures: list[Figure], prices: Prices, basis: str) -> str:
    """The estimate for a terminal."""
    head = ("stage", "model", "replies", "prompt tokens", "tokens", "cost", "range")
    lines = ["{:26} {:14} {:>8} {:>13} {:>11} {:>9} {:>21}".format(*head)]
    for one in figures:
        lines.append(f"{one.stage:26} {one.model:14} {one.replies:>8,.0f} {one.prompt_tokens:>13,.0f} "
                     f"{one.tokens:>11,.0f} {_cost(one):>9} {_range(one):>21}".rstrip())
    known = [one for one in figures if one.dollars is not None]
    unknown = [one.model for one in figures if one.dollars is None]
    total = f"{money(sum(one.dollars for one in known))} ({money(sum(one.dollars_low for one in known))} to " \
            f"{money(sum(one.dollars_high for one in known))})"
    lines += ["", f"in all: {total}"]
    if unknown:
        lines[-1] += (f", and what {', '.join(dict.fromkeys(unknown))} will cost: the price is not known; add a "
                      "[prices] table")
    said = {one.model: (found.source if (found := prices(one.model)) else "price unknown") for one in figures}
    lines += ["; ".join(f"{model}: {source}" for model, source in said.items()), basis]
    return "\n".join(lines)


def _cost(one: Figure) -> str:
    return "nothing" if one.here else "unknown" if one.dollars is None else money(one.dollars)


def _range(one: Figure) -> str:
    if one.here:
        return ""
    if one.dollars is None:
        return f"{one.low:,.0f} to {one.high:,.0f}"
    return f"{money(one.dollars_low)} to {money(one.dollars_high)}"
