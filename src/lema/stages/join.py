"""Imported paths and corrections, as they lie in the run's folder since `lema import`.

One design decision: an import is an input like any other: its stage has a fingerprint of the imported content, so
that another import makes exactly what depends on it stale.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from lema.config import ImportConfig
from lema.errors import DataError
from lema.plugins import file_hash
from lema.records import Correction, Question, ReasoningPath, content_id, read_rows
from lema.runs.context import StageContext
from lema.scratch import IdTable

VERSION = 1


def imports(run_folder: Path) -> list[ImportConfig]:
    """What was imported into a run (lema.commands.import_), by name."""
    every = []
    for notes in sorted(run_folder.glob("imports/*/import.json")):
        imported = json.loads(notes.read_text(encoding="utf-8"))
        rows = (file_hash(notes.parent / f"{kind}.jsonl") for kind in ("paths", "corrections"))
        every.append(ImportConfig(name=notes.parent.name, content=content_id(*rows), what=imported["what"],
                                  models=imported["models"]))
    return every


def join_paths(context: StageContext, settings: ImportConfig, questions: Iterable[Question]) -> Iterator[ReasoningPath]:
    """The imported paths, not graded yet. DataError where the run no longer has the question of one."""
    with IdTable(context.folder) as known:
        for question in questions:
            known.add(question.id)
        for path in read_rows(ReasoningPath, context.run_folder / "imports" / settings.name / "paths.jsonl"):
            if path.question not in known:
                raise DataError(f"imports/{settings.name}: {path.prompt} is about a question that this run has no "
                                "more; remove that folder and import the file again")
            yield path


def join_corrections(context: StageContext, settings: ImportConfig) -> Iterator[Correction]:
    """The imported corrections, not verified yet."""
    yield from read_rows(Correction, context.run_folder / "imports" / settings.name / "corrections.jsonl")
