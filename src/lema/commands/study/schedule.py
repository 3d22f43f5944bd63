"""A study's work: the stages of all cells, each different one performed once, on workers that stay.

One design decision: the stages of every cell are known before anything runs, by their fingerprints; so cells need
not wait for each other, what several have in common is performed once and put into the folders of all of them, and
a worker loads its libraries once for the whole study.
"""

import contextlib
import os
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from lema.commands.run_folder import stages_of
from lema.commands.study.design import Cell
from lema.config import Config
from lema.errors import LemaError, RunError
from lema.files import remove
from lema.journal import Journal
from lema.records import content_id
from lema.runs.budget import open_budget
from lema.runs.engine import QUIET, perform_in_worker, shared_out, turn_of, workers_of
from lema.runs.folder import write_record
from lema.runs.run import Stage
from lema.runs.workers import Died, WorkerCall
from lema.stages.report import report


@dataclass
class SharedStage:
    """One stage that several cells may have, and where each of them has it."""

    cell: Cell
    places: list[Stage] = field(default_factory=list)  # that are still to be filled
    finished: Stage | None = None  # where it is done
    needs: set[str] = field(default_factory=set)
    alike: list[str] = field(default_factory=list)  # stages that will yield the same, and wait for it


@dataclass(frozen=True)
class Spent:
    """What a study's last call took: seconds of the clock, and of the workers' stages."""

    seconds: float
    in_stages: float
    workers: int

    @property
    def wasted(self) -> float:
        """The share of the workers' time in which no stage was performed."""
        return max(0.0, 1 - self.in_stages / (self.workers * self.seconds)) if self.seconds else 0.0


class Agenda:
    """What is left to do of a study, in the order of its cells."""

    def __init__(self, folder: Path, cells: Iterable[Cell]) -> None:
        self.tasks: dict[str, SharedStage] = {}
        self.stages: dict[str, dict[str, Stage]] = {}  # of each cell, by name
        self._after: dict[str, list[str]] = defaultdict(list)
        self._by_content: dict[str, SharedStage] = {}
        self._given: set[str] = set()  # the keys that were performed, or wait for one that is
        for cell in cells:
            every = stages_of(folder_of_cell(folder, cell), cell.config)
            self.stages[cell.name] = {name: stage for name, stage in every.items() if stage.verb is not report}
            for stage in self.stages[cell.name].values():
                self._add(cell, stage)
        for key, task in self.tasks.items():
            for needed in task.needs:
                self._after[needed].append(key)

    def _add(self, cell: Cell, stage: Stage) -> None:
        task = self.tasks.setdefault(stage.fingerprint, SharedStage(cell))
        state, why = stage.status()
        if state == "damaged":
            raise RunError(why)
        if state == "done":
            task.finished = task.finished or stage
            return
        task.places.append(stage)
        for source in (*stage.sources, *stage.makers):
            task.needs.add(source.fingerprint)

    @property
    def waiting(self) -> list[SharedStage]:
        """What is not performed yet, anywhere."""
        return [task for task in self.tasks.values() if task.finished is None]

    def begin(self) -> list[str]:
        """Puts what is done somewhere into its other places; the keys of what can be performed at once."""
        for task in self.tasks.values():
            if task.finished is not None:
                self._by_content.setdefault(content_of_stage(task.finished), task)
        ready = [key for key, task in self.tasks.items() if task.finished is None and not task.needs]
        for key, task in self.tasks.items():
            if task.finished is not None:
                ready += self._settle(key, task.finished)
        places = {key: place for place, key in enumerate(self.tasks)}
        return self._new(sorted(ready, key=places.__getitem__))  # cell by cell, so that the first are whole first

    def settle(self, key: str) -> list[str]:
        """A stage was performed, in the first of its places; the keys that can be performed now."""
        return self._new(self._settle(key, self.tasks[key].places[0]))

    def _settle(self, key: str, done: Stage) -> list[str]:
        task, ready = self.tasks[key], []
        task.finished = done
        for place in task.places:
            if place is not done:
                share(done, place)
        task.places = []
        for after in self._after[key]:
            self.tasks[after].needs.discard(key)
            if not self.tasks[after].needs and self.tasks[after].finished is None:
                ready.append(after)
        for other in task.alike:
            ready += self._settle(other, done)
        task.alike = []
        return ready

    def _new(self, ready: list[str]) -> list[str]:
        """Those of `ready` that no stage before them has performed, or will, on the very same rows: an arm without
        corrections is the same whatever these cost."""
        new: list[str] = []
        while ready:
            key = ready.pop(0)
            task = self.tasks[key]
            if task.finished is not None or key in self._given:
                continue
            self._given.add(key)
            same = self._by_content.setdefault(content_of_stage(task.places[0]), task)
            if same is task:
                new.append(key)
            elif same.finished is not None:
                ready += self._settle(key, same.finished)
            else:
                same.alike.append(key)
        return new

    def done_in(self, cell: str) -> bool:
        """Whether all of a cell is there."""
        return all(self.tasks[stage.fingerprint].finished for stage in self.stages[cell].values())


def folder_of_cell(folder: Path, cell: Cell) -> Path:
    return folder / "cells" / cell.name


def content_of_stage(stage: Stage) -> str:
    """What a stage whose inputs are done will yield, by what it is made of: two of one content yield the same
    rows, even where their inputs came about in different ways."""
    inputs = {each.name: _content(each) for each in stage.sources}
    makers = {name: _content(given) if isinstance(given, Stage) else given for name, given in stage.models.items()}
    return content_id(stage.name, {**stage.facts, "inputs": inputs, "models": makers})


def _content(stage: Stage) -> str:
    """The hash of its rows; of a model they hold the hash of its weights."""
    return (stage.record() or {}).get("content") or stage.fingerprint


def share(done: Stage, place: Stage) -> None:
    """Puts a finished stage into the folder of another cell: the same files under another name where the disk can
    do that, as nobody ever writes into a finished stage's files."""
    remove(place.part)
    place.part.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(done.folder, place.part, copy_function=_link)
    if done.fingerprint != place.fingerprint:
        record = {**done.record(), "fingerprint": place.fingerprint, "facts": place.facts,
                  "taken_from": done.record().get("taken_from", done.fingerprint)}
        write_record(place.part, record)
    if not place.adopt():
        raise RunError(f"{done.folder}: cannot be put into {place.folder}; run the same command again")


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def perform_cells(folder: Path, agenda: Agenda, config: Config, workers: int, threads: int,
                  tell: Callable[[str, SharedStage], None]) -> Spent:
    """Performs everything that is left, on so many workers. `config`: of any cell, for what all of them share, as
    the machine's cards and a budget. `tell` hears of every stage that is done."""
    os.environ.update({**QUIET, "OMP_NUM_THREADS": str(threads)})
    started, ready, spent = time.monotonic(), agenda.begin(), 0.0
    if not ready:
        return Spent(time.monotonic() - started, 0.0, workers)
    workers = min(workers, len(agenda.waiting))

    def call(key: str) -> WorkerCall:
        task = agenda.tasks[key]
        here = shared_out(task.cell.config, workers)
        return WorkerCall(_perform, (task.cell.name, key, task.places[0], here),
                          turn_of(task.places[0], task.cell.config))

    def following(done: WorkerCall) -> list[WorkerCall]:
        nonlocal spent
        key = done.arguments[1]
        calls = list(map(call, agenda.settle(key)))
        spent += (agenda.tasks[key].finished.record() or {}).get("seconds", 0.0)
        tell(key, agenda.tasks[key])
        return calls

    with Journal(folder / "journal.sqlite") as journal:
        budget = open_budget(config, journal, get_context("spawn")) if config.budget else None
        pool = workers_of(config, workers, folder, budget, lambda news: None)
        with contextlib.closing(_Stopping(pool)):
            try:
                pool.perform(list(map(call, ready)), following)
            except Died:
                raise RunError(f"{folder}: a worker process died (out of memory?); finished stages are kept: run "
                               "the same command again, with fewer --workers if it recurs") from None
    return Spent(time.monotonic() - started, spent, workers)


class _Stopping:
    """Ends workers when it is closed."""

    def __init__(self, pool: object) -> None:
        self.close = pool.stop


def _perform(cell: str, key: str, stage: Stage, config: Config) -> None:
    """In a worker: an error says which cell it is of."""
    try:
        perform_in_worker(stage, config)
    except LemaError as error:
        raise type(error)(f"cell {cell}: {error}") from None
