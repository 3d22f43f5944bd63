"""The actors that work for one stage, as the driver sees them: fed as fast as they answer, and replaced.

One design decision: each actor has at most one call under way, which brings pieces there and answers back; so what
an actor holds is known here to the piece, and of one that dies its shard says what was answered before.
"""

import contextlib
import logging
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

from lema.errors import RunError
from lema.journal import Journal
from lema.runs.cluster import ray_itself
from lema.runs.office import LOOK, Ended, Hired, Need, Office, no_room
from lema.runs.working import LOAD, PARTS, Piece, Report, Work, parcels, unpacked

DEATHS, DYING_S = 4, 90.0
"""A stage is given up when so many actors in a row died, with no answer in between, for so many seconds: a machine
that is gone is given actors until the cluster has noticed."""
FIRST_S = 5.0  # seconds that a stage waits for all of its actors once one of them is there
LAST_REPLIES = 40.0  # seconds that replies under way get where a stage ends early: they are paid for
GRAIN = 16  # pieces given to one actor before the next one gets some
MOST = 512  # pieces that are given together because they belong together: paths of one prompt

log = logging.getLogger("lema")


class Team:
    """The actors that work on one thing for one stage, `size` of them as far as there is room. `identity`: what
    names the model here, which must be the same everywhere."""

    def __init__(self, office: Office, work: Work, need: Need, size: int, window: int,
                 identity: dict | None = None) -> None:
        self._office, self._work, self._need, self._size = office, work, need, size
        self._window, self._identity = window, identity
        self._hired: list[Hired] = []
        self._calls: dict[Any, Hired] = {}
        self._rest: dict[Any, list] = {}  # the further parts of a call's report
        self._again: deque[tuple[int, Piece]] = deque()
        self._deaths, self._dying_since, self._hire_from = 0, 0.0, 0.0
        self._waiting_since = time.monotonic()
        self.room = True

    def answers(self, pieces: Iterator[Piece], salvage: Callable[[Path, dict[int, Piece]], dict[int, Any]],
                heard_of: Callable[[Report], None] = lambda report: None,
                together: Callable[[Piece, Piece], bool] = lambda last, piece: False
                ) -> Iterator[tuple[int, Any]]:
        """(number, answer) for every piece, numbered as they come, in the order in which they are done. `salvage`
        gives the answers that a dead actor's shard holds for pieces; `together`: a piece goes where the last did;
        `heard_of` hears each report."""
        self._pieces = _Numbered(pieces, together)
        try:
            while True:
                self._feed()
                if self._pieces.ended and not self._again and not any(hired.holds for hired in self._hired):
                    return
                yield from self._heard(salvage, heard_of)
        finally:
            self._leave(heard_of)

    def close(self) -> None:
        """Gives the actors back."""
        for hired in self._hired:
            self._office.give_back(hired)
        self._hired = []

    def _feed(self) -> None:
        """Hands out pieces, fairly, to whoever has room, and calls whoever has something to answer."""
        while len(self._hired) < self._size and time.monotonic() >= self._hire_from:
            self._open(self._office.hire(self._need))
        busy = set(self._calls.values())
        free = [hired for hired in self._hired if hired.ready and hired not in busy]
        if not free or (self._opening() and time.monotonic() - self._waiting_since < FIRST_S):
            return
        while free:
            least = min(free, key=lambda hired: len(hired.holds))
            if len(least.holds) >= self._window or least.bytes > LOAD or not self._give(least):
                break
        for hired in free:
            if hired.holds:
                parts, hired.sent, hired.bytes = parcels(hired.sent), [], 0
                first, *rest = hired.handle.exchange.options(num_returns=PARTS).remote(self.room, *parts)
                self._calls[first], self._rest[first] = hired, rest

    def _give(self, hired: Hired) -> bool:
        """A grain of pieces; False where there are none."""
        grain = [self._again.popleft() for _ in range(min(GRAIN, len(self._again)))]
        grain = grain or self._pieces.take(max(1, min(GRAIN, self._window // 8)))
        hired.holds.update(grain)
        for number, piece in grain:
            hired.sent.append((number, pickle.dumps(piece)))
            hired.bytes += len(hired.sent[-1][1])
        return bool(grain)

    def _opening(self) -> bool:
        return not all(map(attrgetter("ready"), self._hired))

    def _open(self, hired: Hired) -> None:
        self._hired.append(hired)
        self._calls[hired.handle.open.remote(self._work)] = hired

    def _heard(self, salvage: Callable, heard_of: Callable) -> Iterator[tuple[int, Any]]:
        """The answers of the calls that are done."""
        ray, done = ray_itself(), []
        if self._calls:
            ray.wait(list(self._calls), num_returns=1, timeout=LOOK)
            done, _ = ray.wait(list(self._calls), num_returns=len(self._calls), timeout=0)
        else:  # all have died, and the next are not hired yet
            time.sleep(LOOK)
        if self._office.ending.is_set():
            raise Ended
        self._look_for_room()
        for call in filter(self._calls.__contains__, done):
            hired = self._calls.pop(call)
            try:
                rest = self._rest.pop(call, None)
                given = ray.get(call) if rest is None else unpacked(ray.get([call, *rest]))
                yield from self._taken(hired, given, heard_of)
            except (ray.exceptions.RayActorError, ray.exceptions.OwnerDiedError) as error:
                yield from self._lost(hired, salvage, error)
            except ray.exceptions.RayTaskError as error:
                raise error.cause if isinstance(error.cause, Exception) else error from None

    def _taken(self, hired: Hired, given: Any, heard_of: Callable) -> Iterator[tuple[int, Any]]:
        """What a call gave: an actor is ready, or reports."""
        if not isinstance(given, Report):
            shard, identity = given
            self._require_same(identity, shard)
            if not any(map(attrgetter("ready"), self._hired)):
                self._waiting_since = time.monotonic()
            hired.shard, hired.up, hired.ready = Path(shard), True, True
            return
        heard_of(given)
        for note in given.notes:
            log.warning("%s", note)
        for number, answer in given.answers:
            hired.holds.pop(number)
            self._deaths = 0
            yield number, pickle.loads(answer)
        if given.error is not None:
            raise given.error

    def _lost(self, hired: Hired, salvage: Callable, error: Exception) -> Iterator[tuple[int, Any]]:
        """An actor died: what its shard holds is answered, the rest is given to others, and another one hired."""
        self._hired.remove(hired)
        self._office.forget(hired)
        now = time.monotonic()
        self._dying_since = self._dying_since if self._deaths else now
        self._deaths += 1
        self._hire_from = now + min(2.0 ** self._deaths / 4, 10.0)
        if self._deaths >= DEATHS and now - self._dying_since > DYING_S:
            raise RunError(f"{self._work.name}: {self._deaths} actors in a row died without any answer "
                           f"({_reason(error)}); out of memory? What was answered is kept: run the same command "
                           "again when that is mended") from None
        log.warning("an actor of %s died (%s): its %d requests under way go to others", self._work.name,
                    _reason(error), len(hired.holds))
        answered = salvage(hired.shard, hired.holds) if hired.shard and hired.holds else {}
        for number, piece in hired.holds.items():
            if number in answered:
                yield number, answered[number]
            else:
                self._again.append((number, piece))

    def _require_same(self, identity: dict, shard: str) -> None:
        if self._identity is None or identity == self._identity:
            return
        different = next(key for key in self._identity if self._identity.get(key) != identity.get(key))
        there, here = identity.get(different), self._identity[different]
        raise RunError(f"{self._work.name}: is another model on {Path(shard).name.rpartition('-')[0]}: "
                       f"{different} is {there!r} there and {here!r} here; state it in the model's table, or mend "
                       "that machine")

    def _look_for_room(self) -> None:
        """Takes idle actors in the place of those that wait for room; RunError where none will ever have some."""
        for call, hired in list(self._calls.items()):
            other = self._office.swapped(hired)
            if other is not hired:
                del self._calls[call]
                self._hired.remove(hired)
                self._open(other)
        if not any(map(attrgetter("up"), self._hired)) and self._office.is_stuck(self._waiting_since):
            raise RunError(no_room(self._work.name, self._need))

    def _leave(self, heard_of: Callable) -> None:
        """Where a stage ends early: what is under way is awaited and kept in the shards; nothing more is asked."""
        ray, late = ray_itself(), [hired for hired in self._hired if hired.ready and hired.holds]
        self._calls = {call: hired for call, hired in self._calls.items() if not hired.ready}
        if late and not self._office.hard:
            calls = [hired.handle.leave.remote(LAST_REPLIES) for hired in late]
            ray.wait(calls, num_returns=len(calls), timeout=LAST_REPLIES + 5)
        for hired in late:  # what they still hold is nobody's: merged from their shards
            self._hired.remove(hired)
            self._office.forget(hired)


class _Numbered:
    """Pieces with their numbers, taken a few at a time; a piece that belongs to the last one is taken with it."""

    def __init__(self, pieces: Iterable[Piece], together: Callable[[Piece, Piece], bool]) -> None:
        self._pieces, self._together = enumerate(pieces), together
        self._held: list[tuple[int, Piece]] = []
        self.ended = False

    def take(self, count: int) -> list[tuple[int, Piece]]:
        taken, self._held = self._held, []
        for number, piece in self._pieces:
            full = len(taken) >= count and (len(taken) >= MOST or not self._together(taken[-1][1], piece))
            if full:
                self._held = [(number, piece)]
                return taken
            taken.append((number, piece))
        self.ended = True
        return taken


def kept_in(shard: Path, keys: Sequence[bytes]) -> dict:
    """The completions that a dead actor's shard holds under these keys; none where it cannot be read."""
    if not shard.is_file():
        return {}
    with contextlib.suppress(RunError), Journal(shard) as journal:
        kept: dict = {}
        for start in range(0, len(keys), 256):
            kept |= journal.kept(keys[start:start + 256])
        return kept
    return {}


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:160]
