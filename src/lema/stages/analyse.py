"""Tables beside the comparison, each counted from rows of earlier stages.

    scores, paths, corrections, … → {"name": "Answers", "columns": [["arm", "text"], …], "rows": [["cot", 180, …]]}

One design decision: every analysis of a run is made in one stage that asks no model, so that an analysis which is
changed or new costs nothing and makes nothing stale but the report.
"""

from collections.abc import Iterable, Iterator

from lema.config import AnalyseConfig, Config, ScoreConfig
from lema.report.analyses.answers import answer_tables
from lema.report.analyses.test_sets import set_tables
from lema.report.tables import Table
from lema.runs.context import StageContext
from lema.statistics.scores import Comparison, Score

VERSION = 1


def analysing(config: Config, examinees: ScoreConfig) -> AnalyseConfig:
    """What the tables must know of the config."""
    own = config.task.name if config.train else ""
    elsewhere = []
    for name, table in config.evaluate.sets.items():
        if (table.task != own if table.out_of_distribution is None else table.out_of_distribution) and own:
            elsewhere.append(name)
    return AnalyseConfig(**examinees.model_dump(), temperature=config.evaluate.temperature, own=own,
                         out_of_distribution=tuple(elsewhere))


def analyse(context: StageContext, settings: AnalyseConfig, scores: Iterable[Score],
            elsewhere: tuple[Iterable[Score], ...], comparisons: Iterable[Comparison]) -> Iterator[Table]:
    """Every table that the run has rows for."""
    yield from set_tables(settings, scores, elsewhere, comparisons)
    yield from answer_tables(scores, settings.temperature)
    for name, rows in zip(settings.sets, elsewhere, strict=True):
        yield from answer_tables(rows, settings.temperature, name)
