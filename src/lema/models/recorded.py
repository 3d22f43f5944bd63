"""Completions that the user already has: a JSONL of rollouts plays the model.

    [models.rollouts]
    backend = "recorded"
    file = "rollouts.jsonl"
    columns = { text = "solution" }
    {"question": "Leo has 15 pens …", "solution": "He has 15 - 6 = 9 pens."}
    → Completion("He has 15 - 6 = 9 pens.", "stop")

One design decision: a path is found by the question it answers, not by the prompt, so rollouts that were sampled
with any prompt and any tool can be graded and corrected. Texts stay in the file; only where they begin is kept, in
24 bytes each.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from lema import plugins
from lema.errors import DataError
from lema.messages import Completion, Request
from lema.records import Question, content_id

FINISHES = ("stop", "length", "content_filter")


class RolloutColumns(BaseModel):
    """Which column of a row holds what. Without `index`, a question's paths count in file order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = Field("text", description="what the model wrote")
    question: str = Field("question", description="the question's text, compared up to white space")
    id: str | None = Field(None, description="a column of question ids, used instead of the text")
    index: str | None = Field(None, description="which of the question's paths, from 0")
    finish: str | None = Field(None, description="stop, length or content_filter; stop where a row has none")


class Settings(plugins.Settings):
    """[models.X] with backend = "recorded"."""

    file: Path = Field(description="a JSONL file, one rollout per line")
    columns: RolloutColumns = RolloutColumns()
    where: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="only rows in which every named column has the given value are read")

    def files(self) -> tuple[Path, ...]:
        return (self.file,)


class Model:
    """The rollouts of one model. A request's `about` must hold the Question; its index picks the path."""

    runs_here = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        return {"backend": "recorded", "content": self._rows[0], "columns": self.settings.columns.model_dump(),
                "where": self.settings.where}

    def available(self, question: Question) -> int:
        """How many paths the file holds of a question."""
        return len(self._rows[1].of(self._name(question)))

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As every backend; a path that the file does not hold is a failure. DataError for a row gone bad."""
        places = self._rows[1]
        with self.settings.file.open("rb") as file:
            for request in requests:
                question = next((record for record in request.about if isinstance(record, Question)), None)
                paths = places.of(self._name(question)) if question else range(0)
                start = places.start(paths, request.index)
                if start is not None:
                    file.seek(start)
                    yield self._completion(self._row(file.readline(), str(self.settings.file)))
                else:
                    yield Completion("", f"error: no recorded path {request.index} for this question, which has "
                                         f"{len(paths)}")

    def _name(self, question: Question) -> str:
        return question.id if self.settings.columns.id else _by_text(question.text)

    @cached_property
    def _rows(self) -> tuple[str, "_Places"]:
        """The hash of the file, and where the row of every path begins."""
        columns = array("Q"), array("q"), array("q")
        digest, start = hashlib.sha256(), 0
        for number, line in enumerate(self._lines(), 1):
            digest.update(line)
            if line.strip() and (named := self._named(line, f"{self.settings.file}:{number}")):
                for column, value in zip(columns, (*named, start), strict=True):
                    column.append(value)
            start += len(line)
        if not columns[0]:
            where = f" with {self.settings.where}" if self.settings.where else ""
            raise DataError(f"{self.settings.file}: no row{where}; check the file and the `where` of its model")
        places = _Places(*columns)
        if (twice := places.twice()) is not None:
            index, start = twice
            number = 1 + list(accumulate(map(len, self._lines()), initial=0)).index(start)
            raise DataError(f"{self.settings.file}:{number}: a second path {index} of one question; `where` may "
                            "have to pick one model")
        return digest.hexdigest()[:16], places

    def _lines(self) -> Iterator[bytes]:
        try:
            with self.settings.file.open("rb") as file:
                yield from file
        except OSError as error:
            raise DataError(f"{self.settings.file}: {error.strerror}; `file` must be a JSONL file") from None

    def _named(self, line: bytes, place: str) -> tuple[int, int] | None:
        """(its question as a number, its index or -1) of a row; None where it is left out."""
        row = self._row(line, place)
        for name in self.settings.where:
            if name not in row:
                raise DataError(f"{place}: no column {name!r}, which `where` names")
        if any(row[name] != value for name, value in self.settings.where.items()):
            return None
        self._completion(row, place)
        columns = self.settings.columns
        question = _text(row, columns.id or columns.question, place)
        index = row.get(columns.index) if columns.index else 0
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 2**31:
            raise DataError(f"{place}: column {columns.index!r} must be a whole number from 0, not {index!r}")
        return _number(question if columns.id else _by_text(question)), index if columns.index else -1

    def _row(self, line: bytes, place: str) -> dict:
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{place}: not a JSON row ({error}); mend or remove the line") from None
        if not isinstance(row, dict):
            raise DataError(f"{place}: a row must be a JSON object; mend or remove the line")
        return row

    def _completion(self, row: dict, place: str = "") -> Completion:
        columns = self.settings.columns
        finish = (row.get(columns.finish) if columns.finish else None) or "stop"
        if finish not in FINISHES:
            raise DataError(f"{place}: column {columns.finish!r} is {finish!r}, not one of {', '.join(FINISHES)}")
        return Completion(_text(row, columns.text, place), finish)


class _Places:
    """Where paths begin, found by their question's number and their index: 24 bytes each."""

    def __init__(self, questions: array, indices: array, starts: array) -> None:
        import numpy as np

        self._find = np.searchsorted
        questions, indices, starts = (np.frombuffer(column, column.typecode) for column in (
            questions, indices, starts))
        order = np.lexsort((indices, questions))  # keeps the file's order among equals
        self._questions, self._starts, indices = questions[order], starts[order], indices[order]
        in_order = np.arange(len(order)) - np.searchsorted(self._questions, self._questions)
        self._indices = np.where(indices < 0, in_order, indices)

    def of(self, question: str) -> range:
        """The places of a question's paths."""
        low, high = (int(self._find(self._questions, self._questions.dtype.type(_number(question)), side))
                     for side in ("left", "right"))
        return range(low, high)

    def start(self, paths: range, index: int) -> int | None:
        """Where the path with this index begins; None where there is none."""
        place = paths.start + int(self._find(self._indices[paths.start:paths.stop], index))
        return int(self._starts[place]) if place in paths and self._indices[place] == index else None

    def twice(self) -> tuple[int, int] | None:
        """(index, start) of the first path that is the second of its index."""
        same = (self._questions[1:] == self._questions[:-1]) & (self._indices[1:] == self._indices[:-1])
        again = same.nonzero()[0] + 1
        first = min(again, key=lambda place: self._starts[place], default=None)
        return None if first is None else (int(self._indices[first]), int(self._starts[first]))


def _number(name: str) -> int:
    return int(content_id(name), 16)


def _by_text(question: str) -> str:
    return content_id(" ".join(question.split()))


def _text(row: dict, column: str, place: str) -> str:
    value = row.get(column)
    if not isinstance(value, str):
        problem = "is no text" if column in row else f"is missing; the row has {', '.join(row)}"
        raise DataError(f"{place}: column {column!r} {problem}; name the right one in `columns`")
    return value
