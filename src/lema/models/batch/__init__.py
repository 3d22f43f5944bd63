"""The Batch API of OpenAI and of those who copy it: half the price, within a day instead of at once.

    [models.corrector]
    backend = "batch"
    model = "gpt-5-mini"
    Request((Message("user", "Leo has 15 pens …"),), Sampling(max_tokens=64))
    → Completion("He has 15 - 6 = 9 pens.", "stop", prompt_tokens=31, tokens=14, share=0.5)

One design decision: a batch is a job that outlives this process, so each step of one is noted in the journal
before it is done; what a batch did not answer is put into another one, or asked online. The identity is the api
backend's, because the same bodies reach the same model: a run may change from one to the other and asks nothing
again.
"""

import hashlib
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from lema.errors import ModelError
from lema.journal.jobs import Job, Jobs, Unkept
from lema.journal.usage import Most
from lema.messages import Arrived, Charged, Completion, Request
from lema.models import api
from lema.models.api.wire import MOST_BYTES, longest
from lema.models.batch.awaited import AwaitedJob, BatchedRequest
from lema.models.batch.results import ENDED, State, read_row
from lema.plugins import execution

if TYPE_CHECKING:
    from lema.models.batch.provider import Provider

TOO_MANY = "token_limit"  # said of a batch that was refused until others have ended


class Settings(api.Settings):
    """[models.X] with backend = "batch": the api backend's keys, and these."""

    file_requests: int = execution(50_000, ge=1, description="in one batch")
    file_bytes: int = execution(200_000_000, ge=1000, description="of one batch's file")
    batches: int = execution(8, ge=1, description="under way at once")
    window: str = execution("24h", description="completion_window of a batch")
    poll: float = execution(30.0, gt=0, description="seconds between two looks")
    resubmit: int = execution(3, ge=0, description="further batches that a request without an answer is put into")
    online_tail: int = execution(0, ge=0, description="once at most so many are left, they are asked online, at "
                                                      "the full price")
    share: float = execution(0.5, ge=0, description="of the online price that a batched request costs")


class Model:
    """A model behind a Batch API. `jobs` is the journal's, where there is one; `watched` hears of progress."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.online = api.Model(api.Settings(**settings.model_dump(include=set(api.Settings.model_fields),
                                                                   exclude_unset=True)))
        self.jobs: Jobs | Unkept = Unkept()
        self.watched: Callable[[int, str], None] = lambda ready, status: None
        self.share = 1.0 if settings.online_tail else settings.share  # the most that a request may be charged
        self.ahead = settings.batches * settings.file_requests
        self.charged: Charged = lambda request, completion: True

    def identity(self) -> dict:
        return self.online.identity()

    @staticmethod
    def no_prefix(settings: Settings) -> str:
        """As of the api backend: the bodies are the same."""
        return api.Model.no_prefix(settings)

    def most(self, request: Request) -> Most:
        """The most that a request can cost, in tokens."""
        return self.online.most(request)

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As every backend; at most `batches` files of requests are held."""
        return self.complete_telling(requests, lambda position, completion: None)

    def complete_telling(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        """As every ConcurrentModel. ModelError where the provider refuses or a batch was cancelled by hand."""
        from lema.models.batch.provider import Provider

        self.online.charged = self.charged
        with Provider(self.settings) as provider:
            work = _Work(self, provider, arrived)
            for request in requests:
                work.take(request)
                while len(work.looked_at()) >= self.settings.batches:
                    work.look()
                yield from work.answered()
            work.finish()
            yield from work.answered()


class _Work:
    """One call's requests: in the file being filled, in jobs under way, or answered and waiting for their turn."""

    def __init__(self, model: Model, provider: "Provider", arrived: Arrived) -> None:
        self.settings, self.online, self.provider = model.settings, model.online, provider
        self.jobs, self.watched, self.arrived = model.jobs, model.watched, arrived
        self.under_way: dict[int, BatchedRequest] = {}
        self.took = self.given = 0
        self.all_taken = False
        self.chunk: dict[str, list[int]] = {}
        self.chunk_bytes = 0
        self.held: dict[str, AwaitedJob] = {}
        self.left: dict[str, Job] = {}  # what earlier processes left under way: request id to job
        for job in self.jobs.open():
            if job.state == "planned":
                self.jobs.note(job.at(state="closed", requests=()))  # no batch was made of it
            else:
                self.left |= dict.fromkeys(job.requests, job)

    def take(self, request: Request) -> None:
        """One more request: to the job that already holds it, else into the file that is being filled."""
        position, self.took = self.took, self.took + 1
        self.under_way[position] = BatchedRequest(request, _id_of(self.settings, request))
        self._place(position)

    def _place(self, position: int) -> None:
        name = self.under_way[position].id
        job = self.left.get(name)
        if job is not None and (held := self._adopted(job)) is not None:
            held.wanted[name].append(position)
            return
        if name in self.chunk:
            self.chunk[name].append(position)
            return
        size = len(self._line(position))
        full = len(self.chunk) >= self.settings.file_requests or self.chunk_bytes + size > self.settings.file_bytes
        if self.chunk and full:
            self._submit()
        self.chunk[name] = [position]
        self.chunk_bytes += size

    def answered(self) -> Iterator[Completion]:
        """The completions that are next in request order."""
        while self.given in self.under_way and self.under_way[self.given].answer is not None:
            yield self.under_way.pop(self.given).answer
            self.given += 1

    def looked_at(self) -> dict[str, AwaitedJob]:
        """The jobs that may be harvested now. What an earlier process left waits until every request is taken,
        because only then it is known which of its answers are wanted."""
        return {name: held for name, held in self.held.items() if self.all_taken or not held.adopted}

    def look(self) -> None:
        """Waits for a while, then harvests every job that has ended."""
        time.sleep(self.settings.poll)
        states: dict[str, State] = {}
        ready = total = 0
        for name, held in self.looked_at().items():
            states[name] = self.provider.state(held.job.batch)
            ready += states[name].completed
            total += len(held.job.requests)
        self.watched(min(ready, total), f"{len(states)} {'batch' if len(states) == 1 else 'batches'} under way, "
                                        f"{ready:,} of {total:,} ready")
        others = len(self.held) > 1
        for name, state in states.items():
            if state.status in ENDED:
                self._harvest(self.held.pop(name), state, others)
        if self.all_taken and not self.chunk:
            self._give_up_the_rest(states)

    def finish(self) -> None:
        """Everything that is still open: submitted or asked online, and waited for."""
        self.all_taken = True
        while self.chunk or self.held:
            if self.chunk and len(self.chunk) <= self.settings.online_tail:
                self._ask_online()
            elif self.chunk and len(self.held) < self.settings.batches:
                self._submit()
            else:
                self.look()

    def _submit(self) -> None:
        wanted, self.chunk, self.chunk_bytes = self.chunk, {}, 0
        job = self.jobs.note(Job(uuid.uuid4().hex, tuple(wanted)))
        content = b"".join(self._line(positions[0]) for positions in wanted.values())
        job = self.jobs.note(job.at(state="uploaded", file=self.provider.upload(job.name, content)))
        job = self.jobs.note(job.at(state="created", batch=self.provider.create(job)))
        self.held[job.name] = AwaitedJob(job, defaultdict(list, wanted))

    def _adopted(self, job: Job) -> AwaitedJob | None:
        """A job of an earlier process, waited for from now on; None where its batch was never made."""
        if job.name not in self.held:
            if job.state == "uploaded":
                batch = self.provider.find(job)
                if not batch:
                    self._close(job, ())
                    return None
                job = self.jobs.note(job.at(state="created", batch=batch))
            self.held[job.name] = AwaitedJob(job, adopted=True)
        return self.held[job.name]

    def _harvest(self, held: AwaitedJob, state: State, others: bool) -> None:
        """Tells every answer of an ended job, notes that, and lays what has none aside for another one."""
        unwanted, tickets, ours = [], [], set(held.job.requests)
        for row in self.provider.rows(state, self._longest(held)):
            name, completion = read_row(row, partial(self._sent, held), self.settings.share)
            if name in held.wanted and completion is not None:
                tickets += [self._tell(position, completion) for position in held.wanted.pop(name)]
            elif completion is not None and name in ours:
                unwanted.append(name)
        for ticket in filter(None, tickets):
            ticket.result()
        self._close(held.job, tuple(unwanted))
        self._judge(held, state, others)
        for positions in held.wanted.values():
            for position in positions:
                self._again(position, state)

    def _judge(self, held: AwaitedJob, state: State, others: bool) -> None:
        """ModelError where asking again as before would end as before; not so where others took up the room."""
        batch = held.job.batch
        if state.status == "failed" and not (others and TOO_MANY in state.errors):
            raise ModelError(f"{self.provider.name}: batch {batch} was refused ({state.errors}); mend what it "
                             "says, or lower file_requests and batches, and run again")
        if state.status == "cancelled" and not held.cancelled:
            raise ModelError(f"{self.provider.name}: batch {batch} was cancelled; what it had answered is kept: "
                             "run again to ask for the rest, or with --online-tail to ask for it at once")

    def _again(self, position: int, state: State) -> None:
        batched = self.under_way[position]
        batched.tries += TOO_MANY not in state.errors
        if batched.tries > self.settings.resubmit:
            self._tell(position, Completion("", f"error: no answer in {batched.tries} batches (the last one "
                                                f"{state.status})"))
        else:
            self._place(position)

    def _give_up_the_rest(self, states: dict[str, State]) -> None:
        """Where few rows are left in slow batches, cancels those, so that what they lack can be asked online."""
        missing = {name: len(held.job.requests) - states[name].completed
                   for name, held in self.held.items() if name in states}
        if sum(missing.values()) > self.settings.online_tail:
            return
        for name, held in self.held.items():
            if missing.get(name) and states[name].status == "in_progress" and not held.cancelled:
                self.provider.cancel(held.job.batch)
                held.cancelled = True

    def _ask_online(self) -> None:
        positions = [position for several in self.chunk.values() for position in several]
        self.chunk, self.chunk_bytes = {}, 0
        requests = [self.under_way[position].request for position in positions]
        answers = self.online.complete_telling(requests, lambda place, reply: self._tell(positions[place], reply))
        for _ in answers:
            pass

    def _tell(self, position: int, completion: Completion) -> Future | None:
        self.under_way[position].answer = completion
        return self.arrived(position, completion)

    def _close(self, job: Job, unwanted: tuple[str, ...]) -> None:
        """Nothing more is waited for from the job, but its answers that nobody wanted may be wanted later."""
        for name in job.requests:
            self.left.pop(name, None)
        job = self.jobs.note(job.at(requests=unwanted) if unwanted else job.at(state="closed", requests=()))
        self.left |= dict.fromkeys(job.requests, job)

    def _sent(self, held: AwaitedJob, name: str) -> api.Outgoing | None:
        """The job's request of that id as it was sent; None where nobody wants its answer."""
        positions = held.wanted.get(name)
        return api.outgoing(self.settings, self.under_way[positions[0]].request) if positions else None

    def _longest(self, held: AwaitedJob) -> int:
        """Bytes that a file of the job's answers may have."""
        sizes = [longest(self._sent(held, name).most.tokens) for name in held.wanted]
        return len(held.job.requests) * max(sizes, default=MOST_BYTES)

    def _line(self, position: int) -> bytes:
        batched = self.under_way[position]
        return json.dumps({"custom_id": batched.id, "method": "POST", "url": self.provider.endpoint,
                           "body": api.body_of(self.settings, batched.request)}).encode() + b"\n"


def _id_of(settings: Settings, request: Request) -> str:
    """The request's custom_id: 32 hex digits of everything that is sent and the path index."""
    sent = json.dumps([api.body_of(settings, request), request.index], sort_keys=True)
    return hashlib.sha256(sent.encode()).hexdigest()[:32]
