"""The waiting line of the journal: requests under way, answered in the order they came in.

One design decision: a request that is missing is taken by the model from an iterator that ends early when too many
requests wait, so that a backend may keep many in flight and memory stays bounded without a thread of ours.
"""

import dataclasses
import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

from lema.errors import ModelError
from lema.journal.usage import sound
from lema.messages import Completion, Request

Counted = Callable[[Completion, bool | None], None]
"""Called once per request with its completion and whether the journal remembered it; None: it was charged beside
the answers."""


class AdmissionGate:
    """Decides whether a missing request may go out now: here always; lema.runs.budget.Gate keeps to a budget."""

    def admits(self, request: Request, first: bool) -> bool:
        """Asked for each; `first`: nothing of this line is in flight. May raise where nothing will ever go out."""
        return True

    def back(self, request: Request, completion: Completion) -> None:
        """Told of each that was admitted, when it is answered; from any thread."""

    def charged(self, completion: Completion) -> bool:
        """Told of what was charged beside the answers, from any thread; whether there is room for more of it."""
        return True


OPEN = AdmissionGate()
READ = 256  # requests looked up together
AHEAD = 8192  # requests read but not yet answered to the caller: more are not read


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the model gets it. `facts` is the canonical JSON of model, messages and sampling."""

    facts: str
    path: int
    model: str
    key: bytes  # SHA-256 of the facts and the path index


def call_of(identity: dict, request: Request) -> Call:
    """What `request` is kept under, asked of the model with this identity."""
    sent = {"model": identity, "messages": [[m.role, m.content] for m in request.messages],
            "sampling": dataclasses.asdict(request.sampling)}
    if request.prefix:  # without one the key is what it was before there were any
        sent["prefix"] = request.prefix
    facts = json.dumps(sent, sort_keys=True, separators=(",", ":"))
    key = hashlib.sha256(f"[{facts},{request.index}]".encode()).digest()
    return Call(facts, request.index, str(identity.get("model", "")), key)


@dataclass(slots=True, eq=False)
class _Place:
    """A request's place in the line: answered, or waiting for its ticket. Equal requests share one."""

    request: Request | None
    call: Call
    remembered: bool = False
    ticket: Future[Completion] | None = None


@dataclass(slots=True)
class WaitingLine:
    """The requests that were read and are not yet answered to the caller. `find` and `put` are the journal's."""

    find: Callable[[Sequence[bytes]], dict[bytes, Completion]]
    put: Callable[[Call, Completion], Future[Completion]]
    identity: dict
    requests: Iterator[Request]
    counted: Counted
    gate: AdmissionGate = OPEN
    ahead: int = AHEAD
    places: deque[_Place] = field(default_factory=deque)
    misses: deque[_Place] = field(default_factory=deque)  # not yet taken by the model
    asking: dict[bytes, _Place] = field(default_factory=dict)  # missing ones not yet answered to the caller
    taken: dict[int, _Place] = field(default_factory=dict)  # by position among those that the model took
    beside: deque[Completion] = field(default_factory=deque)  # charged, the answer to nothing, not yet counted
    took: int = 0
    ended: bool = False

    def read(self) -> None:
        """Reads some more requests and finds out which of them are missing."""
        new: dict[bytes, _Place] = {}
        places = []
        for request in islice(self.requests, READ):
            call = call_of(self.identity, request)
            # `asking` is looked at before the journal: what leaves it in between is in the journal
            place = self.asking.get(call.key) or new.get(call.key)
            if place is None:
                place = new[call.key] = _Place(request, call)
            places.append(place)
        self.ended = not places
        for key, completion in self.find(list(new)).items():
            place = new.pop(key)
            place.remembered, place.request, place.ticket = True, None, Future()
            place.ticket.set_result(completion)
        self.asking.update(new)
        self.misses.extend(new.values())
        self.places.extend(places)

    def to_ask(self) -> Iterator[Request]:
        """The missing requests, for one call of the model; ends early when too many wait, or at the gate."""
        self.took = 0
        self.taken.clear()
        while True:
            while self.misses:
                if not self.gate.admits(self.misses[0].request, not self.took):
                    return
                place = self.misses.popleft()
                self.taken[self.took] = place
                self.took += 1
                yield place.request
            if self.ended or len(self.places) >= self.ahead:
                return
            self.read()

    def arrived(self, position: int, completion: Completion) -> Future[Completion]:
        """Keeps the completion of the position-th request that the model took; from any thread."""
        place = self.taken.pop(position, None)
        if place is None:
            raise ModelError(f"completion {position} was not asked for or came twice; a backend must give one "
                             "completion per request")
        completion = sound(completion, place.request)
        self.gate.back(place.request, completion)
        place.request, place.ticket = None, self.put(place.call, completion)
        return place.ticket

    def charged(self, request: Request, completion: Completion) -> bool:
        """Keeps what was charged and is the answer to nothing (lema.messages.Charged)."""
        completion = sound(completion, request)
        self.put(call_of(self.identity, request), completion)
        self.beside.append(completion)
        return self.gate.charged(completion)

    def settled(self) -> Iterator[Completion]:
        """The front of the line as far as it is answered and on the disk."""
        self._count_beside()
        while self.places and self.places[0].ticket and self.places[0].ticket.done():
            place = self.places.popleft()
            completion = place.ticket.result()
            self.asking.pop(place.call.key, None)
            self.counted(completion, place.remembered)
            place.remembered = True  # an equal request that comes later was not asked again
            yield completion

    def answered(self) -> Iterator[Completion]:
        """The front of the line as far as it is answered, waiting for the disk."""
        while self.places and self.places[0].ticket:
            self.places[0].ticket.result()
            yield from self.settled()
        self._count_beside()

    def _count_beside(self) -> None:
        while self.beside:
            self.counted(self.beside.popleft(), None)
