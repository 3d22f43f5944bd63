"""Some paths of one prompt, asked until each of them is a completion or a recorded failure.

One design decision: what a fault leads to depends on its class alone: what may pass is asked again after a
growing, random pause; what is refused is not; and only an endpoint that refuses or fails everybody ends the run.
"""

import random
from collections.abc import Callable, Sequence

from lema.messages import Charged, Completion, Request
from lema.models.api.endpoint import FIRST_PAUSE, LONGEST_PAUSE, Endpoint
from lema.models.api.faults import Filtered, Passing, Refused
from lema.models.api.pool import Lease, Pool
from lema.models.api.settings import Settings
from lema.models.api.wire import (
    Outgoing,
    charge_of,
    no_choices,
    outgoing,
    probe_of,
    read_choices,
)

BYTES_PER_TOKEN = 3  # of a prompt, to reckon with before the endpoint has counted it


class Place:
    """A request's place among those read; `done` once its completion may be given to the reader."""

    __slots__ = ("completion", "done", "position", "request")

    def __init__(self, position: int, request: Request) -> None:
        self.position, self.request = position, request
        self.completion: Completion | None = None
        self.done = False


Deliver = Callable[[Sequence[Place], Sequence[Completion], Lease | None], None]
"""Hands completions over; the lease is given back when they are kept."""


def follows(last: Request, request: Request) -> bool:
    """Whether a request can be the next choice beside `last`: the same text drawn, with the next path index."""
    return (request.index == last.index + 1 and request.sampling == last.sampling and last.sampling.temperature > 0
            and request.messages == last.messages and request.prefix == last.prefix)


class Retrying:
    """Asks groups of places at the pool's endpoints. `rest(places)` takes back what a request cannot hold."""

    def __init__(self, settings: Settings, pool: Pool, deliver: Deliver, rest: Callable[[list[Place]], None],
                 charged: Charged) -> None:
        self.settings, self.pool, self.deliver, self.rest, self.charged = settings, pool, deliver, rest, charged

    def tokens_of(self, places: Sequence[Place]) -> int:
        """What a request may cost at most, as far as can be told before."""
        if not self.settings.tokens_per_minute:
            return 0
        most = outgoing(self.settings, places[0].request, len(places)).most
        return most.prompt_tokens // BYTES_PER_TOKEN + (most.tokens or 0)

    async def settle(self, places: list[Place], lease: Lease) -> None:
        """Until each place is delivered. ModelError where the endpoint refuses everything."""
        tries, pause, alone = 0, FIRST_PAUSE, False
        while True:
            endpoint, n = lease.endpoint, 1 if alone else min(len(places), lease.endpoint.most)
            if n < len(places) and not alone:
                self.rest(places[n:])
                places = places[:n]
            request, before = places[0].request, endpoint.answers
            sent = outgoing(self.settings, request, n)
            try:
                reply = await endpoint.ask(sent)
                choices = self._choices(reply, sent)
            except Passing as fault:
                self._give_back(lease, fault, request)
                tries += fault.kind != "unreached"
                over = self._spent(fault, sent) or tries > self.settings.retries
                if over and await self._is_its_own(fault, request, endpoint, before):
                    return self.deliver(places, [Completion("", f"error: {fault}")] * len(places), None)
                if fault.kind == "broken":
                    await self._pause(fault, pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
            except Filtered:
                return self.deliver(places, [Completion("", "content_filter")] * len(places), lease)
            except Refused as refused:
                lease.cost(0)
                if n == 1 or endpoint.together:
                    await endpoint.judge(refused, self._probe(request))
                    return self.deliver(places, [Completion("", f"error: {refused}")] * len(places), lease)
                lease.release()
                alone = True  # is it the prompt that is refused, or `n`?
            else:
                lease.cost(sum(choice.prompt_tokens + choice.tokens for choice in choices))
                endpoint.counted(choices)
                if alone:
                    endpoint.most, alone = 1, False
                endpoint.gave(n, len(choices))
                self.deliver(places[:len(choices)], choices, lease)
                places, tries = places[len(choices):], 0
                if not places:
                    return None
            lease = await self.pool.lease(self.tokens_of(places))

    def _give_back(self, lease: Lease, fault: Passing, request: Request) -> None:
        if fault.kind == "busy":
            lease.cost(0)
        lease.release()
        self.pool.doubt(lease.endpoint, fault, self._probe(request))

    async def _is_its_own(self, fault: Passing, request: Request, endpoint: Endpoint, before: int) -> bool:
        """Whether a fault that does not pass is this request's; an address that is busy for all is waited for."""
        if fault.kind != "busy" or endpoint.answers > before:
            return True
        return not await endpoint.fault_of_all(self._probe(request))

    async def _pause(self, fault: Passing, seconds: float) -> None:
        """As long as the endpoint asks for, else about `seconds`: what failed together comes back one by one."""
        ours = seconds * random.uniform(0.5, 1)
        await self.pool.pause(ours if fault.wait is None else min(fault.wait, self.settings.patience))

    def _probe(self, request: Request) -> Outgoing:
        return probe_of(self.settings, request)

    def _choices(self, reply: object, sent: Outgoing) -> list[Completion]:
        choices = read_choices(reply, sent)
        if not choices:
            raise Passing(no_choices(reply).removeprefix("error: "), reply=reply)
        return choices

    def _spent(self, fault: Passing, sent: Outgoing) -> bool:
        """Counts what a try was charged that gave nothing; whether there is no room for another one."""
        charge = charge_of(fault.reply, sent, f"error: {fault}")
        return charge is not None and not self.charged(sent.request, charge)
