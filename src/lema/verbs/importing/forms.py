"""The forms in which corrections and paths come: the rows of another run, prompt and completion as the LeMa
repository trains on them, or any file whose columns are named in the call.

One design decision: whatever the form, a row becomes the same four texts (question, path, correction, who wrote
them) with its file and line; nothing else of a foreign file is trusted.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lema.errors import DataError
from lema.prompting import CUE
from lema.records import Correction, ReasoningPath, from_row, read_rows
from lema.seams import Settings
from lema.shelf import Shelf
from lema.tasks._files import Row, read_file

_BLOCK = re.compile(r"(?P<question>.*?)\n[^\n]{0,40}Solution:\s*\{\n(?P<path>.*)\n\}\s*\Z", re.S)


class Columns(Settings):
    """--column field=column: which column of the file holds what."""

    question: str = "question"
    path: str = "path"
    correction: str | None = None
    model: str | None = None
    corrector: str | None = None


class Found(NamedTuple):
    """One row: the question by its text or id, a path, and for corrections what was written of it."""

    place: str  # "file:line"
    question: str
    path: str
    correction: str | None
    model: str | None = None
    corrector: str | None = None


def read_found(file: Path, what: str, columns: Columns | None) -> Iterator[Found]:
    """The rows of a file. Without `columns`: rows of a run (rows.jsonl), else prompt and completion. DataError."""
    if not file.is_file():
        raise DataError(f"{file}: no such file")
    if columns is not None:
        return _named(file, what, columns)
    first = next((row.values for row in read_file(str(file))), None)
    if first is None:
        raise DataError(f"{file}: empty")
    if {"question", "path", "reply"} <= first.keys():
        return _own_corrections(file, what)
    if {"question", "model", "text"} <= first.keys() and "index" in first:
        return _own_paths(file, what)
    if what == "corrections" and {"prompt", "completion"} <= first.keys():
        return _prompt_completion(file)
    raise DataError(f"{file}: columns {', '.join(map(str, list(first)[:8]))}: neither rows of a run nor prompt "
                    "and completion; name the columns, e.g. --column question=problem --column path=solution")


def _named(file: Path, what: str, columns: Columns) -> Iterator[Found]:
    if what == "corrections" and columns.correction is None:
        raise DataError(f"{file}: corrections need --column correction=NAME beside question and path")
    for row in read_file(str(file)):
        yield Found(row.short, _text(row, columns.question), _text(row, columns.path),
                    _text(row, columns.correction) if what == "corrections" else None,
                    _text(row, columns.model) if columns.model else None,
                    _text(row, columns.corrector) if columns.corrector else None)


def _text(row: Row, column: str) -> str:
    value = row.values.get(column)
    if not isinstance(value, str) or not value.strip():
        raise DataError(f"{row.place}: no text under {column!r}; name another column or mend the row")
    return value


def _own_paths(file: Path, what: str) -> Iterator[Found]:
    if what != "paths":
        raise DataError(f"{file}: these are paths; import them with --as paths")
    for row in read_file(str(file)):
        path = from_row(ReasoningPath, json.dumps(row.values), row.place)
        yield Found(row.short, path.question, path.text, None, path.model)


def _own_corrections(file: Path, what: str) -> Iterator[Found]:
    """Corrections of another run; the wrong paths are in its graded rows beside them."""
    if what != "corrections":
        raise DataError(f"{file}: these are corrections; import them with --as corrections")
    graded = file.parent.parent / "graded" / "rows.jsonl"
    if not graded.is_file():
        raise DataError(f"{file}: the wrong paths that it corrects are not at {graded}; give the file in its run")
    with Shelf(None, ReasoningPath) as paths:
        paths.fill((path.id, path) for path in read_rows(ReasoningPath, graded) if path.verdict == "wrong")
        for row in read_file(str(file)):
            correction = from_row(Correction, json.dumps(row.values), row.place)
            path = paths.get(correction.path)
            if path is None:
                raise DataError(f"{row.place}: its wrong path {correction.path} is not in {graded}")
            yield Found(row.short, path.question, path.text, correction.reply, path.model, correction.model)


def _prompt_completion(file: Path) -> Iterator[Found]:
    """As the LeMa repository trains: the prompt ends in the question, the numbered wrong path in braces and the
    cue, the completion begins with the wrong step."""
    for row in read_file(str(file)):
        prompt, completion = _text(row, "prompt"), _text(row, "completion")
        block = _BLOCK.fullmatch(prompt.replace("\r\n", "\n").rstrip().removesuffix(CUE).rstrip()
                                 .rpartition("Question:")[2])
        if block is None:
            raise DataError(f"{row.place}: its prompt does not end in a question, a solution in braces and "
                            f"{CUE!r}; rows without a correction do not belong into this file")
        yield Found(row.short, block["question"].strip(), block["path"], CUE + completion)
