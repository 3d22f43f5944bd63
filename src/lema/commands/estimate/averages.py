"""The estimate from averages that the user already has: every stage's requests are counted by the config.

One design decision: nothing is asked; the share of wrong paths stands for what a pilot would tell, and the range
ends where every reply is as long as max_tokens.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from lema.commands.estimate.figure import UNPRICED, Figure, cap_of, drafts_of, is_here, price_in_run, units_of
from lema.commands.run_folder import folder_for, stages_of
from lema.config import Config
from lema.records import Question
from lema.runs.prices import Price
from lema.runs.run import Stage
from lema.runs.workload import workload
from lema.stages.grade import grade
from lema.stages.sample import sample
from lema.stages.train import train
from lema.tasks import find_task


@dataclass(frozen=True)
class Averages:
    """What the user already knows, instead of a pilot."""

    prompt_tokens: float
    tokens: float
    wrong: float  # share of sampled paths that are mistakes


def by_averages(config: Config, runs: Path, averages: Averages) -> list[Figure]:
    """Every stage's requests counted by the config, with the given averages; the interval ends at max_tokens."""
    task = find_task(config.task.name, config.task.own)
    rows = []
    for split in task.splits:
        for question in task.questions(split):  # without the texts: counting looks at split and solution only
            rows.append(dataclasses.replace(question, text="", answer="", source="",
                                            solution=question.solution and "-"))
    figures = []
    for stage in stages_of(folder_for(config, runs), config).values():
        if workload(stage) and not _asks_trained(stage):
            count, most = _requests(stage, rows, averages.wrong)
            for model in stage.models:
                figures.append(_given(stage, model, count, most, averages, price_in_run(stage, model, config)))
    return figures


def _asks_trained(stage: Stage) -> bool:
    """Whether it asks a model that is trained in the run: such are examined on this machine."""
    return any(isinstance(given, Stage) and given.verb is train for given in stage.models.values())


def _requests(stage: Stage, questions: list[Question], wrong: float) -> tuple[float, float]:
    """How many requests a stage will make, and the most that it can; `wrong` is the share of wrong paths."""
    work, drafts = workload(stage), drafts_of(stage)
    if work.about is None:
        count = units_of(drafts or stage, questions) * work.per_question
        return count, count
    (graded,) = (source for source in stage.sources if source.verb is grade)
    sampling = [source for source in graded.sources if source.verb is sample]
    paths = sum(_requests(each, questions, wrong)[1] for each in sampling)
    most = paths
    if work.per_question is not None:
        most = min(paths, work.per_question * units_of(drafts or sampling[0], questions))
    share = wrong if work.about == "wrong" else 1 - wrong
    return min(share * paths, most), most


def _given(stage: Stage, model: str, count: float, most: float, averages: Averages, price: Price | None) -> Figure:
    cap, limit = cap_of(stage), stage.settings.max_tokens
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
