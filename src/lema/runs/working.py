"""Inside an actor of a cluster: a thread that works on what is handed in, and what crosses to the driver.

One design decision: pieces are handed in while earlier ones are worked on, so that a model never waits for a call
from far away as long as there is anything to ask.
"""

import contextlib
import os
import pickle
import queue
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from lema.errors import LemaError
from lema.journal import Journal
from lema.journal.usage import sound
from lema.journal.waiting import call_of
from lema.messages import Completion, Request

PART, PARTS = 64_000, 24
"""Bytes of a part (Ray keeps what is above 100 kB in its store), and parts of a report."""
LOAD = 4_000_000  # bytes of pieces in one call, where there are several
LINGER = 0.02  # seconds in which what is done is gathered for one report
MORE = 0.1  # seconds that a model waits for more requests before its last ones are settled
PIECES = 256  # done pieces that are worth a report at once

Piece = Any
"""What is worked on at once: a Request, a batch of them, or (path, question) pairs to be graded."""


def parcels(content: object) -> list[bytes]:
    """What crosses between driver and actor, in parts of which none is large enough for Ray's object store: that
    may be full of other people's things, and who waits for room there waits for ever."""
    whole = pickle.dumps(content)
    return [whole[start:start + PART] for start in range(0, len(whole), PART)]


def unpacked(parts: Sequence[bytes]) -> Any:
    """What `parcels` made parts of."""
    return pickle.loads(b"".join(parts))


class Work(NamedTuple):
    """What an actor is to do with pieces: ask a model, `table` as its backend reads it, or grade for a task."""

    kind: str  # model | grader
    name: str
    backend: str
    table: dict


class Report(NamedTuple):
    """What an actor says: answers by their pieces' numbers, what was charged beside them, warnings."""

    answers: list[tuple[int, bytes]]  # each pickled
    charges: list[tuple[Request, Completion]]
    notes: list[str]
    error: Exception | None = None


class Leaving(Exception):
    """Raised where a model asks for more requests and none are wanted any more."""


class Working:
    """A thread that works on pieces, one after the other, with a function."""

    def __init__(self, work: Callable[[Piece], Any]) -> None:
        self._work, self.error, self.room = work, None, True
        self.charges: list[tuple[Request, Completion]] = []
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._done: list[tuple[int, Any]] = []
        self._some, self._left = threading.Condition(), threading.Event()
        self._handed = self._given = 0
        self._thread = threading.Thread(target=self._live, name="working", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    @property
    def idle(self) -> bool:
        """Whether all that was handed in has been given back."""
        return self._handed == self._given

    def put(self, pieces: Sequence[tuple[int, Piece]]) -> None:
        for piece in pieces:
            self._inbox.put(piece)
        self._handed += len(pieces)

    def take(self, seconds: float) -> list[tuple[int, Any]]:
        """What is done; waits so many seconds for anything, and a moment for what comes with it."""
        with self._some:
            self._some.wait_for(lambda: self._done or self.error or self.ended, seconds)
            if self._done and len(self._done) < PIECES and not self.idle:
                self._some.wait(LINGER)
            done, self._done = self._done, []
        self._given += len(done)
        return done

    def leave(self) -> None:
        self._left.set()
        self._inbox.put(None)

    def _next(self, seconds: float | None) -> tuple[int, Piece] | None:
        """The next piece; None where none comes in so many seconds. Leaving where no more are wanted."""
        piece = None
        with contextlib.suppress(queue.Empty):
            piece = self._inbox.get(timeout=seconds)
        if self._left.is_set():
            raise Leaving
        return piece

    def _live(self) -> None:
        try:
            while True:
                self._at(*self._next(None))
        except Leaving:
            pass
        except Exception as error:  # the driver must hear of it, whatever it is
            self.error = with_place(error)
        finally:
            with self._some:
                self._some.notify_all()

    def _at(self, number: int, piece: Piece) -> None:
        self._give(number, self._work(piece))

    def _give(self, number: int, answer: Any) -> None:
        with self._some:
            self._done.append((number, answer))
            self._some.notify_all()


class AskingModel(Working):
    """A thread in which a model is asked, as many requests at once as it likes."""

    def __init__(self, model: Any, identity: dict, shard: Journal) -> None:
        self._model, self._identity, self._shard = model, identity, shard
        if hasattr(model, "charged"):
            model.charged = self._charged
        super().__init__(lambda piece: None)

    def _at(self, number: int, piece: Request) -> None:
        """Lets the model work on this request and all that come while it does."""
        taken: list[tuple[int, Request] | None] = []

        def coming() -> Iterator[Request]:
            each = (number, piece)
            while each is not None:
                taken.append(each)
                yield each[1]
                each = self._next(MORE)

        def arrived(position: int, completion: Completion) -> Future | None:
            (mine, request), taken[position] = taken[position], None
            return self._kept(mine, request, sound(completion, request))

        tells = getattr(self._model, "complete_telling", None)
        answers = tells(coming(), arrived) if tells else self._model.complete(coming())
        for position, completion in enumerate(answers):
            if not tells:
                arrived(position, completion)

    def _kept(self, number: int, request: Request, completion: Completion) -> Future | None:
        """Gives a completion once it is in the shard. Failures are the driver's to record: they are no answers."""
        if completion.failed:
            self._give(number, completion)
            return None
        ticket = self._shard.put(call_of(self._identity, request), completion)
        ticket.add_done_callback(lambda kept: self._on_disk(number, kept))
        return ticket

    def _on_disk(self, number: int, kept: Future) -> None:
        if error := kept.exception():
            self.error = with_place(error)
            with self._some:
                self._some.notify_all()
            return
        self._give(number, kept.result())

    def _charged(self, request: Request, completion: Completion) -> bool:
        self.charges.append((request, completion))
        return self.room


class KeptBatches(NamedTuple):
    """What a model makes of a batch, in the shard before it is given."""

    model: Any
    identity: dict
    shard: Journal

    def __call__(self, batch: Sequence[Request]) -> list[Completion]:
        completions, tickets = [], []
        for request, completion in zip(batch, self.model.complete(batch), strict=True):
            completions.append(sound(completion, request))
            if not completions[-1].failed:
                tickets.append(self.shard.put(call_of(self.identity, request), completions[-1]))
        for ticket in tickets:
            ticket.result()
        return completions


def with_place(error: Exception) -> Exception:
    """The error as it can cross to the driver, with where it came about."""
    if isinstance(error, LemaError):
        error.add_note(f"on {os.uname().nodename}, process {os.getpid()}")
        return error
    return RuntimeError(f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
