"""What runs on the machines of a cluster: an actor that lets a model write, grades paths, or performs a stage.

One design decision: a completion is on the disk, in a shard of the journal that this actor alone writes, before
the driver hears of it; so whoever dies next, driver, actor or machine, loses no more than what the endpoint had
still to answer. An actor is no model's: it is used again for the next stage, because loading libraries takes
seconds.
"""

import contextlib
import logging
import os
import pickle
import queue
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lema.config import Config
from lema.errors import LemaError
from lema.files import make_folder
from lema.journal import Journal
from lema.journal.merging import remove_shard
from lema.journal.opening import SHARDS
from lema.models import find_model
from lema.printable import guard
from lema.runs.engine import perform
from lema.runs.folder import at_work
from lema.runs.news import News
from lema.runs.run import Stage
from lema.runs.working import (
    PART,
    PARTS,
    AskingModel,
    KeptBatches,
    Report,
    Work,
    Working,
    parcels,
    unpacked,
    with_place,
)
from lema.tasks import find_task, verdict_on

WAIT = 0.5  # seconds after which an actor reports even where nothing is done


class Actor:
    """One process of the cluster. Ray calls its methods one after the other."""

    def __init__(self, folder: str, started_in: str, environment: dict[str, str]) -> None:
        """`folder`: the run's, in which its shard lies."""
        guard()
        os.environ.update(environment)
        os.chdir(started_in)
        self.folder, self._working = Path(folder), None
        self._open = contextlib.ExitStack()
        self._open.enter_context(at_work(self.folder))
        make_folder(self.folder / SHARDS)
        self.path = self.folder / SHARDS / f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}.sqlite"
        self._shard = self._open.enter_context(Journal(self.path))
        self._notes: list[str] = []
        self._more: list[tuple[int, bytes]] = []  # answers that did not fit into the last report
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self._notes.append(record.getMessage())
        logging.getLogger("lema").addHandler(handler)

    def open(self, work: Work) -> tuple[str, dict]:
        """Gets ready for pieces of a kind; where its shard lies, and what names the model here."""
        self._more = []
        if work.kind == "grader":
            task = find_task(work.backend, work.table)
            self._working = Working(lambda piece: [verdict_on(*pair, task) for pair in piece])
            return str(self.path), {}
        try:
            model = find_model(work.name, work.backend, work.table)
            identity = model.identity()
        except LemaError as error:
            raise type(error)(f"node {os.uname().nodename}: {error}") from None
        if hasattr(model, "batches"):
            self._working = Working(KeptBatches(model, identity, self._shard))
        else:
            self._working = AskingModel(model, identity, self._shard)
        return str(self.path), identity

    def exchange(self, room: bool, *parts: bytes) -> list[bytes]:
        """Takes pieces and gives a Report, as soon as there is anything to say; both in parcels. `room`: whether
        the budget had some."""
        self._working.room = room
        for number, piece in unpacked(parts):
            self._working.put([(number, pickle.loads(piece))])
        report = parcels(self._report(self._working.take(0 if self._more else WAIT)))
        first, last = report[:PARTS - 1], b"".join(report[PARTS - 1:])
        return [*first, *[b""] * (PARTS - 1 - len(first)), last]

    def leave(self, seconds: float) -> None:
        """Starts nothing more, and waits so many seconds for what is under way."""
        self._working.leave()
        until = time.monotonic() + seconds
        while not self._working.ended and time.monotonic() < until:
            self._working.take(WAIT)

    def _report(self, answers: list[tuple[int, Any]]) -> Report:
        """What is to be said, as much of it as fits; the rest comes with the next call."""
        self._more += [(number, pickle.dumps(answer)) for number, answer in answers]
        working, notes, size, count = self._working, self._notes[:], 0, 0
        while count < len(self._more) and (not count or size + len(self._more[count][1]) < PART * (PARTS - 4)):
            size += len(self._more[count][1])
            count += 1
        given, self._more = self._more[:count], self._more[count:]
        del self._notes[:len(notes)]
        charges = working.charges[:]
        del working.charges[:len(charges)]
        return Report(given, charges, notes, None if self._more else working.error)

    def rest(self) -> None:
        """Lets go of the model."""
        if self._working is not None:
            self._working.leave()
            self._working = None

    def end(self) -> None:
        """The driver has everything: its shard is no longer needed."""
        self.rest()
        self._open.close()
        remove_shard(self.path)

    def perform(self, stage: Stage, config: Config) -> Iterator[News]:
        """A whole stage, which asks nobody; its news as they come. Its folder is there when they end."""
        news: queue.SimpleQueue = queue.SimpleQueue()

        def work() -> None:
            try:
                perform(stage, config, news.put, self._shard)
                news.put(None)
            except Exception as error:
                news.put(with_place(error))

        threading.Thread(target=work, name="stage", daemon=True).start()
        while (each := news.get()) is not None:
            if isinstance(each, Exception):
                raise each
            yield each
