"""All actors of a run on a cluster: made where there is room, used again by stage after stage, ended with the run.

One design decision: an actor that is idle keeps its process, since loading libraries takes seconds; it is let go
where another kind of actor may need its place.
"""

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lema.config import Config
from lema.runs.actor import Actor
from lema.runs.cluster import environment, ray_itself
from lema.runs.working import Piece


class Need(NamedTuple):
    """What an actor takes of its machine. Clients of endpoints take nothing that Ray counts."""

    cpus: float = 0.0
    gpus: int = 0


@dataclass(eq=False)
class Hired:
    """An actor, where its shard lies, and what it has to answer."""

    handle: Any
    need: Need
    shard: Path | None = None
    ready: bool = False
    holds: dict[int, Piece] = field(default_factory=dict)
    sent: list[tuple[int, Piece]] = field(default_factory=list)  # not handed over yet


class Ended(Exception):
    """The run is to end: nothing more is asked."""


class Office:
    """All actors of a run. Threads of several stages hire from it."""

    def __init__(self, folder: Path, config: Config) -> None:
        self._folder, self._config = folder.absolute(), config
        self._idle: list[Hired] = []
        self._all: set[Hired] = set()
        self._lock = threading.Lock()
        self.ending = threading.Event()
        self.hard = False  # whether replies under way are given up as well
        self._remote = ray_itself().remote(Actor)

    def hire(self, need: Need) -> Hired:
        """An actor that nobody uses, or a new one, which may have to wait for room."""
        with self._lock:
            for hired in self._idle:
                if hired.need == need:
                    self._idle.remove(hired)
                    return hired
            idle, self._idle = self._idle, []
        for other in idle:  # it may hold what this one needs
            self.dismiss(other)
        handle = self._remote.options(
            num_cpus=need.cpus, num_gpus=need.gpus, scheduling_strategy="SPREAD", max_restarts=0,
            max_task_retries=0).remote(str(self._folder), str(Path.cwd()), environment(self._config))
        hired = Hired(handle, need)
        with self._lock:
            self._all.add(hired)
        return hired

    def give_back(self, hired: Hired) -> None:
        """It is used again by whoever needs the like."""
        hired.holds, hired.sent, hired.ready = {}, [], False
        hired.handle.rest.remote()
        with self._lock:
            self._idle.append(hired)

    def dismiss(self, hired: Hired) -> None:
        """Ends an actor. What is in its shard and nowhere else is merged when the run ends."""
        ray = ray_itself()
        with contextlib.suppress(ray.exceptions.RayError):
            ray.get(hired.handle.end.remote(), timeout=5)
        self.forget(hired)

    def forget(self, hired: Hired) -> None:
        """It is dead, or to be."""
        with contextlib.suppress(Exception):
            ray_itself().kill(hired.handle)
        with self._lock:
            self._all.discard(hired)

    def close(self) -> None:
        """Ends all of them."""
        self.ending.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for hired in idle:
            self.dismiss(hired)
        for hired in list(self._all):
            self.forget(hired)
