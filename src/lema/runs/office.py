"""All actors of a run on a cluster: made where there is room, used again by stage after stage, ended with the run.

One design decision: an actor that is idle keeps its process, since loading libraries takes seconds; it is let go
where another kind of actor may need its place.
"""

import contextlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lema.config import Config
from lema.errors import RunError
from lema.runs.actor import Actor
from lema.runs.cluster import environment, nodes_alive, ray_itself
from lema.runs.working import Piece

ROOM_S = 600.0  # seconds to wait for room where nobody of this run is at work
LOOK = 0.5  # seconds between two looks at whether the run is to end


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
    up: bool = False  # whether it ever had room
    ready: bool = False
    holds: dict[int, Piece] = field(default_factory=dict)
    sent: list[tuple[int, bytes]] = field(default_factory=list)  # pieces, pickled, not handed over yet
    bytes: int = 0  # of them


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

    def up(self, hired: Hired) -> Hired:
        """Waits until an actor has room, or another one like it is idle; which one it is. Ended where the run
        is to end, RunError where nobody is at work who could make room."""
        ray, there, since = ray_itself(), hired.handle.__ray_ready__.remote(), time.monotonic()
        while not hired.up:
            hired.up = bool(ray.wait([there], timeout=LOOK)[0])
            hired = self.swapped(hired)
            if self.ending.is_set():
                raise Ended
            if not hired.up and self.is_stuck(since):
                raise RunError(no_room("a training", hired.need))
        return hired

    def swapped(self, hired: Hired) -> Hired:
        """An idle actor in the place of one like it that still waits for room; else that one."""
        if hired.up:
            return hired
        with self._lock:
            idle = next((other for other in self._idle if other.need == hired.need), None)
            if idle is None:
                return hired
            self._idle.remove(idle)
        self.forget(hired)
        return idle

    def is_stuck(self, since: float) -> bool:
        """Whether an actor has waited for room since then, too long, with nobody at work who might make some."""
        return time.monotonic() - since > ROOM_S and not any(other.up for other in self._all)

    def give_back(self, hired: Hired) -> None:
        """It is used again by whoever needs the like; where only another kind waits for room, it ends."""
        waiting = {other.need for other in list(self._all) if not other.up}
        if waiting and hired.need not in waiting:
            self.dismiss(hired)
            return
        hired.holds, hired.sent, hired.bytes, hired.ready = {}, [], 0, False
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


def no_room(what: str, need: Need) -> str:
    """That no machine has room for an actor, and what the machines have."""
    every = ", ".join(f"{node.cpus} CPUs and {node.gpus} GPUs" for node in nodes_alive())
    return (f"{what}: no machine of the cluster had room for it in {ROOM_S:g} s: it takes {need.cpus:g} CPUs and "
            f"{need.gpus} GPUs; the cluster has {every or 'no machine'}")
