"""Where stages are performed: this machine, in this process or in worker processes side by side.

One design decision: a worker (workers.py) gets a whole stage and nothing else crosses the border but progress;
each stage writes into its own folder and every process keeps its own connection to the journal, so nothing is
shared that a kill could leave half done. Workers end with the process that started them, however it ends.
"""

import contextlib
import errno
import os
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from lema.config import Config
from lema.errors import RunError
from lema.files import make_folder, read_plain, remove
from lema.journal import Journal
from lema.models import find_model
from lema.plugins import find
from lema.printable import guard
from lema.records import content_id, write_rows
from lema.runs.budget import Budget, open_budget
from lema.runs.cards import VISIBLE, cards_of, each_worker_needs, visible_cards
from lema.runs.context import OtherMachines, StageContext
from lema.runs.folder import at_work
from lema.runs.news import News, Progress
from lema.runs.processor import pinned, processor
from lema.runs.run import Stage
from lema.runs.serving import Serving, by_server
from lema.runs.versions import versions
from lema.runs.workers import Died, WorkerCall, Workers

if TYPE_CHECKING:
    from lema.runs.ray_engine import OnCluster

QUIET = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_DISABLE_TELEMETRY": "1", "TRL_EXPERIMENTAL_SILENCE": "1"}
PER_MINUTE = ("requests_per_minute", "tokens_per_minute")
REMEDIES = {
    errno.ENOSPC: "no space left on the disk; free some", errno.EDQUOT: "disk quota used up; free some",
    errno.EFBIG: "larger than this disk, or the limit of this shell, allows; free that",
    errno.EROFS: "the disk is read-only; make it writable", errno.EACCES: "not writable; allow it"}


class Local:
    """An engine (lema.runs.run.Engine) on this machine; `close` ends its workers."""

    def __init__(self, folder: Path, config: Config, progress: Progress) -> None:
        self.folder, self.config, self.progress = folder, config, progress
        self._open = contextlib.ExitStack()
        self._serving = Serving(config)
        self._open.callback(self._serving.stop)
        settle_environment(config)

    def __call__(self, stages: Sequence[Stage]) -> None:
        for group in by_server(to_do(stages, self.progress), self.config):
            with self._serving.shared_by(group) as served:
                self._perform(group, served)

    def close(self) -> None:
        self._open.close()

    @cached_property
    def _journal(self) -> Journal:
        return self._open.enter_context(Journal(self.folder / "journal.sqlite"))

    @cached_property
    def _budget(self) -> Budget | None:
        """The run's budget; opened when the first stage is performed, shared by all workers."""
        if self.config.budget is None:
            return None
        return open_budget(self.config, self._journal, get_context("spawn"))

    def _perform(self, stages: list[Stage], served: dict[str, object]) -> None:
        if len(stages) > 1 and self.config.machine.workers > 1:
            self._side_by_side(stages, served)
            return
        for stage in stages:
            perform(stage, self.config, self.progress, self._journal, self._budget, None, served.get(stage.name))

    def _side_by_side(self, stages: list[Stage], served: dict[str, object]) -> None:
        turns = [turn_of(stage, self.config) for stage in stages]
        abreast = turns.count(None) + len(set(turns) - {None})
        config = shared_out(self.config, min(self.config.machine.workers, abreast))
        calls = []
        for stage, turn in zip(stages, turns, strict=True):
            calls.append(WorkerCall(perform_in_worker, (stage, config, served.get(stage.name)), turn))
        try:
            self._workers.perform(calls)
        except Died:
            raise RunError(f"{self.folder}: a worker process died (out of memory?); finished stages are kept: "
                           "run the same command again, with --set machine.workers=1 if it recurs") from None

    @cached_property
    def _workers(self) -> Workers:
        _ = self._journal  # opened here first: one look through a journal that was not closed is enough
        workers = workers_of(self.config, self.config.machine.workers, self.folder, self._budget, self.progress)
        self._open.callback(workers.stop)
        return workers


def find_engine(folder: Path, config: Config, progress: Progress) -> "Local | OnCluster":
    """Where the config says that stages are performed."""
    if config.machine.engine == "local":
        return Local(folder, config, progress)
    from lema.runs.ray_engine import OnCluster

    return OnCluster(folder, config, progress)


def settle_environment(config: Config) -> None:
    """What libraries of this process and of those that it starts find in their environment."""
    os.environ.update(QUIET)
    if config.machine.devices:
        os.environ[VISIBLE] = ",".join(config.machine.devices)
    if config.machine.threads:
        os.environ["OMP_NUM_THREADS"] = str(config.machine.threads)


def to_do(stages: Sequence[Stage], progress: Progress) -> list[Stage]:
    """Those that are not done; of the others it is told that they are. RunError where one is damaged."""
    waiting = []
    for stage in stages:
        state, why = stage.status()
        if state == "damaged":
            raise RunError(why)
        if state == "done":
            progress(News(stage.name, "remembered"))
        else:
            waiting.append(stage)
    return waiting


def turn_of(stage: Stage, config: Config) -> str | None:
    """The served model that a stage asks, by what names it in the journal: under two names it is asked in turns,
    and of what both ask once. What is computed here costs nothing and waits for nobody."""
    for name in stage.models:
        table = config.models.get(name)
        if table is not None and not isinstance(stage.models[name], Stage):
            model = find("models", table.backend, "Model").Model
            if not getattr(model, "runs_here", False):
                return content_id(find_model(name, table.backend, table.own).identity())
    return None


def workers_of(config: Config, number: int, folder: Path, budget: Budget | None, progress: Progress) -> Workers:
    """So many worker processes, each on its cards and with a connection to the journal in `folder`."""
    each = each_worker_needs(config)
    cards = (config.machine.devices or visible_cards()) if each else ()
    needs = [(folder, budget, cards_of(place, cards, each)) for place in range(number)]
    return Workers(_at_work, needs, progress)


def shared_out(config: Config, workers: int) -> Config:
    """The config as one of several workers sees it: each has its part of what a model may be asked per minute."""
    models = {}
    for name, table in config.models.items():
        models[name] = table.model_copy(update=shared_limits(table.own, workers, PER_MINUTE))
    return config.model_copy(update={"models": models})


def shared_limits(table: dict, parts: int, keys: Sequence[str]) -> dict:
    """A model's table in which each of these limits that it states is one of so many equal parts."""
    limits = {key: table[key] for key in keys if isinstance(table.get(key), int)}
    return {**table, **{key: max(1, limit // parts) for key, limit in limits.items()}}


def perform(stage: Stage, config: Config, progress: Progress, journal: Journal,
            budget: Budget | None = None, elsewhere: OtherMachines | None = None, served: object = None) -> None:
    """Fills one stage's folder. A .part folder of the same fingerprint is kept for the verb to resume from.
    `served`: where the model is that it examines, if a server was started for that."""
    with _disk_errors(stage):
        if stage.adopt():
            progress(News(stage.name, "remembered"))
            return
        _prepare(stage)
        context = StageContext(stage, config.on(stage.test_set), progress, journal, stage.part, budget, elsewhere,
                               served)
        progress(News(stage.name, "started"))
        started, busy, damaged = time.monotonic(), time.process_time(), len(journal.damaged)
        remove(stage.part / "rows.jsonl")
        # closed while the journal is still open: replies under way are paid for
        with (contextlib.closing(context),
              contextlib.closing(stage.verb(context, stage.settings, *stage.inputs)) as records):
            rows = write_rows(stage.part / "rows.jsonl", records)
        context.require_answers()
        (stage.part / "fingerprint").unlink()
        usage = {name: usage.row() for name, usage in context.usage.items()}
        stage.finish({"rows": rows, "seconds": round(time.monotonic() - started, 2),
                      "cpu_seconds": round(time.process_time() - busy, 2), "versions": versions(),
                      "processor": {**processor(), "pinned": pinned()}, "usage": usage})
        notes = context.cost, context.failures, _damaged(len(journal.damaged) - damaged)
        progress(News(stage.name, "finished", rows, rows, ", ".join(filter(None, notes))))


def _damaged(count: int) -> str:
    """Said of replies that the journal held but that are no more what was written."""
    return f"{count:,} damaged replies in the journal were asked anew" if count else ""


def _prepare(stage: Stage) -> None:
    if stage.part.is_symlink() or _mark(stage.part) != stage.fingerprint.encode():
        remove(stage.part)
        make_folder(stage.part)
        (stage.part / "fingerprint").write_text(stage.fingerprint)


def _mark(part: Path) -> bytes | None:
    """Whose folder it is that was begun; None where nobody can say."""
    with contextlib.suppress(OSError):
        return read_plain(part / "fingerprint")
    return None


@contextlib.contextmanager
def _disk_errors(stage: Stage) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        raise RunError(f"{error.filename or stage.part}: {REMEDIES[error.errno]} and run the same command again; "
                       "finished stages and journalled replies are kept") from None


_worker: dict = {}  # what a worker process holds: filled once, when it starts


@contextlib.contextmanager
def _at_work(say: Progress, folder: Path, budget: Budget | None, cards: tuple[str, ...]) -> Iterator[None]:
    """Places this worker on its cards, and opens what it will need."""
    guard()
    if cards:
        os.environ[VISIBLE] = ",".join(cards)
    with at_work(folder), Journal(folder / "journal.sqlite", read_through=True) as journal:
        _worker.update(journal=journal, progress=say, budget=budget)
        yield


def perform_in_worker(stage: Stage, config: Config, served: object = None) -> None:
    """What a worker of `workers_of` does with a stage."""
    perform(stage, config, _worker["progress"], _worker["journal"], _worker["budget"], None, served)
