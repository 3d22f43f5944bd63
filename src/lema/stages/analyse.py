"""Tables beside the comparison, each counted from rows of earlier stages.

    scores, paths, corrections, … → {"name": "Answers", "columns": [["arm", "text"], …], "rows": [["cot", 180, …]]}

One design decision: every analysis of a run is made in one stage that asks no model, so that an analysis which is
changed or new costs nothing and makes nothing stale but the report.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lema.config import AnalyseConfig, Config, ScoreConfig
from lema.records import Account, Checkpoint, Correction, Question, ReasoningPath
from lema.report.analyses.answers import answer_tables
from lema.report.analyses.budgets import budget_tables
from lema.report.analyses.corrections import amount_table, correction_tables, places_table
from lema.report.analyses.likelihoods import perplexity_table
from lema.report.analyses.paths import open_questions, path_tables
from lema.report.analyses.test_sets import set_tables
from lema.report.tables import Table
from lema.runs.context import StageContext
from lema.statistics.scores import Comparison, Likelihood, Score

VERSION = 4


def analysing(config: Config, examinees: ScoreConfig) -> AnalyseConfig:
    """What the tables must know of the config."""
    own = config.task.name if config.train else ""
    elsewhere = []
    for name, table in config.evaluate.sets.items():
        if (table.task != own if table.out_of_distribution is None else table.out_of_distribution) and own:
            elsewhere.append(name)
    return AnalyseConfig(**examinees.model_dump(), temperature=config.evaluate.temperature, own=own,
                         out_of_distribution=tuple(elsewhere), headline=config.headline if config.arms else None)


def analyse(context: StageContext, settings: AnalyseConfig, scores: Iterable[Score],
            elsewhere: tuple[Iterable[Score], ...], comparisons: Iterable[Comparison],
            made: "Made | tuple" = ()) -> Iterator[Table]:
    """Every table that the run has rows for. `made` is all that a run with arms has beside (see `Made`)."""
    yield from set_tables(settings, scores, elsewhere, comparisons)
    yield from answer_tables(scores, settings.temperature)
    for name, rows in zip(settings.sets, elsewhere, strict=True):
        yield from answer_tables(rows, settings.temperature, name)
    if made:
        yield from _of_arms(context, settings, scores, Made(*made))


class Made(NamedTuple):
    """What a run with arms has: its questions, the graded paths and verified corrections of the first round (one
    or none), accounts, checkpoints, graded answers."""

    questions: Iterable[Question]
    graded: Iterable[ReasoningPath]
    verified: tuple[Iterable[Correction], ...]
    accounts: Iterable[Account]
    trained: tuple[Iterable[Checkpoint], ...]
    examined: Iterable[ReasoningPath]
    likely: tuple[Iterable[Likelihood], ...] = ()


def _of_arms(context: StageContext, settings: AnalyseConfig, scores: Iterable[Score],
             made: Made) -> Iterator[Table]:
    accounts = list(made.accounts)
    yield from budget_tables(settings, accounts, made.trained)
    with open_questions(context.folder, made.questions) as questions:
        yield from path_tables(settings, context.task, questions, made.examined)
        for verified in made.verified:
            yield from correction_tables(questions, made.graded, verified)
            yield from places_table(verified)
    yield from amount_table(accounts, scores)
    yield from perplexity_table(settings, made.likely)
