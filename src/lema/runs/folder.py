"""A run's folder: who holds it, and the record that makes a stage's folder a finished one.

One design decision: locks are the kernel's (flock), so that none outlives the process that held it, however that
process ended.
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from lema.checkpoints import made_hash
from lema.errors import RunError
from lema.files import is_plain, make_folder, open_lock, read_plain, write_whole
from lema.plugins import file_hash

WORKERS_GONE_SECONDS = 30


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds the run folder for this process; RunError names the process that already holds it."""
    try:
        make_folder(folder)
        lock = open_lock(folder / "lock")
    except OSError as error:
        raise RunError(f"{folder}: cannot be written ({error.strerror}); choose another place with "
                       "--runs DIR") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            raise RunError(f"{folder}: process {lock.read().strip() or '?'} is working on this run; wait for it, "
                           "stop it, or give this run another name with --set name=x") from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _wait_for_workers(folder)
        yield


def _lock_of_workers(folder: Path) -> TextIO:
    try:
        return open_lock(folder / "lock.workers")
    except OSError as error:
        raise RunError(f"{folder}: cannot be written ({error.strerror}); mend that and run it again") from None


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Held by every worker process, so that the next run waits until a killed run's last worker is gone."""
    with _lock_of_workers(folder) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _wait_for_workers(folder: Path) -> None:
    with _lock_of_workers(folder) as lock:
        for _ in range(WORKERS_GONE_SECONDS * 20):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                time.sleep(0.05)
    raise RunError(f"{folder}: a worker of an earlier run is still at work; stop it and run the command again")


class StageRecord(BaseModel):
    """What record.json must hold; there may be more."""

    model_config = ConfigDict(strict=True, extra="allow")

    fingerprint: str
    facts: dict
    rows: int = 0
    usage: dict[str, dict[str, int | float]] = {}
    bytes: int = 0
    content: str = ""
    model: str = ""


def read_record(folder: Path) -> dict | None:
    """A folder's record.json; None where there is none that can be read."""
    try:
        raw = read_plain(folder / "record.json")
        StageRecord.model_validate_json(raw)
        return json.loads(raw)
    except (OSError, ValueError, ValidationError, RecursionError):
        return None


def write_record(folder: Path, record: dict) -> None:
    """A folder's record.json, whole or not at all, and on the disk."""
    write_whole(folder / "record.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def content_of(folder: Path) -> dict:
    """What record.json says of the folder's rows, and of a model in it, so that damage shows."""
    rows, model = folder / "rows.jsonl", folder / "model"
    written = {"bytes": rows.stat().st_size, "content": file_hash(rows)}
    return {**written, "model": made_hash(model)} if model.is_dir() else written


def damage_of(folder: Path, record: dict) -> str:
    """What is wrong with a finished folder's rows, in a few words; empty where they are as they were written.
    They are read through once, and again only where the file has changed."""
    rows = folder / "rows.jsonl"
    if folder.is_symlink() or not is_plain(rows):
        return "it is missing, or a link in its place, which is never followed"
    facts = rows.stat()
    if facts.st_size != record.get("bytes", facts.st_size):
        return f"{facts.st_size:,} bytes, where {record['bytes']:,} were written"
    content, lines = _read_through(rows, facts.st_ino, facts.st_size, facts.st_mtime_ns, "content" in record)
    if content != record.get("content", content):
        return "it is not what was written"
    if "content" not in record and lines != record.get("rows", lines):  # of before there were hashes
        return f"{lines:,} rows, where {record['rows']:,} were written"
    return ""


@lru_cache(maxsize=4096)
def _read_through(rows: Path, inode: int, size: int, changed: int, hashed: bool) -> tuple[str, int]:
    """The hash of a file, or else how many lines it has. What it is called with changes when the file does."""
    if hashed:
        return file_hash(rows), 0
    lines = 0
    with rows.open("rb") as file:
        while block := file.read(2**20):
            lines += block.count(b"\n")
    return "", lines
