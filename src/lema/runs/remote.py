"""Models and graders of a stage whose work is done by the actors of a cluster.

One design decision: to the journal they are models like any other (lema.messages), so that a stage, its order, its
journal, its budget and its rows are those of one machine; what differs is who computes a completion.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from lema.config import Config
from lema.grading import Grade
from lema.journal.waiting import call_of
from lema.messages import Arrived, Charged, Completion, Model, Request
from lema.models.api.retrying import follows
from lema.records import Question, ReasoningPath
from lema.runs.actor import Report, Work
from lema.runs.cards import cards_needed
from lema.runs.cluster import ClusterNode
from lema.runs.engine import shared_limits
from lema.runs.team import Need, Office, Team, kept_in

WINDOW = 512  # requests that a model that computes here holds: twice what vLLM writes at once
BATCHES = 2  # batches that it holds: one to write, one to go on with
PAIRS = 64  # paths that a grader gets at once
BLOCK = 64  # such lots that all graders together have to do before more are read
LIMITS = ("requests_per_minute", "tokens_per_minute", "concurrency")
"""Keys of a served model that hold for the whole cluster: each of its actors has an equal part."""

Pair = tuple[ReasoningPath, Question]


class ClusterModels:
    """What one stage asks on the cluster (lema.runs.context.OtherMachines); `close` gives the actors back."""

    def __init__(self, office: Office, nodes: Sequence[ClusterNode], config: Config) -> None:
        self._office, self._nodes, self._config = office, nodes, config
        self._teams: list[Team] = []
        self._models: dict[str, Model] = {}

    def model(self, name: str, spec: tuple[str, dict], here: Model) -> Model:
        """The model `here`, made of its backend and table, as actors ask it. Batches of a provider and recorded
        rollouts are nobody's work, so they stay."""
        if hasattr(here, "jobs") or hasattr(here, "available"):
            return here
        if name not in self._models:
            backend, table = spec
            need, size, window = self._size(here, table)
            work = Work("model", name, backend, shared_limits(table, size, LIMITS))
            team = Team(self._office, work, need, size, window, here.identity())
            self._teams.append(team)
            made = RemoteBatches if hasattr(here, "batches") else RemoteRequests
            self._models[name] = made(here, team, 2 * size * window)
        return self._models[name]

    def _size(self, here: Model, table: dict) -> tuple[Need, int, int]:
        """What an actor of a model takes, how many there are, and how much each holds."""
        most = self._config.machine.actors
        if not getattr(here, "runs_here", False):
            size, settings = most or len(self._nodes), here.settings
            for limit in LIMITS:
                size = min(size, getattr(settings, limit, None) or size)  # each has at least one of it
            flight = getattr(settings, "concurrency", WINDOW) // size * len(getattr(settings, "base_url", "1"))
            return Need(), size, max(1, min(2 * flight * getattr(settings, "n", 1), 4096))
        cards = cards_needed(table) if getattr(here, "uses_cards", False) else 0
        places = sum(map(attrgetter("gpus"), self._nodes)) // max(1, cards) if cards else 0
        size = min(most or max(places, 1), places) if places else most or len(self._nodes)
        need = Need(gpus=cards) if places else Need(cpus=1)
        return need, size, BATCHES if hasattr(here, "batches") else WINDOW

    def verdicts(self, pairs: Iterable[Pair], task: tuple[str, dict]) -> Iterator[tuple[ReasoningPath, Grade]]:
        """Every path with its grade, in order."""
        size = self._config.machine.actors or max(1, sum(map(attrgetter("cpus"), self._nodes)))
        lots = iter(lambda: list(islice(pairs, PAIRS)), [])
        team = Team(self._office, Work("grader", "the grader", *task), Need(cpus=1), size, BATCHES)
        self._teams.append(team)
        while block := list(islice(lots, BLOCK)):
            graded = dict(team.answers(iter(block), lambda shard, lost: {}))
            for number, lot in enumerate(block):
                for (path, _), grade in zip(lot, graded[number], strict=True):
                    yield path, grade

    def close(self) -> None:
        for team in self._teams:
            team.close()


class RemoteRequests:
    """A ConcurrentModel: requests go to actors and come back as they are done."""

    def __init__(self, here: Model, team: Team, ahead: int) -> None:
        self._here, self._team, self.ahead = here, team, ahead
        self.charged: Charged = lambda request, completion: True

    def identity(self) -> dict:
        return self._here.identity()

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As every backend."""
        return self.complete_telling(requests, lambda position, completion: None)

    def complete_telling(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        """As every ConcurrentModel; what waits for its turn is bounded by who reads `requests`."""
        waiting, head = {}, 0
        salvage = partial(_kept, self.identity())
        for number, completion in self._team.answers(iter(requests), salvage, self._charge, follows):
            arrived(number, completion)
            waiting[number] = completion
            while head in waiting:
                yield waiting.pop(head)
                head += 1

    def _charge(self, report: Report) -> None:
        for request, completion in report.charges:
            self._team.room = self.charged(request, completion)


class RemoteBatches:
    """A BatchedModel whose batches are written side by side by actors."""

    def __init__(self, here: Any, team: Team, ahead: int) -> None:
        self._here, self._team = here, team

    def identity(self) -> dict:
        return self._here.identity()

    def batches(self, requests: Sequence[Request]) -> list[list[int]]:
        return self._here.batches(requests)

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        """One batch."""
        for _, completions in self.complete_batches([list(requests)]):
            yield from completions

    def complete_batches(self, batches: Sequence[Sequence[Request]]) -> Iterator[tuple[int, list[Completion]]]:
        """(its number, its completions) for each batch, in the order in which they are done."""
        return self._team.answers(iter(batches), partial(_kept_batches, self.identity()))


def _kept(identity: dict, shard: Path, lost: dict[int, Request]) -> dict[int, Completion]:
    """What a shard holds of the requests that a dead actor was asked."""
    keys = {number: call_of(identity, request).key for number, request in lost.items()}
    kept, answered = kept_in(shard, list(keys.values())), {}
    for number, key in keys.items():
        if key in kept:
            answered[number] = kept[key]
    return answered


def _kept_batches(identity: dict, shard: Path, lost: dict[int, Sequence[Request]]) -> dict[int, list[Completion]]:
    """The same for batches: those that are there whole."""
    whole = {}
    for number, batch in lost.items():
        kept = _kept(identity, shard, dict(enumerate(batch)))
        if len(kept) == len(batch):
            whole[number] = list(map(kept.__getitem__, range(len(batch))))
    return whole
