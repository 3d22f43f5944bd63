"""The forms in which corrections and paths come: the rows of another run, prompt and completion as the LeMa
repository trains on them, the same as a conversation, or any file whose columns are named in the call.

One design decision: whatever the form, a row becomes the same four texts (question, path, correction, who wrote
them) with its file and line, or the reason why it does not; nothing else of a foreign file is trusted.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lema.errors import DataError
from lema.plugins import Settings, near_miss
from lema.printable import short
from lema.prompting import CUE, REWRITE_CUE
from lema.records import Correction, ReasoningPath, from_row, read_rows
from lema.scratch import by_id
from lema.tasks._files import read_file

_BLOCK = re.compile(r"(?P<question>.*)\n[^\n]{0,40}(?:Solution|Answer):\s*\{\n(?P<path>.*)\n\}\s*\Z", re.S)
_ANSWER_CUE = re.compile(r"\n[ \t]*(?:Solution|Answer|A)[ \t]*:[^\n]*\s*\Z")
_TURNS = (("messages", "role", "content"), ("conversations", "from", "value"))
_USER = ("user", "human")
_ASSISTANT = ("assistant", "gpt", "model")


class ImportColumns(Settings):
    """--column field=column: which column of the file holds what."""

    question: str = "question"
    path: str = "path"
    correction: str | None = None
    model: str | None = None
    corrector: str | None = None


class ForeignRow(NamedTuple):
    """One row: the question by its text, its id or the prompt that asks it, a path, and for corrections what was
    written of it. Where a row has not got these, `problem` says what is wrong with it."""

    place: str  # "file:line"
    question: str
    path: str = ""
    correction: str | None = None
    model: str | None = None
    corrector: str | None = None
    problem: str = ""


def read_foreign(file: Path, what: str, columns: ImportColumns | None) -> Iterator[ForeignRow]:
    """The rows of a file. Without `columns`: rows of a run (rows.jsonl), else prompt and completion, as two
    columns or as the turns of a conversation. DataError where the file has no such form or is damaged."""
    if file.is_dir():
        raise DataError(f"{file}: a folder; give a file in it, of a run for example {file}/verified/rows.jsonl")
    if not file.is_file():
        raise DataError(f"{file}: no such file")
    first = next(read_file(str(file))).values
    if columns is not None:
        return _named(file, what, columns, first)
    if {"question", "path", "reply"} <= first.keys():
        return _own_corrections(file, what)
    if {"question", "model", "text"} <= first.keys() and "index" in first:
        return _own_paths(file, what)
    turns = _turns(first)
    if turns is not None:
        return _prompted(file, turns, _corrected if what == "corrections" else _solved)
    raise DataError(f"{file}: columns {_shown(first)}: neither rows of a run nor prompt "
                    "and completion (or messages); name the columns, e.g. --column question=problem "
                    "--column path=solution")


def _named(file: Path, what: str, columns: ImportColumns, first: dict) -> Iterator[ForeignRow]:
    if what == "corrections" and columns.correction is None:
        raise DataError(f"{file}: corrections need --column correction=NAME beside question and path")
    wanted = columns.model_dump(exclude_none=True, exclude={"correction"} if what == "paths" else None)
    for field, column in wanted.items():
        if column not in first:
            raise DataError(f"{file}: no column {column!r} among {_shown(first)}; name it with --column "
                            f"{field}=NAME{near_miss(column, list(map(str, first)))}")
    for row in read_file(str(file)):
        texts = {field: row.values.get(column) for field, column in wanted.items()}
        for field, text in texts.items():
            if not isinstance(text, str) or not text.strip():
                problem = f"no text under {wanted[field]!r}"
                yield ForeignRow(row.short, str(texts["question"] or ""), problem=problem)
                break
        else:
            yield ForeignRow(row.short, **texts)


def _shown(columns: Iterable[str]) -> str:
    """The first names of columns, as a file may have any."""
    return ", ".join(map(short, islice(columns, 8)))


def _own_paths(file: Path, what: str) -> Iterator[ForeignRow]:
    if what != "paths":
        raise DataError(f"{file}: these are paths; import them with --as paths")
    for row in read_file(str(file)):
        path = from_row(ReasoningPath, json.dumps(row.values), row.place)
        yield ForeignRow(row.short, path.question, path.text, None, path.model)


def _own_corrections(file: Path, what: str) -> Iterator[ForeignRow]:
    """Corrections of another run; the wrong paths are in its graded rows beside them."""
    if what != "corrections":
        raise DataError(f"{file}: these are corrections; import them with --as corrections")
    graded = file.parent.parent / "graded" / "rows.jsonl"
    if not graded.is_file():
        raise DataError(f"{file}: the wrong paths that it corrects are not at {graded}; give the file in its run")
    wrong = (path for path in read_rows(ReasoningPath, graded) if path.verdict == "wrong")
    with by_id(None, ReasoningPath, wrong) as paths:
        for row in read_file(str(file)):
            correction = from_row(Correction, json.dumps(row.values), row.place)
            path = paths.get(correction.path)
            if path is None:
                raise DataError(f"{row.place}: its wrong path {correction.path} is not in {graded}")
            yield ForeignRow(row.short, path.question, path.text, correction.reply, path.model, correction.model)


Turns = Callable[[dict], tuple[str, str] | None]
"""From a row's columns to its prompt and completion, where it has them."""


def _turns(first: dict) -> Turns | None:
    """How to get the prompt and the completion of a row like the first; None for a row of another form."""
    for column, role, content in _TURNS:
        if column in first:
            return lambda row: _last_turns(row.get(column), role, content)
    if {"prompt", "completion"} <= first.keys():
        if isinstance(first["prompt"], list):
            return lambda row: _last_turns([*_list(row.get("prompt")), *_list(row.get("completion"))],
                                           "role", "content")
        return lambda row: _both(row.get("prompt"), row.get("completion"))
    return None


def _list(value: object) -> list:
    return value if isinstance(value, list) else []


def _last_turns(turns: object, role: str, content: str) -> tuple[str, str] | None:
    """What the user said last and what the assistant answered to that."""
    turns = [turn for turn in _list(turns) if isinstance(turn, dict)]
    if len(turns) < 2 or turns[-1].get(role) not in _ASSISTANT or turns[-2].get(role) not in _USER:
        return None
    return _both(turns[-2].get(content), turns[-1].get(content))


def _both(prompt: object, completion: object) -> tuple[str, str] | None:
    if not isinstance(prompt, str) or not isinstance(completion, str) or not completion.strip():
        return None
    return prompt.replace("\r\n", "\n"), completion


def _prompted(file: Path, turns: Turns, read: Callable[[str, str, str], ForeignRow]) -> Iterator[ForeignRow]:
    for row in read_file(str(file)):
        both = turns(row.values)
        yield read(row.short, *both) if both else ForeignRow(row.short, "", problem="no prompt with a completion")


def _corrected(place: str, prompt: str, completion: str) -> ForeignRow:
    """As the LeMa repository trains: the prompt ends in the question, the wrong path in braces and a cue, which
    the completion follows."""
    text = prompt.rstrip()
    cue = next(filter(text.endswith, (CUE, REWRITE_CUE)), "")
    block = _BLOCK.fullmatch(text.removesuffix(cue).rstrip())
    if block is None:
        return ForeignRow(place, prompt, problem="no correction: its prompt does not end in a question, a solution"
                                                 f' or answer in braces, and "{CUE}" or "{REWRITE_CUE}"')
    question = block["question"].rpartition("Question:")[2].strip()
    return ForeignRow(place, question, block["path"], cue + completion)


def _solved(place: str, prompt: str, completion: str) -> ForeignRow:
    """The question alone, where a prompt asks it behind "Question:"; else the prompt as it is."""
    if not _corrected(place, prompt, completion).problem:
        return ForeignRow(place, prompt, problem="a correction, no path: import it with --as corrections")
    _, cue, question = prompt.rpartition("Question:")
    if cue:
        prompt = _ANSWER_CUE.sub("", f"\n{question.strip()}").strip()
    return ForeignRow(place, prompt, completion)
