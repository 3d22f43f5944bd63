"""Imported paths and corrections, as they lie in the run's folder since `lema import`.

One design decision: an import is an input like any other: its stage has a fingerprint of the imported content, so
that another import makes exactly what depends on it stale.
"""

from collections.abc import Iterable, Iterator

from lema.config import ImportConfig
from lema.errors import DataError
from lema.records import Correction, Question, ReasoningPath, read_rows
from lema.runs.context import StageContext
from lema.scratch import IdTable

VERSION = 1


def join_paths(context: StageContext, settings: ImportConfig, questions: Iterable[Question]) -> Iterator[ReasoningPath]:
    """The imported paths, not graded yet. DataError where the run no longer has the question of one."""
    with IdTable(context.folder) as known:
        for question in questions:
            known.add(question.id)
        for path in read_rows(ReasoningPath, context.stage.run / "imports" / settings.name / "paths.jsonl"):
            if path.question not in known:
                raise DataError(f"imports/{settings.name}: {path.prompt} is about a question that this run has no "
                                "more; remove that folder and import the file again")
            yield path


def join_corrections(context: StageContext, settings: ImportConfig) -> Iterator[Correction]:
    """The imported corrections, not verified yet."""
    yield from read_rows(Correction, context.stage.run / "imports" / settings.name / "corrections.jsonl")
