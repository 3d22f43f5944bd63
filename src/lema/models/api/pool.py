"""The addresses of one model: who gets the next request, who has to wait, and when there is nobody left to ask.

One design decision: a request is given to the address with the largest share of its room free, so that a faster
server gets more and a dead one nothing; those that are asked again go before those that were never asked.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Sequence

from lema.errors import ModelError
from lema.models.api.endpoint import Endpoint
from lema.models.api.faults import Passing
from lema.models.api.pace import Entry
from lema.models.api.wire import Outgoing


class Lease:
    """The right to have one request under way at an endpoint, until it is released."""

    __slots__ = ("_entry", "_held", "_pool", "endpoint")

    def __init__(self, pool: "Pool", endpoint: Endpoint, entry: Entry | None) -> None:
        self._pool, self.endpoint, self._entry, self._held = pool, endpoint, entry, True

    def cost(self, tokens: int) -> None:
        """What the request really cost, in tokens; what was reckoned counts until then."""
        if self._entry is not None:
            self.endpoint.tokens.settle(self._entry, tokens)

    def release(self) -> None:
        """A second call does nothing."""
        if self._held:
            self._held = False
            self.endpoint.flight.count -= 1
            self._pool.freed()


class Pool:
    """`more()` is called when new requests may go out, `fail(error)` when none ever will. Inside an event loop."""

    def __init__(self, endpoints: Sequence[Endpoint], more: Callable[[], None],
                 fail: Callable[[Exception], None]) -> None:
        self.endpoints, self._more, self._fail = endpoints, more, fail
        self._closed = asyncio.Event()
        self._waiting: deque[tuple[asyncio.Future, int]] = deque()
        self._recoveries: set[asyncio.Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, tokens: int) -> Lease | None:
        """A lease for a request never asked before, now or not at all: those that wait go first, else new requests
        would take every place that comes free and a failed one would be asked again last of all."""
        return None if self._waiting else self._take(tokens)

    async def lease(self, tokens: int) -> Lease:
        """A lease for a request that is asked again, as soon as there is one."""
        if self._closed.is_set():
            raise asyncio.CancelledError
        ready = asyncio.get_running_loop().create_future()
        self._waiting.append((ready, tokens))
        self.freed()
        return await ready

    async def pause(self, seconds: float) -> None:
        """Sleeps, unless the pool is closed first."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)

    def close(self) -> None:
        """Ends all that waits; requests under way go on."""
        self._closed.set()
        self._wake_in(math.inf)
        for ready, _ in self._waiting:
            ready.cancel()

    def _take(self, tokens: int) -> Lease | None:
        now = time.monotonic()
        best, soonest = None, math.inf
        for endpoint in self.endpoints:
            wait = endpoint.wait(now, tokens)
            if wait > 0:
                soonest = min(soonest, wait)
            elif best is None or endpoint.flight.room > best.flight.room:
                best = endpoint
        if best is None:
            self._wake_in(soonest)
            return None
        best.flight.count += 1
        return Lease(self, best, best.take(now, tokens))

    def freed(self) -> None:
        """Gives out what is free, first to those who wait."""
        while self._waiting:
            ready, tokens = self._waiting[0]
            if ready.cancelled():
                self._waiting.popleft()
                continue
            lease = self._take(tokens)
            if lease is None:
                return
            self._waiting.popleft()
            ready.set_result(lease)
        self._more()

    def _wake_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds < math.inf:
            # a little later than reckoned: woken too soon by its clock's grain, it would find nothing free
            self._timer = asyncio.get_running_loop().call_later(seconds + 0.001, self.freed)

    def doubt(self, endpoint: Endpoint, fault: Passing, probe: Outgoing) -> None:
        """Called after a fault: finds out about an endpoint that seems to be gone, and when to give up."""
        if endpoint.doubtful(fault):
            endpoint.out = True  # at once: of all requests that fail together one starts the recovery
            task = asyncio.get_running_loop().create_task(self._recover(endpoint, fault, probe))
            self._recoveries.add(task)
            task.add_done_callback(self._recoveries.discard)

    async def _recover(self, endpoint: Endpoint, fault: Passing, probe: Outgoing) -> None:
        try:
            await endpoint.recover(probe, self._gave_up, fault)
        except Exception as error:  # the reader must hear of it, whatever it is
            self._fail(error)
        self.freed()

    def _gave_up(self, fault: Passing) -> bool:
        now = time.monotonic()
        if not all(endpoint.stuck(now) for endpoint in self.endpoints):
            return False
        names = self.endpoints[0].name + (" and its other addresses" if len(self.endpoints) > 1 else "")
        if any(endpoint.reached for endpoint in self.endpoints):
            patience = self.endpoints[0].settings.patience
            self._fail(ModelError(f"{names}: no answer for {patience:g} s ({fault}); what came is kept: run the "
                                  "same command again when it answers, or raise patience in its [models] table"))
        else:
            self._fail(ModelError(f"{names}: cannot be reached ({fault}); start it, or mend base_url in its "
                                  "[models] table"))
        return True
