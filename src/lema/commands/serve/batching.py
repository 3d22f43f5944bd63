"""Dynamic batching: whatever waits for a model when it is free is written side by side.

One design decision: one thread per model takes everything that waits, lets the backend cut it into batches as it
would cut a stage's list, and answers each batch as it ends. Nobody waits for a batch to fill: a request that comes
alone runs alone.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from operator import attrgetter

from lema.checkpoints import first_line
from lema.errors import ModelError
from lema.messages import Completion, Model, Request

GATHER = 0.003
"""Seconds between the first request that finds the model free and the batch: what a client sends together comes
within it."""
MOST = 1024  # requests taken together, so that a newcomer does not wait for all that came before it


@dataclass(slots=True, eq=False)
class _Waiting:
    model: Model
    request: Request
    reply: "Future[Completion]" = field(default_factory=Future)


REQUEST = attrgetter("request")


class Desk:
    """Takes requests from any thread and has one thread that works on them, for as long as the process lives."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[_Waiting] = queue.SimpleQueue()
        self._worker = threading.Thread(target=self._work, name="desk", daemon=True)
        self._worker.start()

    def ask(self, model: Model, requests: Sequence[Request]) -> "list[Future[Completion]]":
        """One future per request. Models that share weights share a desk; a batch is of one of them."""
        replies = []
        for request in requests:
            call = _Waiting(model, request)
            self._inbox.put(call)
            replies.append(call.reply)
        return replies

    def _work(self) -> None:
        while True:
            taken = [self._inbox.get()]
            if self._inbox.empty():
                time.sleep(GATHER)
            while len(taken) < MOST and not self._inbox.empty():
                taken.append(self._inbox.get())
            by_model: dict[Model, list[_Waiting]] = defaultdict(list)
            for call in taken:
                by_model[call.model].append(call)
            for model, calls in by_model.items():
                # a client that has gone is not written for
                _answer(model, [call for call in calls if call.reply.set_running_or_notify_cancel()])


def _answer(model: Model, waiting: list[_Waiting]) -> None:
    """Answers all of them, batch by batch; a batch that fails is told so, and the next one is tried."""
    try:
        requests = list(map(REQUEST, waiting))
        batches = model.batches(requests) if hasattr(model, "batches") else [range(len(requests))]
    except BaseException as error:  # whoever waits must hear of it, a panic in a tokenizer's Rust included
        _fail(waiting, error)
        return
    for batch in batches:
        together = [waiting[position] for position in batch]
        try:
            replies = list(model.complete(list(map(REQUEST, together))))
        except BaseException as error:
            _fail(together, error)
        else:
            for call, reply in zip(together, replies, strict=True):
                call.reply.set_result(reply)


def _fail(waiting: list[_Waiting], error: BaseException) -> None:
    if not isinstance(error, Exception):
        error = ModelError(f"the model fails ({first_line(error)})")
    for call in waiting:
        call.reply.set_exception(error)
