"""Question files: rows of JSONL, CSV, TSV (each also packed, .gz) or Parquet, each with the place it stands at.

One design decision: a row keeps its "file:line" from the first moment, so that every complaint about it can say
where it is; files are read row by row.
"""

import csv
import dataclasses
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from lema.errors import ConfigError, DataError, installing
from lema.grading import read_value
from lema.records import Question, content_id
from lema.replies import answer_sentence, number_steps, split_steps

_QUESTION = re.compile(r"(?:\A|\n)(?:Question|Q):[ \t]*(.*?)\s*(?=\n(?:Candidate Answers|Answer|A):|\Z)", re.S)
_STATED = "The answer is "
SEPARATORS = {";": "semicolon", "\t": "tab", ",": "comma", "|": "vertical bar"}


class FileRow(NamedTuple):
    """One row as it stands in a file; `place` is "file:line", `short` the same without folders."""

    place: str
    short: str
    values: dict


def read_file(path: str) -> Iterator[FileRow]:
    """The rows of a question file, by its ending: .csv, .tsv, .parquet, else JSON lines; text may be packed (.gz).
    DataError says file and line."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"{path}: no such file; check the [task] table (paths start at the current folder)")
    number = None
    try:
        for number, values in (_parquet(file) if file.suffix == ".parquet" else _text(path, file)):
            yield FileRow(f"{path}:{number}", f"{file.name}:{number}", values)
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 text; save it as UTF-8 JSON lines, CSV or TSV, or as .gz or .parquet "
                        "with that ending") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}); check the "
                        "file") from None
    if number is None:
        raise DataError(f"{path}: empty; give a file with at least one row")


def _text(path: str, file: Path) -> Iterator[tuple[int, dict]]:
    name = file.name.removesuffix(".gz")
    table = name.endswith((".csv", ".tsv"))
    unpack = gzip.open if name != file.name else open
    with unpack(file, "rt", encoding="utf-8-sig", newline="" if table else None) as lines:
        yield from (_tabular if table else _json_lines)(path, lines)


def _parquet(file: Path) -> Iterator[tuple[int, dict]]:
    """Rows are counted from 1. DataError where it is no Parquet file."""
    try:
        from pyarrow import ArrowException, RecordBatch
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise ConfigError(f"{file}: Parquet needs pyarrow; {installing('train')}") from None
    try:
        with ParquetFile(file) as table:
            batches = map(RecordBatch.to_pylist, table.iter_batches(1_000))
            yield from enumerate(chain.from_iterable(batches), 1)
    except ArrowException as error:
        reason = str(error).splitlines()[0][:100]
        raise DataError(f"{file}: no Parquet file ({reason}); check its ending") from None


def text_of(row: FileRow, column: str, kind: str) -> str:
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


def worked_steps(worked: str, answer: str) -> str | None:
    """A worked solution as numbered steps, the last one stating the answer; None where it has no step."""
    steps = split_steps(worked)
    return number_steps((*steps, answer_sentence(answer))) if steps else None


def number_question(row: FileRow, split: str, text: str, worked: str, answer: str) -> Question:
    """The question of a row whose answer is a number, with its worked solution in steps. DataError names the row
    where the answer is none."""
    if read_value(answer) is None:
        raise DataError(f"{row.place}: the answer {answer[:40]!r} is not a number; mend the row or take it out")
    return Question(text=text, answer=answer, solution=worked_steps(worked, answer), split=split, source=row.short)


def once(questions: Iterable[tuple[FileRow, object, Question]]) -> Iterator[Question]:
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


def numbered(questions: Iterable[tuple[FileRow, object, Question]]) -> Iterator[Question]:
    """The questions; one that stands in the file again is kept as a question of its own, with an id of its own."""
    seen: dict[str, int] = {}
    for _, _, question in questions:
        times = seen[question.id] = seen.get(question.id, 0) + 1
        yield question if times == 1 else dataclasses.replace(question, id=content_id(question.id, times))


def held_out(rows: Iterable[FileRow], columns: Sequence[str], count: int) -> set[str]:
    """The places of `count` rows that the content of `columns` alone chooses, so that the order of the file does
    not matter."""
    order = []
    for row in rows:
        contents = map(str, map(row.values.get, columns))
        order.append((content_id("dev", *contents), row.place))
    if count >= len(order):
        raise DataError(f"dev = {count}, but the training file has {len(order)} rows; hold out fewer")
    return {place for _, place in sorted(order)[:count]}


def published(dataset: str, subset: str | None, split: str) -> Iterator[FileRow]:
    """The rows of a Hugging Face dataset's split; downloads it when it is not yet in its cache."""
    try:
        from datasets import load_dataset
    except ImportError:
        raise ConfigError(f"task.dataset: {dataset!r} needs the package datasets; {installing('train')}, "
                          "or give local files") from None
    try:
        table = load_dataset(dataset, subset, split=split)
    except Exception as error:  # the library raises what its parts raise: network, hub, builder, file errors
        raise DataError(f"dataset {dataset!r}, split {split!r}: {str(error).splitlines()[0][:200]}; check the id, "
                        "`subset` and `splits`, or give local files") from None
    for number, values in enumerate(table):
        place = f"{dataset}/{split}:{number}"
        yield FileRow(place, place, values)


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
    tabs = path.removesuffix(".gz").endswith(".tsv")
    table = csv.reader(lines, delimiter="\t" if tabs else ",", strict=True)
    header: list[str] | None = None
    try:
        for cells in table:
            if header is None:
                header = _header(path, cells, "\t" if tabs else ",")
            elif cells:
                if len(cells) != len(header):
                    raise DataError(f"{path}:{table.line_num}: {len(cells)} cells under {len(header)} columns; "
                                    "quote a cell that holds a comma")
                yield table.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DataError(f"{path}:{table.line_num}: not a table row ({error}); mend the quoting") from None


def _header(path: str, cells: list[str], separator: str) -> list[str]:
    """The names of the columns. DataError where they stand in one cell because something else separates them."""
    other = next((mark for mark in SEPARATORS if len(cells) == 1 and mark in cells[0]), None)
    if other:
        raise DataError(f"{path}:1: a {SEPARATORS[other]} stands between the columns; save the file with a "
                        f"{SEPARATORS[separator]} there, or as JSON lines")
    return list(map(str.strip, cells))


def is_lema(row: FileRow) -> bool:
    """Whether it is a row of the LeMa repository's own test files, {"prompt", "completion"}, with choices also
    "answer" and "candidates"."""
    return "prompt" in row.values and ("completion" in row.values or "candidates" in row.values)


def lema_row(row: FileRow) -> tuple[str, str, str]:
    """(question, worked text or "", answer) of a row whose completion must end in the answer sentence."""
    worked, stated, answer = text_of(row, "completion", "question without an answer").rpartition(_STATED)
    answer = answer.strip().removesuffix(".").strip()
    if not stated or not answer:
        raise DataError(f'{row.place}: question without an answer; its completion must end in "{_STATED}N."')
    return lema_question(row), worked.strip(), answer


def lema_question(row: FileRow) -> str:
    """The question that a prompt asks, without its instruction, its candidates and its cue; so it has the text,
    and the id, that it has in its first source."""
    prompt = text_of(row, "prompt", "no question")
    question = _QUESTION.search(prompt)
    return question[1] if question and question[1] else prompt
