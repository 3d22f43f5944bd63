"""Whatever stands in a journal's cells or pages, no text is given back that was not written under its key, and
every command of `lema journal` ends well or in one line: python tests/fuzz/journal.py --seconds 60

An input is a list of [table, row, column, value] to write into cells, or else three bytes each of a place and of
the bits to turn there.
"""

import contextlib
import json
import shutil
import sqlite3
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lema.commands.journal import forget, merge, stats, vacuum
from lema.commands.journal.mend import mend
from lema.commands.why import explain
from lema.config import Config, parse_config
from lema.errors import LemaError
from lema.journal import Journal, complete, spent_in
from lema.journal.jobs import Job
from lema.journal.usage import CEILING
from lema.journal.waiting import call_of
from lema.messages import Completion
from tests.answering import Echo, ask
from tests.fuzz.mutating import Target, home, main

REQUESTS = [ask(f"question {number}", number % 2) for number in range(12)]
IDENTITY = {"model": "echo"}
EDITS = [
    [["completions", 1, "text", "another text"], ["completions", 2, "tokens", -5]],
    [["completions", 3, "key", None], ["failures", 1, "prompt_tokens", "many"], ["failures", 1, "share", "x"]],
    [["jobs", 1, "state", "x"], ["jobs", 1, "requests", "00"], ["jobs", 1, "owner", 1.5]],
    [["requests", 1, "facts", "{}"], ["requests", 2, "hash", ""], ["completions", 4, "finish", "error: x"]],
    [["completions", 5, "model", 3], ["failures", 1, "model", None], ["completions", 6, "checksum", None]],
    [["completions", 7, "created", "soon"], ["completions", 8, "path", []], ["failures", 1, "created", 1e308]]]
SEEDS = (*(json.dumps(edit).encode() for edit in EDITS), b"\x10\x00\x01", bytes(range(90)), b"\x00\x12\xff" * 9)
PIECES = (*(json.dumps(name).encode() for name in (
    "completions", "failures", "requests", "jobs", "key", "text", "finish", "checksum", "share", "facts",
    "reckoned", "hash", "created", "owner", "state", "batch", "model", "path")), b'{"hex": "ff00"}',
    b"9223372036854775807")
HOME = home()
RUN = HOME / "run"


@cache
def whole() -> tuple[bytes, dict[bytes, Completion]]:
    """A journal of every kind of row, and what it holds by key."""
    path = HOME / "whole.sqlite"
    with Journal(path) as journal:
        rows = list(complete(journal, Echo(), REQUESTS))
        journal.put(call_of(IDENTITY, ask("failed")), Completion("half", "error: 500", 3, 4)).result()
        job = Job("batch-1", ("ab" * 16, "cd" * 16), "created", "file-1", "batch-1", owner=1)
        journal.jobs(IDENTITY).note(job)
    keys = [call_of(IDENTITY, request).key for request in REQUESTS]
    return path.read_bytes(), dict(zip(keys, rows, strict=True))


@cache
def config() -> Config:
    """That of a run which asks what the journal holds."""
    (HOME / "q.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    model = {"backend": "api", "model": "echo", "base_url": "http://127.0.0.1:1"}
    return parse_config({"name": "x", "task": {"name": "rows", "train": str(HOME / "q.jsonl")},
                         "sample": {"models": ["m"]}, "models": {"m": model}}, "x")


def check(data: bytes) -> None:
    """Changes a journal and does with it all that is done with one. AssertionError for a broken promise."""
    content, written = whole()
    shutil.rmtree(RUN, ignore_errors=True)
    RUN.mkdir()
    path = RUN / "journal.sqlite"
    path.write_bytes(content)
    _change(path, data)
    damaged = path.read_bytes()
    assert all(isinstance(row, tuple) for row in spent_in(path))
    _open(path, written)
    with _one_line():
        json.loads(stats(RUN, config(), as_json=True))
        stats(RUN, config(), as_json=False)
    with _one_line():
        explain(RUN, config(), None)
    for act in (forget, vacuum):
        with _one_line():
            act(RUN)
    (HOME / "other").mkdir(exist_ok=True)
    for mine, theirs in ((content, damaged), (damaged, content)):
        (HOME / "other/journal.sqlite").write_bytes(theirs)
        path.write_bytes(mine)
        with _one_line():
            merge(RUN, HOME / "other")
            _open(path, written)
    path.write_bytes(damaged)
    mend(RUN)
    assert _open(path, written), "a mended journal can be opened"


def _open(path: Path, written: dict[bytes, Completion]) -> bool:
    """Reads and asks; whether the journal could be opened at all."""
    with _one_line(), Journal(path) as journal:
        for key, completion in journal.kept(list(written)).items():
            assert replace(completion, reckoned=False) == written[key], completion
        for model, replies, *figures in journal.spent():
            assert isinstance(model, str) and replies > 0
            assert all(0 <= figure <= 2 * replies * CEILING for figure in figures), figures
        journal.has_text_of("echo")
        journal.jobs(IDENTITY).open()
        assert [row.text for row in complete(journal, Echo(), REQUESTS)] == [row.text for row in written.values()]
        return True
    return False


@contextlib.contextmanager
def _one_line():
    try:
        yield
    except LemaError as error:
        assert "\n" not in str(error) and str(error), error


def _change(path: Path, data: bytes) -> None:
    try:
        edits = json.loads(data)
    except (ValueError, RecursionError):
        content = bytearray(path.read_bytes())
        for at in range(0, min(len(data) - 2, 300), 3):
            content[int.from_bytes(data[at:at + 2], "big") % len(content)] ^= data[at + 2]
        path.write_bytes(content)
        return
    with contextlib.closing(sqlite3.connect(path)) as file:
        for edit in edits if isinstance(edits, list) else ():
            if isinstance(edit, list) and len(edit) == 4 and isinstance(edit[2], str):
                with contextlib.suppress(sqlite3.Error, ValueError, OverflowError, TypeError):
                    table, row, column, value = edit
                    known = {name for name, in file.execute("SELECT name FROM pragma_table_info(?)", (table,))}
                    if column in known:
                        file.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (_cell(value), row))
                        file.commit()


def _cell(value: object) -> object:
    if isinstance(value, dict) and isinstance(value.get("hex"), str):
        return bytes.fromhex(value["hex"])
    return json.dumps(value) if isinstance(value, dict | list) else value


TARGET = Target("journal", SEEDS, check, PIECES)

if __name__ == "__main__":
    main(TARGET)
