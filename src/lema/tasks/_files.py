"""Question files: rows of JSONL, CSV or TSV, each with the place it stands at.

One design decision: a row keeps its "file:line" from the first moment, so that every complaint about it can say
where it is; files are read row by row.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lema.errors import DataError
from lema.records import Question, content_id


class Row(NamedTuple):
    """One row as it stands in a file; `place` is "file:line", `short` the same without folders."""

    place: str
    short: str
    values: dict


def read_file(path: str) -> Iterator[Row]:
    """The rows of a question file, by its ending: .csv, .tsv, else JSON lines. DataError says file and line."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"{path}: no such file; check the [task] table (paths start at the current folder)")
    try:
        with file.open(encoding="utf-8-sig", newline="" if file.suffix in (".csv", ".tsv") else None) as lines:
            read = _tabular if file.suffix in (".csv", ".tsv") else _json_lines
            for number, values in read(path, lines):
                yield Row(f"{path}:{number}", f"{file.name}:{number}", values)
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check the file") from None


def text_of(row: Row, column: str, kind: str) -> str:
    """The text of a column that must be filled. DataError where it is missing, empty or no text."""
    value = row.values.get(column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise DataError(f"{row.place}: {column} is {json.dumps(value)[:40]}; it must be text or a number")
    text = "" if value is None else str(value).strip()
    if not text:
        raise DataError(f"{row.place}: {kind}; fill in {column!r} or take the row out")
    return text


def once(questions: Iterable[tuple[Row, object, Question]]) -> Iterator[Question]:
    """The questions of (row, its own id or None, question). DataError where an id or a question stands twice."""
    ids: dict[str, str] = {}
    texts: dict[str, str] = {}
    for row, own_id, question in questions:
        if own_id is not None and (first := ids.setdefault(str(own_id), row.place)) != row.place:
            raise DataError(f"{row.place}: id {own_id!r} stands at {first} too; ids must be unique")
        key = content_id(" ".join(question.text.split()))
        if (first := texts.setdefault(key, row.place)) != row.place:
            raise DataError(f"{row.place}: the same question as {first}; take one of them out")
        yield question


def held_out(rows: Iterable[Row], column: str, count: int) -> set[str]:
    """The places of `count` rows that content alone chooses, so that the order of the file does not matter."""
    order = sorted((content_id("dev", str(row.values.get(column))), row.place) for row in rows)
    if count >= len(order):
        raise DataError(f"dev = {count}, but the training file has {len(order)} rows; hold out fewer")
    return {place for _, place in order[:count]}


def _json_lines(path: str, lines: Iterable[str]) -> Iterator[tuple[int, dict]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{number}: not JSON ({error}); every line must be one JSON object") from None
        if not isinstance(values, dict):
            raise DataError(f"{path}:{number}: not a JSON object; every line must be one, like "
                            '{"question": ..., "answer": ...}')
        yield number, values


def _tabular(path: str, lines: Iterable[str]) -> Iterator[tuple[int, dict]]:
    table = csv.reader(lines, delimiter="\t" if path.endswith(".tsv") else ",", strict=True)
    header: list[str] | None = None
    try:
        for cells in table:
            if header is None:
                header = [name.strip() for name in cells]
            elif cells:
                if len(cells) != len(header):
                    raise DataError(f"{path}:{table.line_num}: {len(cells)} cells under {len(header)} columns; "
                                    "quote a cell that holds a comma")
                yield table.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{path}:{table.line_num}: not a table row ({error}); mend the quoting") from None
