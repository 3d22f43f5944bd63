"""The event loop behind the api backend: requests in, completions out, in a thread of its own.

One design decision: the reader's thread and the loop's share two queues and wake each other only when one of them
sleeps, because a wake-up per request costs more than the request.
"""

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial

from lema.errors import ModelError
from lema.messages import Arrived, Charged, Completion, Request
from lema.models.api.endpoint import Endpoint
from lema.models.api.pool import Lease, Pool
from lema.models.api.retrying import Place, Retrying, follows
from lema.models.api.settings import Settings, is_local
from lema.models.api.transport import Transport, address_of, proxy_for

LAST_REPLIES = 30.0  # seconds that a reader who leaves gives to replies under way: they are paid for
AHEAD = 4096  # requests read and not yet answered to the reader: one that takes its time holds up few others


class Driver:
    """Everything that one call of `complete` has under way."""

    def __init__(self, settings: Settings, endpoints: Sequence[Endpoint], arrived: Arrived,
                 charged: Charged) -> None:
        self.settings, self.endpoints, self.arrived, self.charged = settings, endpoints, arrived, charged
        self.error: Exception | None = None
        self._inbox: deque[list[Place]] = deque()
        self._sleeping, self._closing = True, False
        self._head: Place | None = None
        self._progress = threading.Event()
        self._kept: deque[tuple[Sequence[Place], Lease | None, list[Future]]] = deque()
        self._landing, self._unkept = False, 0
        self._tasks: set[asyncio.Task] = set()
        self._loop = asyncio.new_event_loop()

    # ---- the reader's thread

    def answers(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """In request order. About AHEAD requests are read, and as many more as may be in flight beyond that."""
        window = max(AHEAD, 2 * self.settings.concurrency * len(self.endpoints) * self.settings.n)
        under_way: deque[Place] = deque()
        for group in _groups(requests, self.settings.n):
            under_way.extend(group)
            self._hand_over(group)
            while under_way and (under_way[0].done or len(under_way) >= window):
                yield self._answer(under_way.popleft())
        while under_way:
            yield self._answer(under_way.popleft())

    def _hand_over(self, group: list[Place]) -> None:
        self._inbox.append(group)
        if self._sleeping:
            self._sleeping = False
            self._loop.call_soon_threadsafe(self._more)

    def _answer(self, place: Place) -> Completion:
        self._head = place
        while not place.done:
            self._progress.clear()
            if place.done:  # between the look and the clearing: nobody would wake us again
                break
            if self.error is not None:
                raise self.error
            self._progress.wait()
        return place.completion

    # ---- the loop's thread

    async def open(self, addresses: Sequence) -> None:
        """Makes what belongs to the loop."""
        self._transport = Transport(self.settings.timeout)
        for endpoint, address in zip(self.endpoints, addresses, strict=True):
            endpoint.begin(partial(self._transport.post, address), self.charged)
        self.pool = Pool(self.endpoints, self._more, self._fail)
        self.retrying = Retrying(self.settings, self.pool, self._deliver, self._take_back, self.charged)

    async def close(self, seconds: float) -> None:
        """Lets replies under way arrive for so many seconds, then ends everything."""
        self._closing = True
        self._inbox.clear()
        self.pool.close()
        under_way = {task for task in self._tasks if not task.done()}
        until = self._loop.time() + seconds
        if under_way and seconds:
            await asyncio.wait(under_way, timeout=seconds)
        # what arrived counts only when the journal has it on the disk
        while self._unkept and self.error is None and self._loop.time() < until:
            await asyncio.sleep(0.005)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._transport.close()

    def _more(self) -> None:
        """Starts as many new requests as may go out now."""
        while not self._closing:
            if not self._inbox:
                self._sleeping = True  # before looking again: the reader may just have added one
                if not self._inbox:
                    return
                self._sleeping = False
            lease = self.pool.take(self.retrying.tokens_of(self._inbox[0]))
            if lease is None:
                return
            task = self._loop.create_task(self._settled(self._inbox.popleft(), lease))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _take_back(self, places: list[Place]) -> None:
        self._inbox.appendleft(places)
        self._loop.call_soon(self._more)

    async def _settled(self, places: list[Place], lease: Lease) -> None:
        try:
            await self.retrying.settle(places, lease)
        except Exception as error:  # the reader must hear of it, whatever it is
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self.error = self.error or error
        self._progress.set()

    def _deliver(self, places: Sequence[Place], completions: Sequence[Completion], lease: Lease | None) -> None:
        """Tells of completions; they count as in flight until they are kept."""
        tickets = []
        for place, completion in zip(places, completions, strict=True):
            place.completion = completion
            if ticket := self.arrived(place.position, completion):
                tickets.append(ticket)
        if not tickets:
            return self._landed(places, lease)
        self._unkept += 1
        kept = (places, lease, tickets)
        tickets[-1].add_done_callback(lambda _: self._keep(kept))  # they are kept in order
        return None

    def _keep(self, kept: tuple) -> None:
        """Called from the journal's thread."""
        self._kept.append(kept)
        if not self._landing:  # one wake-up for all that a commit of the journal kept
            self._landing = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: the reader has left
                self._loop.call_soon_threadsafe(self._landings)

    def _landings(self) -> None:
        self._landing = False
        while self._kept:
            places, lease, tickets = self._kept.popleft()
            self._unkept -= 1
            for ticket in tickets:
                if error := ticket.exception():
                    self._fail(error)
                    break
            else:
                self._landed(places, lease)

    def _landed(self, places: Sequence[Place], lease: Lease | None) -> None:
        for place in places:
            place.done = True
            if place is self._head:
                self._progress.set()
        if lease is not None:
            lease.release()


@contextlib.contextmanager
def driving(settings: Settings, endpoints: Sequence[Endpoint], arrived: Arrived,
            charged: Charged) -> Iterator[Driver]:
    """A driver whose loop runs in a thread of its own until the block ends."""
    addresses = _addresses(settings)
    driver = Driver(settings, endpoints, arrived, charged)
    loop, run = driver._loop, asyncio.run_coroutine_threadsafe
    thread = threading.Thread(target=loop.run_forever, name="api", daemon=True)
    thread.start()
    seconds = LAST_REPLIES
    try:
        run(driver.open(addresses), loop).result()
        try:
            yield driver
        except KeyboardInterrupt:
            seconds = 0.0
            raise
        finally:
            run(driver.close(seconds), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _groups(requests: Iterable[Request], n: int) -> Iterator[list[Place]]:
    """Neighbours that can be choices of one request, at most `n` together."""
    group: list[Place] = []
    for position, request in enumerate(requests):
        if group and not follows(group[-1].request, request):
            yield group
            group = []
        group.append(Place(position, request))
        if len(group) >= n or request.sampling.temperature <= 0:
            yield group
            group = []
    if group:
        yield group


def _addresses(settings: Settings) -> list:
    """The settings' addresses with their keys. A server on this machine gets a key only if the config names its
    variable; ModelError where a key is missing."""
    path = "/chat/completions" if settings.form == "chat" else "/completions"
    addresses = []
    for url in settings.base_url:
        keyless = is_local(url) and "api_key_env" not in settings.model_fields_set
        key = "" if keyless else os.environ.get(settings.api_key_env, "").strip()
        if not key and not keyless:
            raise ModelError(f"{settings.model} at {url}: no key; put it into the environment variable "
                             f"{settings.api_key_env}, or name another in api_key_env")
        addresses.append(address_of(url + path, key, None if is_local(url) else proxy_for(url)))
    return addresses
