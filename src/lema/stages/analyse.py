"""Tables beside the comparison, each counted from rows of earlier stages.

    scores, paths, corrections, … → {"name": "Answers", "columns": [["arm", "text"], …], "rows": [["cot", 180, …]]}

One design decision: every analysis of a run is made in one stage that asks no model, so that an analysis which is
changed or new costs nothing and makes nothing stale but the report.
"""

from collections.abc import Iterable, Iterator

from lema.config import AnalyseConfig, Config
from lema.report.analyses.answers import answer_tables
from lema.report.tables import Table
from lema.runs.context import StageContext
from lema.statistics.scores import Score

VERSION = 1


def analysing(config: Config) -> AnalyseConfig:
    """What the tables must know of the config."""
    return AnalyseConfig(temperature=config.evaluate.temperature)


def analyse(context: StageContext, settings: AnalyseConfig, scores: Iterable[Score]) -> Iterator[Table]:
    """Every table that the run has rows for."""
    yield from answer_tables(scores, settings.temperature)
