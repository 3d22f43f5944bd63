"""Jobs that outlive the process: batches that a provider works on while nobody here is running.

One design decision: what is about to be done is on the disk before it is done, and what came of it as soon as it
is known; so after a kill at any moment it can be told which batches exist and whose requests they hold.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from lema.errors import RunError
from lema.journal.opening import PATIENCE, explained
from lema.records import content_id

JOBS = """
CREATE TABLE IF NOT EXISTS jobs (
    name TEXT NOT NULL UNIQUE, model TEXT NOT NULL, state TEXT NOT NULL, file TEXT NOT NULL, batch TEXT NOT NULL,
    requests BLOB NOT NULL, owner INTEGER NOT NULL, created REAL NOT NULL);
"""
JOB = ("name", "requests", "state", "file", "batch", "owner", "created")
"""The columns that `read_job` reads."""
ID_BYTES = 16  # of a request's id inside a job

State = Literal["planned", "uploaded", "created", "closed"]


@dataclass(frozen=True, slots=True)
class Job:
    """One batch: its requests by their ids (32 hex digits), and how far it is.

    planned: nothing exists yet that costs; uploaded: its `file` is there and a batch may be; created: `batch` is
    known; closed: nothing more will come of it.
    """

    name: str
    requests: tuple[str, ...]
    state: State = "planned"
    file: str = ""
    batch: str = ""
    owner: int = field(default_factory=os.getpid)
    created: float = field(default_factory=time.time)

    def at(self, **changes: object) -> "Job":
        return replace(self, **changes)


class Jobs:
    """The jobs of one model in a journal; every call opens and closes the file, from any thread."""

    def __init__(self, path: Path, identity: dict) -> None:
        self._path, self._model = path, content_id(identity)

    def note(self, job: Job) -> Job:
        """Keeps the job as it now is; on the disk when this returns."""
        ids = bytes.fromhex("".join(job.requests))
        with self._file() as file, file:
            file.execute("INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                         "state = excluded.state, file = excluded.file, batch = excluded.batch, "
                         "requests = excluded.requests, owner = excluded.owner",
                         (job.name, self._model, job.state, job.file, job.batch, ids, job.owner, job.created))
        return job

    def open(self) -> list[Job]:
        """The jobs that are not closed, oldest first, but not those that another living process is submitting."""
        with self._file() as file:
            rows = file.execute(f"SELECT {', '.join(JOB)} FROM jobs WHERE model = ? AND state != 'closed' "
                                "ORDER BY created, name", (self._model,)).fetchall()
        jobs = []
        for row in rows:
            job = read_job(row)
            if job is None:
                raise RunError(f"{self._path}: the row of a batch is damaged; `lema journal mend "
                               f"{self._path.parent}` leaves it out and saves the rest")
            if job.state == "created" or not _is_others(job.owner):
                jobs.append(job)
        return jobs

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        with explained(self._path), closing(sqlite3.connect(self._path, timeout=PATIENCE)) as file:
            file.execute("PRAGMA synchronous=FULL")  # a batch that a power cut made us forget would be paid again
            yield file


def read_job(row: Sequence) -> Job | None:
    """The job in a row of `JOB`; None where it is no job's."""
    name, ids, state, file, batch, owner, created = row
    texts = all(isinstance(text, str) for text in (name, state, file, batch))
    if not (texts and state in get_args(State) and isinstance(ids, bytes) and len(ids) % ID_BYTES == 0
            and isinstance(owner, int) and 0 <= owner < 2**31 and isinstance(created, float)):
        return None
    return Job(name, tuple(ids.hex(" ", ID_BYTES).split()), state, file, batch, owner, created)


@dataclass
class Unkept:
    """Jobs of a model that is asked without a journal: kept as long as the process lives."""

    held: dict[str, Job] = field(default_factory=dict)

    def note(self, job: Job) -> Job:
        self.held[job.name] = job
        return job

    def open(self) -> list[Job]:
        return [job for job in self.held.values() if job.state != "closed"]


def _is_others(pid: int) -> bool:
    """Whether another process of that number is alive; our own earlier incarnations are dead."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except OSError as error:  # no right to signal it: it is there, and another user's
        return not isinstance(error, ProcessLookupError)
    return True
