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
from pathlib import Path

from lema.errors import RunError

WORKERS_GONE_SECONDS = 30


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds the run folder for this process; RunError names the process that already holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a+", encoding="utf-8")
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


@contextlib.contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Held by every worker process, so that the next run waits until a killed run's last worker is gone."""
    with (folder / "lock.workers").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _wait_for_workers(folder: Path) -> None:
    with (folder / "lock.workers").open("a") as lock:
        for _ in range(WORKERS_GONE_SECONDS * 20):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError:
                time.sleep(0.05)
    raise RunError(f"{folder}: a worker of an earlier run is still at work; stop it and run the command again")


def read_record(folder: Path) -> dict | None:
    """A folder's record.json; None where there is none that can be read."""
    try:
        return json.loads((folder / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_record(folder: Path, record: dict) -> None:
    """A folder's record.json, whole or not at all, and on the disk."""
    part = folder / "record.json.part"
    with part.open("w", encoding="utf-8") as out:
        out.write(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        out.flush()
        os.fsync(out.fileno())
    part.replace(folder / "record.json")
