"""Stages performed on the machines of a Ray cluster: `[machine] engine = "ray"`.

One design decision: every verb that asks a model runs here, in the driver, with the run's journal and budget, and
only completions and grades are computed elsewhere; so one big stage uses all machines, and order, journal, limits
and prices are the run's as on one machine. What computes with weights itself and asks nobody (a training) goes to
a machine as a whole.
"""

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import cached_property
from pathlib import Path

from lema.config import Config
from lema.errors import RunError
from lema.journal import Journal
from lema.journal.merging import gathered_shards
from lema.runs.budget import Budget, open_budget
from lema.runs.cluster import ClusterNode, join, look_at, nodes_alive, ray_itself
from lema.runs.engine import perform, settle_environment, to_do, turn_of
from lema.runs.news import News, Progress
from lema.runs.remote import ClusterModels
from lema.runs.run import Stage
from lema.runs.team import DEATHS, Ended, Need, Office, log
from lema.runs.workload import module_of

SEEN_S = 90.0  # seconds until what a machine wrote must be seen here: NFS remembers a minute what was not there


class OnCluster:
    """An engine (lema.runs.run.Engine) on a Ray cluster; `close` ends its actors."""

    def __init__(self, folder: Path, config: Config, progress: Progress) -> None:
        self.folder, self.config, self.progress = folder, config, progress
        self._open = contextlib.ExitStack()
        self._turns: dict[str | None, threading.Lock] = defaultdict(threading.Lock)
        settle_environment(config)

    def __call__(self, stages: Sequence[Stage]) -> None:
        waiting = to_do(stages, self.progress)
        if not waiting:
            return
        self._office, self._journal, self._budget  # noqa: B018 - opened here, not by several threads at once
        if len(waiting) == 1:
            self._perform(waiting[0])
            return
        pool = ThreadPoolExecutor(len(waiting), thread_name_prefix="stage")
        try:
            self._all_of([pool.submit(self._perform, stage) for stage in waiting])
        except BaseException as error:
            self._office.hard = isinstance(error, KeyboardInterrupt)
            self._office.ending.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        pool.shutdown()

    def close(self) -> None:
        self._open.close()

    @staticmethod
    def _all_of(performed: list[Future]) -> None:
        """Waits for all; raises what the first of them raised that ended early."""
        done, _ = wait(performed, return_when=FIRST_EXCEPTION)
        for each in done:
            each.result()

    @cached_property
    def _nodes(self) -> list[ClusterNode]:
        """The machines of the cluster, each looked at."""
        join(self.config)
        self._open.callback(ray_itself().shutdown)
        nodes = nodes_alive()
        look_at(nodes, self.folder)
        return nodes

    @cached_property
    def _journal(self) -> Journal:
        """The run's journal, with what actors of a run that was killed kept; theirs is merged at the end too."""
        path = self.folder / "journal.sqlite"
        journal = self._open.enter_context(Journal(path))
        if new := gathered_shards(path):
            log.warning("%s: %d replies of a run that was ended are in the journal now", path, new)
        self._open.callback(lambda: gathered_shards(path))
        return journal

    @cached_property
    def _office(self) -> Office:
        self._nodes, self._journal  # noqa: B018 - closed after the actors
        return self._open.enter_context(contextlib.closing(Office(self.folder, self.config)))

    @cached_property
    def _budget(self) -> Budget | None:
        return open_budget(self.config, self._journal)

    def _perform(self, stage: Stage) -> None:
        """Here, with models elsewhere; or as a whole elsewhere. Stages that ask one served model take turns."""
        cards = getattr(module_of(stage), "cards", None)
        if cards is not None:
            self._perform_elsewhere(stage, cards(stage.settings))
            return
        turn = turn_of(stage, self.config)
        alone = self._turns[turn] if turn else contextlib.nullcontext()
        with alone, contextlib.closing(ClusterModels(self._office, self._nodes, self.config)) as elsewhere:
            perform(stage, self.config, self.progress, self._journal, self._budget, elsewhere)

    def _perform_elsewhere(self, stage: Stage, cards: int) -> None:
        """On one machine of the cluster. Of an actor that died the next one goes on with what it left."""
        if stage.adopt():
            self.progress(News(stage.name, "remembered"))
            return
        most = max((node.gpus for node in self._nodes), default=0)
        need = Need(gpus=min(cards, most)) if most else Need(cpus=1)
        for death in range(DEATHS):
            hired = self._office.up(self._office.hire(need))
            try:
                for news in self._news(hired, stage):
                    self.progress(news)
            except ray_itself().exceptions.RayActorError as error:
                self._office.forget(hired)
                log.warning("%s: the actor that worked on it died (%s)", stage.name, str(error).splitlines()[0])
                time.sleep(5.0 * death)  # a machine that is gone is given actors until the cluster has noticed
                if death == DEATHS - 1:
                    raise RunError(f"{stage.name}: {DEATHS} actors in a row died at it; out of memory? Finished "
                                   "stages are kept: run the same command again when that is mended") from None
            else:
                self._office.give_back(hired)
                self._require_seen(stage)
                return

    def _news(self, hired: object, stage: Stage) -> Iterator[News]:
        ray = ray_itself()
        coming = hired.handle.perform.options(num_returns="streaming").remote(stage, self.config)
        try:
            while True:
                ready, _ = ray.wait([coming], timeout=0.5, fetch_local=False)
                if self._office.ending.is_set():
                    raise Ended
                if ready:
                    yield ray.get(next(coming))
        except StopIteration:
            return
        except ray.exceptions.RayTaskError as error:
            self._office.give_back(hired)
            raise error.cause if isinstance(error.cause, Exception) else error from None

    def _require_seen(self, stage: Stage) -> None:
        until = time.monotonic() + SEEN_S
        while stage.status().state != "done":
            if time.monotonic() > until:
                raise RunError(f"{stage.folder}: a machine of the cluster finished it, and it is not seen here; "
                               "put the run on a file system that all machines share, with --runs DIR")
            time.sleep(0.2)
