"""Imported paths and corrections, as they lie in the run's folder since `lema import`.

    imports/theirs/paths.jsonl: {"model": "theirs", "text": "Step 1: …", …} → the same, to be graded with the rest

One design decision: an import is an input like any other: its stage has a fingerprint of the imported content, so
that another import makes exactly what depends on it stale.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from lema.config import ImportConfig
from lema.errors import DataError
from lema.files import is_plain, read_plain
from lema.plugins import file_hash
from lema.records import Correction, Question, ReasoningPath, Record, content_id, read_rows
from lema.runs.context import StageContext
from lema.scratch import IdTable

VERSION = 1


class ImportNotes(BaseModel):
    """What an import.json must hold; there is more for people."""

    what: Literal["corrections", "paths"]
    models: tuple[str, ...]
    content: str = ""


def import_notes(run_folder: Path) -> Iterator[tuple[Path, ImportNotes]]:
    """Each import's folder and its notes, by name. DataError where the notes cannot be read."""
    for notes in sorted(run_folder.glob("imports/*/import.json")):
        try:
            imported = ImportNotes.model_validate_json(read_plain(notes))
            if not all(is_plain(notes.with_name(f"{rows}.jsonl")) for rows in ("paths", imported.what)):
                raise ValueError("its rows are missing, or a link in their place")
            yield notes.parent, imported
        except (OSError, ValueError) as error:
            raise DataError(f"{notes}: no notes of an import ({str(error).splitlines()[0]}); remove the folder "
                            f"{notes.parent} and import the file again") from None


def imports(run_folder: Path) -> list[ImportConfig]:
    """What was imported into a run (lema.commands.import_), by name."""
    every = []
    for place, notes in import_notes(run_folder):
        hashes = file_hash(place / "paths.jsonl"), file_hash(place / "corrections.jsonl")
        every.append(ImportConfig(name=place.name, content=content_id(*hashes), what=notes.what,
                                  models=notes.models))
    return every


def join_paths(context: StageContext, settings: ImportConfig,
               questions: Iterable[Question]) -> Iterator[ReasoningPath]:
    """The imported paths, not graded yet. DataError where the question of one is no longer among those that
    the run may train on."""
    with IdTable(context.folder) as ids:
        for question in questions:
            if question.split == "train":
                ids.add(question.id)
        for path in _imported(ReasoningPath, context, settings, "paths.jsonl"):
            if path.question not in ids:
                raise DataError(f"imports/{settings.name}: {path.prompt} is about no training question of "
                                "this run; remove that folder and import the file again")
            yield path


def join_corrections(context: StageContext, settings: ImportConfig) -> Iterator[Correction]:
    """The imported corrections, not verified yet."""
    yield from _imported(Correction, context, settings, "corrections.jsonl")


def _imported(kind: type[Record], context: StageContext, settings: ImportConfig, name: str) -> Iterator[Record]:
    """The rows of one of an import's files. DataError with what to do where one cannot be read."""
    place = context.run_folder / "imports" / settings.name
    try:
        yield from read_rows(kind, place / name)
    except (DataError, OSError) as error:
        raise DataError(f"{error}; remove the folder {place} and import the file again") from None
