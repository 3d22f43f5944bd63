"""One address that serves the model: what it may be sent now, and how it fares.

One design decision: what was learned about an address (how much it takes, whether it is there, whether it gives
several choices) is kept here and nowhere else, so that several addresses of one model never mix; and a doubt about
it (is it the row or the endpoint?) is settled by asking it something trivial, never by guessing.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from lema.errors import ModelError
from lema.messages import Charged, Completion
from lema.models.api.faults import Filtered, Passing, Refused, UsedUp, is_for_more_tokens, remedy
from lema.models.api.pace import Entry, InFlight, PerMinute
from lema.models.api.settings import Settings
from lema.models.api.wire import PROBED, Outgoing, charge_of

DOUBTED = 8  # faults in a row, with no answer in between
REFUSALS = 16  # refusals in a row, with no answer in between
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds of our own back-off
START_PATIENCE = 3.0  # seconds for an address that never could be reached

Post = Callable[[bytes, int | None], Awaitable[object]]
"""Sends a body that asks for so many tokens and gives the reply's JSON; raises what lema.models.api.faults has."""

log = logging.getLogger("lema")


class Endpoint:
    """Lives as long as its model; `begin` ties it to the event loop of one call."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings, self.url = settings, url
        self.flight = InFlight(settings.concurrency)
        self.requests = PerMinute.spread(settings.requests_per_minute) if settings.requests_per_minute else None
        self.tokens = PerMinute(settings.tokens_per_minute) if settings.tokens_per_minute else None
        self.most = settings.n  # choices worth asking for
        self.together = False  # whether it ever gave several choices
        self.answers = self.refused_in_a_row = 0
        self.reached = self.out = self._doubts_usage = False
        self._short = self._broken_in_a_row = 0
        self._closed_at = self._closed_until = self._capped_until = 0.0
        self._silent_since: float | None = None
        self._pause = FIRST_PAUSE

    def begin(self, post: Post, charged: Charged) -> None:
        """Nothing is under way; what was learned stays. `charged` is told what probes cost."""
        self._post, self._charged, self._doubt = post, charged, asyncio.Lock()
        self.flight.count, self.out, self._silent_since = 0, False, None

    @property
    def name(self) -> str:
        return f"{self.settings.model} at {self.url}"

    def wait(self, now: float, tokens: int) -> float:
        """Seconds until a request that may cost `tokens` may go out; infinite where time alone does not help."""
        if self.out or self.flight.room <= 0:
            return math.inf
        wait = max(0.0, self._closed_until - now)
        if self.requests:
            wait = max(wait, self.requests.wait(now, 1))
        if self.tokens:
            wait = max(wait, self.tokens.wait(now, tokens))
        return wait

    def take(self, now: float, tokens: int) -> Entry | None:
        """Counts a request that goes out now; the entry is what it is reckoned to cost."""
        if self.requests:
            self.requests.take(now, 1)
        return self.tokens.take(now, tokens) if self.tokens else None

    async def ask(self, outgoing: Outgoing) -> object:
        """The reply's JSON; remembers how it went."""
        sent = time.monotonic()
        try:
            reply = await self._post(outgoing.body, outgoing.most.tokens)
        except Passing as fault:
            self.faulty(fault, sent)
            raise
        except Refused:
            self.reached = True
            self.refused_in_a_row += 1
            raise
        except Filtered:
            self._answered()
            raise
        self._answered()
        return reply

    def _answered(self) -> None:
        self.answers += 1
        self.refused_in_a_row = self._broken_in_a_row = 0
        self.reached, self._silent_since, self._pause = True, None, FIRST_PAUSE
        self.flight.answered()

    def faulty(self, fault: Passing, sent: float) -> None:
        """Remembers a fault of a request that went out at `sent`; a 429 closes the address for all."""
        now = time.monotonic()
        self.reached = self.reached or fault.kind != "unreached"
        self._silent_since = now if self._silent_since is None else self._silent_since
        self._cap(fault, now)
        if fault.kind == "busy":
            self.flight.too_much(sent, now)
            if fault.wait is None and sent >= self._closed_at:
                fault.wait = self._pause
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            if fault.wait is not None:
                self._closed_at = now
                pause = min(fault.wait * random.uniform(1, 1.1), self.settings.patience)
                self._closed_until = max(self._closed_until, now + pause)
        else:
            self._broken_in_a_row += 1

    def _cap(self, fault: Passing, now: float) -> None:
        """No pause that is asked for is longer than the config waits; one that would be is said, once a pause."""
        patience = self.settings.patience
        if fault.wait is None or fault.wait <= patience:
            return
        if now >= self._capped_until:
            log.warning("%s asks to be left alone for %s s (%s): it is asked again in %g s, the patience of its "
                        "[models] table", self.name, f"{fault.wait:,.0f}", fault, patience)
            self._capped_until = now + patience
        fault.wait = patience

    def gave(self, wanted: int, given: int) -> None:
        """How many choices came of how many: who ignores `n` twice in a row is not asked for several again."""
        if wanted == 1:
            return
        self._short = self._short + 1 if given < wanted else 0
        self.together = self.together or given > 1
        if self._short > 1:
            self.most = max(1, given)

    def counted(self, completions: Sequence[Completion]) -> None:
        """Says, once, that its counts of tokens are none or cannot be true."""
        if not self._doubts_usage and any(completion.reckoned for completion in completions):
            self._doubts_usage = True
            log.warning("%s gives no count of tokens, or one that cannot be true: they are reckoned from the "
                        "text, on the high side", self.name)

    def doubtful(self, fault: Passing) -> bool:
        """Whether it is worth finding out if it is there at all."""
        return not self.out and (fault.kind == "unreached" or self._broken_in_a_row >= DOUBTED
                                 or self.stuck(time.monotonic()))

    def stuck(self, now: float) -> bool:
        """Whether it has been, or asks to be, without an answer for longer than the config waits."""
        if self._silent_since is None:
            return False
        patience = self.settings.patience if self.reached else min(START_PATIENCE, self.settings.patience)
        return max(now, self._closed_until) - self._silent_since > patience

    async def fault_of_all(self, probe: Outgoing) -> Passing | None:
        """Asks it something trivial in the form of a request: the fault that it has for everybody, None where it
        answers. ModelError where that is refused, since then the settings are at fault and not a row."""
        before = self.answers
        # one probe at a time: many requests fail together, and the others wait here for what the first one learns
        async with self._doubt:
            if self.answers > before:
                return None
            if self.requests:
                await asyncio.sleep(self.requests.wait(time.monotonic(), 1))
            self.take(time.monotonic(), 0)
            reply = None
            try:
                reply = await self.ask(probe)
            except Passing as fault:
                reply = fault.reply
                return fault
            except Refused as refused:
                if not is_for_more_tokens(refused):
                    raise self.error(refused) from None
            except Filtered:
                return None
            finally:
                if charge := charge_of(reply, probe, PROBED):
                    self._charged(probe.request, charge)
            return None

    def error(self, refused: Refused) -> ModelError:
        return ModelError(f"{self.name}: {remedy(refused, self.settings.api_key_env)}")

    async def judge(self, refused: Refused, probe: Outgoing) -> None:
        """Returns where a refusal is the row's own; ModelError where everything is refused."""
        if isinstance(refused, UsedUp) or refused.status == 401:
            raise self.error(refused)
        if not self.answers or self.refused_in_a_row >= REFUSALS:
            await self.fault_of_all(probe)

    async def recover(self, probe: Outgoing, gave_up: Callable[[Passing], bool], fault: Passing) -> None:
        """Takes the address out and brings it back once it answers, or can be reached where it could not.
        `gave_up` is asked after each failed try."""
        self.out, pause = True, FIRST_PAUSE
        while still := await self.fault_of_all(probe):
            if fault.kind == "unreached" != still.kind:
                break
            if pause == FIRST_PAUSE:
                log.warning("%s does not answer (%s): left out until it does", self.name, still)
            if gave_up(still):
                return
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, LONGEST_PAUSE)
        if pause > FIRST_PAUSE:
            log.warning("%s answers again", self.name)
        self._broken_in_a_row, self.out = 0, False
