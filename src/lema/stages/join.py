"""Imported paths and corrections, as they lie in the run's folder since `lema import`.

    imports/theirs/paths.jsonl: {"model": "theirs", "text": "Step 1: …", …} → the same, to be graded with the rest

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
        hashes = file_hash(notes.with_name("paths.jsonl")), file_hash(notes.with_name("corrections.jsonl"))
        every.append(ImportConfig(name=notes.parent.name, content=content_id(*hashes), what=imported["what"],
                                  models=imported["models"]))
    return every


def join_paths(context: StageContext, settings: ImportConfig,
               questions: Iterable[Question]) -> Iterator[ReasoningPath]:
    """The imported paths, not graded yet. DataError where the question of one is no longer among those that
    the run may train on."""
    with IdTable(context.folder) as ids:
        for question in questions:
            if question.split == "train":
                ids.add(question.id)
        for path in read_rows(ReasoningPath, context.run_folder / "imports" / settings.name / "paths.jsonl"):
            if path.question not in ids:
                raise DataError(f"imports/{settings.name}: {path.prompt} is about no training question of "
                                "this run; remove that folder and import the file again")
            yield path


def join_corrections(context: StageContext, settings: ImportConfig) -> Iterator[Correction]:
    """The imported corrections, not verified yet."""
    yield from read_rows(Correction, context.run_folder / "imports" / settings.name / "corrections.jsonl")
