"""`lema estimate`: what a run will ask and cost, from a pilot on a few questions or from given averages.

One design decision: the pilot is the same pipeline on fewer questions, in the same run and through the same
journal, so that what it pays for is not paid again; each stage's figure is the pilot's, times how many more
questions (or seeds) the run has, with an interval from how much they differ between the pilot's questions and from
how few of them may have needed the stage at all.
"""

import dataclasses
import json
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from lema.commands.run_folder import meant_by, stages_of
from lema.config import Config
from lema.errors import ConfigError
from lema.figures import money
from lema.files import write_whole
from lema.records import Question, content_id
from lema.report.tables import Table, in_text
from lema.runs.bills import ancestors
from lema.runs.prices import HERE, Price, Prices, price_of, source_of
from lema.runs.run import Stage
from lema.runs.workload import module_of, workload
from lema.stages.evolve import evolve
from lema.stages.grade import grade
from lema.stages.sample import sample
from lema.stages.train import train
from lema.tasks import find_task

PLACE = "pilot"  # of what an estimate keeps, in the run's folder
ESTIMATE = f"{PLACE}/estimate.json"
UNPRICED = (None, None, None)  # dollars, and their ends, of what has no known price


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


class Averages(NamedTuple):
    """What the user already knows, instead of a pilot."""

    prompt_tokens: float
    tokens: float
    wrong: float  # share of sampled paths that are mistakes


def estimate_in_words(source: str, overrides: list[str], runs: Path, questions: int,
                      given: tuple[float, float, float] | None, cluster: Path | None = None, *,
                      as_json: bool) -> str:
    """The estimate of a config. `given`, instead of a pilot: prompt tokens, reply tokens, share of wrong paths.
    `cluster`: a file of measured rates, for hours and money of cards as well."""
    from lema.commands.estimate.cluster import cluster_in_words, read_cluster
    from lema.commands.estimate.pilot import by_pilot

    rates = read_cluster(cluster) if cluster else None
    folder, table, config = meant_by(source, overrides, runs)
    if given:
        figures = by_averages(config, folder, Averages(*given))
        basis = "from given averages; the range ends where every reply is as long as max_tokens allows"
    else:
        if config.sample is None:
            raise ConfigError(f"{source}: a mere examination has no pilot; give averages with --prompt-tokens and "
                              "--tokens")
        figures = by_pilot(config, table, folder, questions)
        basis = (f"from a pilot on {questions} questions, whose replies are in the run's journal and are not paid "
                 "again; 95 % range from how much the questions differ")
    note(folder, config, figures)
    if as_json:
        return json.dumps(list(map(dataclasses.asdict, figures)), indent=1)
    words = in_words(figures, lambda name: price_of(config, name), basis)
    return f"{words}\n\n{cluster_in_words(rates, figures, stages_of(folder, config))}" if rates else words


def note(folder: Path, config: Config, figures: list[Figure]) -> None:
    """Keeps the sum in the run's folder, where there is one, for the first words of the run."""
    known_prices = [figure for figure in figures if figure.dollars is not None]
    words = "{} ({} to {})".format(*(money(sum(map(attrgetter(end), known_prices))) for end in (
        "dollars", "dollars_low", "dollars_high")))
    words += ", and what has no known price" if len(known_prices) < len(figures) else ""
    if (folder / PLACE).is_dir():
        write_whole(folder / ESTIMATE, json.dumps({"config": content_id(config.model_dump(mode="json")),
                                                   "words": words}) + "\n")


def by_averages(config: Config, folder: Path, averages: Averages) -> list[Figure]:
    """Every stage's requests counted by the config, with the given averages; the interval ends at max_tokens."""
    rows = {name: rows_of(config.on(name)) for name in ("", *config.evaluate.sets)}
    figures = []
    for stage in stages_of(folder, config).values():
        if not (work := workload(stage)):
            continue
        count, most = requests_of(stage, rows[stage.test_set], averages.wrong)
        for model, given in stage.models.items():
            if isinstance(given, Stage) and given.verb is train:
                continue  # what is trained in the run is asked on this machine
            figures.append(_given(stage, model, count, most, averages, price_in_run(stage, model, config)))
            if model not in work.followers:  # those are asked so often for each request that goes out to this one
                count = figures[-1].replies
    return figures


def rows_of(config: Config) -> list[Question]:
    """The questions of a task without their texts: counting looks at split and solution only."""
    task, rows = find_task(config.task.name, config.task.own), []
    for split in task.splits:
        for question in task.questions(split):
            rows.append(dataclasses.replace(question, text="", answer="", source="",
                                            solution=question.solution and "-"))
    return rows


def requests_of(stage: Stage, questions: list[Question], wrong: float) -> tuple[float, float]:
    """How many requests a stage will make, and the most that it can; `wrong` is the share of wrong paths."""
    work, drafts = workload(stage), drafts_of(stage)
    if work.about is None:
        count = units_of(drafts or stage, questions) * work.per_question
        return count, count
    graded = first_of(grade, stage.sources)
    paths = 0
    for source in graded.sources:
        if source.verb is sample:
            paths += requests_of(source, questions, wrong)[1]
    share = wrong if work.about == "wrong" else 1 - wrong
    if work.per_question is None:
        most = paths * work.per_path
        return share * most * work.likely, most
    most = min(paths, work.per_question * units_of(drafts or first_of(sample, graded.sources), questions))
    return min(share * paths, most), most


def _given(stage: Stage, model: str, count: float, most: float, averages: Averages, price: Price | None) -> Figure:
    cap, limit = cap_of(stage), stage.settings.max_tokens
    times = workload(stage).followers.get(model)
    if times:
        cap, limit, count, most = inf, stage.settings.going_on.max_tokens, times * count, times * most
    most_asked = most
    if averages.tokens:
        count = min(count, cap / averages.tokens)
    high = min(most * limit, max(cap, averages.tokens * count) + limit)
    if averages.tokens:
        most_asked = min(most, high / averages.tokens)
    low, most_prompts = min(count, most) * averages.prompt_tokens, most_asked * averages.prompt_tokens
    prompts, tokens = count * averages.prompt_tokens, count * averages.tokens
    costs = UNPRICED
    if price:
        costs = (price.of(prompts, tokens), price.of(low, 0), price.of(most_prompts, high))
    return Figure(stage.name, model, count, prompts, tokens, low, high + most_prompts, *costs, is_here(price))


def line_of(stage: Stage) -> list[Stage]:
    """Everything that the stage is made of, and the stage itself."""
    return [*ancestors(stage), stage]


def drafts_of(stage: Stage) -> Stage | None:
    """The drafts of the evolved round that the stage belongs to; None in the first round."""
    return first_of(evolve, reversed(line_of(stage)))


def first_of(verb: Callable, stages: Iterable[Stage]) -> Stage | None:
    return next((stage for stage in stages if stage.verb is verb), None)


def units_of(stage: Stage, questions: Iterable[Question]) -> int:
    return module_of(stage).units(stage.settings, questions)


def price_in_run(stage: Stage, model: str, config: Config) -> Price | None:
    """What a model's tokens cost; a model that this run makes is computed here."""
    return HERE if isinstance(stage.models[model], Stage) else price_of(config, model)


def is_here(price: Price | None) -> bool:
    return price is not None and price.here


def cap_of(stage: Stage) -> float:
    """The budget of a stage in tokens; where it is what corrections will cost, there is none to reckon with."""
    tokens = getattr(stage.settings, "tokens", None)
    return tokens if isinstance(tokens, int) else inf


def in_words(figures: list[Figure], prices: Prices, basis: str) -> str:
    """The estimate for a terminal."""
    total, unpriced, sources, asks, costs = [0, 0, 0], [], {}, [], []
    for figure in figures:
        label = f"{figure.stage}: {figure.model}"
        asks.append((label, *map(round, (figure.replies, figure.prompt_tokens, figure.tokens))))
        costs.append((label, _cost(figure), _range(figure)))
        sources[figure.model] = source_of(prices(figure.model))
        if figure.dollars is None:
            unpriced.append(figure.model)
        else:
            total[0] += figure.dollars
            total[1] += figure.dollars_low
            total[2] += figure.dollars_high
    requests = Table(name="What will be asked", columns=(("stage: model", "text"), ("replies", "count"),
                  ("prompt tokens", "count"), ("tokens", "count")), rows=tuple(asks))
    cost = Table(name="What it will cost", columns=(("stage: model", "text"), ("cost", "text"), ("range", "text")),
                 rows=tuple(costs))
    lines = [*in_text(requests), "", *in_text(cost)]
    lines += ["", "in all: {} ({} to {})".format(*map(money, total))]
    if unpriced:
        lines[-1] += (f", and what {', '.join(dict.fromkeys(unpriced))} will cost: the price is not known; add a "
                      "[prices] table")
    closing = "; ".join(f"{model}: {source}" for model, source in sources.items())
    return "\n".join([*lines[:-1], *map(textwrap.fill, (lines[-1], closing, basis))])


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
