"""The estimate from a pilot: the same pipeline on fewer questions, scaled up.

One design decision: the pilot runs in the same run and through the same journal, so that what it pays for is not
paid again; only stages that differ from the full run's lie in a folder of their own.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import tomli_w

from lema.commands import estimate
from lema.commands.beforehand import look_ahead
from lema.commands.run_folder import check_files, stages_of
from lema.config import Config
from lema.files import write_whole
from lema.prompting import find_prompt
from lema.runs.folder import held
from lema.runs.prices import Price, Usage
from lema.runs.run import Run, Stage
from lema.runs.workload import workload
from lema.stages.sample import sample
from lema.statistics import t_quantile, wilson
from lema.training import require_one_process

LEVEL = 0.95
PILOT = estimate.PLACE
BYTES_A_TOKEN = 3  # of a prompt that was never sent


@dataclass(frozen=True)
class PilotRun(Run):
    """A run whose stages that differ from the full run's lie in a folder of their own."""

    full: dict[str, Stage] = dataclasses.field(default_factory=dict)

    def placed(self, stage: Stage) -> Stage:
        same = stage.name in self.full and self.full[stage.name].fingerprint == stage.fingerprint
        return stage if same else dataclasses.replace(stage, run=self.folder / PILOT)


def by_pilot(config: Config, table: dict, folder: Path, questions: int) -> list[estimate.Figure]:
    """Runs the pilot, as far as it was not run before, and scales it up."""
    from lema.pipeline import gathered
    from lema.runs.engine import find_engine
    from lema.runs.progress import display

    small = pilot_of(config, questions)
    pilot: dict[str, Stage] = {}
    full = stages_of(folder, config)
    require_one_process()
    check_files(config, full)
    look_ahead(config, full)
    with held(folder):
        (folder / PILOT).mkdir(exist_ok=True)
        if not (folder / "config.toml").exists():
            write_whole(folder / "config.toml", tomli_w.dumps(table))
        with display() as progress, closing(find_engine(folder, small, progress)) as engine:
            def perform(stages: Sequence[Stage]) -> None:
                pilot.update((stage.name, stage) for stage in stages)
                engine(stages)

            gathered(PilotRun(folder, perform, small, full=full), small)
    figures = []
    for name, stage in pilot.items():
        if workload(stage) and name in full:
            figures += _scaled(stage, full[name], *_units(stage, full), config)
    return figures


def pilot_of(config: Config, questions: int) -> Config:
    """The same config on few questions and without training: a later round's mistakes come from the sampled
    models."""
    few = {"limit": min(config.sample.limit or questions, questions)}
    cot = config.cot and config.cot.model_copy(update={"limit": min(config.cot.limit or questions, questions)})
    evolved = {name: table.model_copy(update={"seeds": min(table.seeds, questions), "students": ()})
               for name, table in config.evolve.items()}
    return config.model_copy(update={"sample": config.sample.model_copy(update=few), "cot": cot, "evolve": evolved,
                                     "train": None})


def _scaled(stage: Stage, full: Stage, run: int, pilot: int, config: Config) -> Iterator[estimate.Figure]:
    """What the pilot's stage came to, times how many more units (questions or seeds) the full run has."""
    usage = (stage.record() or {}).get("usage", {})
    if not usage:
        yield from _unseen(full, run, pilot, config)
        return
    written: Counter[str] = Counter()
    for row in stage:
        written[getattr(row, "question", None) or row.parent or row.id] += row.tokens
    interval, times = _interval(list(written.values()), pilot), run / max(1, pilot)
    followers = workload(full).followers
    # A budget is that of the model which is asked first; what follows its replies ends where these end.
    for model in sorted(usage, key=lambda model: model in followers):
        use, cap = Usage.read(usage[model]), math.inf if model in followers else estimate.cap_of(full)
        if use.tokens:
            times = min(times, cap / use.tokens)
        exact = times <= 1 or run <= pilot
        yield _figure(stage.name, model, use, times, (1.0, 1.0) if exact else interval, cap,
                      estimate.price_in_run(full, model, config))


def _units(stage: Stage, full: dict[str, Stage]) -> tuple[int, int]:
    """What the stage's work grows with, in the run and in the pilot: seeds where it belongs to an evolved round,
    else the questions that are asked."""
    origin = estimate.drafts_of(stage) or estimate.first_of(sample, estimate.line_of(stage))
    questions = origin.sources[0]
    return estimate.units_of(full[origin.name], questions), estimate.units_of(origin, questions)


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


def _unseen(stage: Stage, run: int, pilot: int, config: Config) -> Iterator[estimate.Figure]:
    """A stage that no unit of the pilot needed: as many as that leaves open may (Wilson), at max_tokens each."""
    settings, work = stage.settings, workload(stage)
    exact = run <= pilot or work.about is None
    share = 1.0 if exact else wilson(0, max(1, pilot)).high
    replies = run * share * (work.per_question or work.per_path)
    prompt = find_prompt(work.prompt, config.task.name).text if work.prompt else ""
    tokens = min(replies * settings.max_tokens, estimate.cap_of(stage))
    prompts = replies * (len(prompt) / BYTES_A_TOKEN + 2 * settings.max_tokens)
    for model in stage.models:
        price = estimate.price_in_run(stage, model, config)
        costs = (0.0, 0.0, price.of(prompts, tokens)) if price else estimate.UNPRICED
        yield estimate.Figure(stage.name, model, 0.0, 0.0, 0.0, 0.0, tokens + prompts, *costs,
                              estimate.is_here(price))


def _figure(stage: str, model: str, use: Usage, times: float, interval: tuple[float, float], cap: float,
            price: Price | None) -> estimate.Figure:
    tokens, prompts = times * use.tokens, times * use.prompt_tokens
    low, high = interval[0], min(interval[1], max(1.0, cap / tokens if tokens else 1.0))
    costs = estimate.UNPRICED
    if price:
        dollars = price.of(times * use.paid_prompt_tokens, times * use.paid_tokens)
        costs = (dollars, low * dollars, high * dollars)
    return estimate.Figure(stage, model, times * use.replies, prompts, tokens, low * (tokens + prompts),
                           high * (tokens + prompts), *costs, estimate.is_here(price))
