"""Every completion is kept once: the journal under all model backends.

One design decision: a completion is on the disk before anybody sees it, under a key that is a hash of everything
that reaches the model. So a run that is killed at any moment and started again asks only for what was in flight,
and a completion that was seen once is the same for ever. The file itself is store.py's, the requests under way
waiting.py's, the batches of a provider jobs.py's.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence

from lema.errors import ModelError
from lema.journal.store import Journal, last_replies, spent_in
from lema.journal.usage import sound
from lema.journal.waiting import AHEAD, OPEN, READ, AdmissionGate, Counted, WaitingLine, call_of
from lema.messages import BatchedModel, Completion, Model, Request

__all__ = ["Journal", "complete", "last_replies", "spent_in"]

SLOW = 0.005  # seconds: a model this slow is waited for less than the disk is


def complete(journal: Journal, model: Model, requests: Iterable[Request],
             counted: Counted = lambda completion, remembered: None,
             gate: AdmissionGate = OPEN) -> Iterator[Completion]:
    """One completion per request, in request order, each on the disk before it is yielded.

    What the journal holds comes from there, the rest from the model; equal requests are asked once. Memory is
    bounded, except that a BatchedModel needs the whole list of requests (not of texts) at once. What is missing
    goes out only as far as the `gate` admits it; a BatchedModel runs here and costs nothing.
    """
    if hasattr(model, "batches"):
        return _by_batches(journal, model, list(requests), counted)
    if hasattr(model, "jobs"):
        model.jobs = journal.jobs(model.identity())
    return _streamed(journal, model, requests, counted, gate)


def _streamed(journal: Journal, model: Model, requests: Iterable[Request], counted: Counted,
              gate: AdmissionGate) -> Iterator[Completion]:
    line = WaitingLine(journal.kept, journal.put, model.identity(), iter(requests), counted, gate,
                       getattr(model, "ahead", AHEAD))
    if hasattr(model, "charged"):
        model.charged = line.charged
    while line.misses or not line.ended:
        if line.misses:
            yield from _work_on(line, model)
        else:
            line.read()
            yield from line.answered()
    assert not line.places, "every request read was answered"


def _work_on(line: WaitingLine, model: Model) -> Iterator[Completion]:
    """Lets the model work on the line's missing requests and yields what is answered meanwhile."""
    tells = getattr(model, "complete_telling", None)
    answers = tells(line.to_ask(), line.arrived) if tells else model.complete(line.to_ask())
    given = 0
    with contextlib.closing(answers) if hasattr(answers, "close") else contextlib.nullcontext():
        waiting_since = time.monotonic()
        for completion in answers:
            if not tells:
                line.arrived(given, completion)
            given += 1
            # a fast model is not held up by a commit per row; a slow one's rows are not held back for the next
            yield from line.answered() if time.monotonic() - waiting_since > SLOW else line.settled()
            waiting_since = time.monotonic()
    if given != line.took or line.taken or not given:
        raise ModelError(f"{type(model).__module__}: gave {given} completions for {line.took} requests; a backend "
                         "must give (and, if it tells, tell) one each, a failure included")
    yield from line.answered()


def _by_batches(journal: Journal, model: BatchedModel, requests: Sequence[Request], counted: Counted
                ) -> Iterator[Completion]:
    """Runs every batch with a missing member as a whole, then reads all texts back in request order."""
    identity = model.identity()
    keys = [call_of(identity, request).key for request in requests]
    unique: dict[bytes, Request] = {}
    for key, request in zip(keys, requests, strict=True):
        unique.setdefault(key, request)
    missing = set(unique) - journal.holds(list(unique))
    failed = _run_missing(journal, model, unique, missing, counted)
    for start in range(0, len(keys), READ):
        kept = journal.kept(keys[start:start + READ])
        for key in keys[start:start + READ]:
            completion = failed.get(key) or kept[key]
            if key in missing:
                missing.discard(key)  # it was counted when it came
            else:
                counted(completion, True)
            yield completion


def _run_missing(journal: Journal, model: BatchedModel, unique: dict[bytes, Request], missing: set[bytes],
                 counted: Counted) -> dict[bytes, Completion]:
    """Keeps what was missing and returns the failures, which the journal does not give as answers."""
    identity = model.identity()
    keys, requests = list(unique), list(unique.values())
    failed: dict[bytes, Completion] = {}
    batches = [batch for batch in model.batches(requests)
               if not missing.isdisjoint(keys[position] for position in batch)]
    for number, written in _written(model, [[requests[position] for position in batch] for batch in batches]):
        tickets = {}
        for position, completion in zip(batches[number], written, strict=True):
            if keys[position] in missing:  # the others were only run as its neighbours
                request = requests[position]
                tickets[keys[position]] = journal.put(call_of(identity, request), sound(completion, request))
        for key, ticket in tickets.items():
            counted(ticket.result(), False)
            if ticket.result().failed:
                failed[key] = ticket.result()
    return failed


def _written(model: BatchedModel, batches: Sequence[Sequence[Request]]
             ) -> Iterator[tuple[int, Iterable[Completion]]]:
    """(its number, its completions) for each batch: side by side where the model can do that, in any order."""
    if hasattr(model, "complete_batches"):
        return model.complete_batches(batches) if batches else iter(())
    return enumerate(map(model.complete, batches))
