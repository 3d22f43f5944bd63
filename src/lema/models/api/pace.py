"""How many and how fast: a limit on what is in flight that tunes itself, and limits per minute that are held.

One design decision: both are plain arithmetic on a clock that is handed in, so that tests try hours in no time.
"""

from collections import deque
from dataclasses import dataclass

FIRST = 16  # in flight before anything is known: few enough for any endpoint, and soon doubled
LESS = 0.7  # what is left of the limit after a 429; half, as in TCP, would leave more of the endpoint idle


class InFlight:
    """Additive increase, multiplicative decrease, as TCP does it: doubled per round trip until the endpoint first
    says that it is too much, one more per round trip from then on, `LESS` of it at each such word."""

    def __init__(self, ceiling: int) -> None:
        self.ceiling = ceiling
        self.limit = float(min(FIRST, ceiling))
        self.count = 0
        self._searching = True
        self._lowered = 0.0

    @property
    def room(self) -> float:
        """The share of the limit that is free; nothing more may go out at 0 or below."""
        return 1 - self.count / max(int(self.limit), 1)

    def answered(self) -> None:
        """An answer came; the limit grows only while it is what holds us back."""
        # each answer adds one while searching, so that a round trip doubles; 1 / limit later adds one a round trip
        if self.count >= int(self.limit) and self.limit < self.ceiling:
            self.limit = min(self.ceiling, self.limit + (1 if self._searching else 1 / self.limit))

    def too_much(self, sent: float, now: float) -> None:
        """A request sent at `sent` was turned away; those sent before the last lowering say nothing new."""
        # a burst is turned away as a whole: lowered by each of its answers, the limit would fall to one
        if sent >= self._lowered:
            self.limit, self._searching, self._lowered = max(1.0, self.limit * LESS), False, now


@dataclass(slots=True, eq=False)
class Entry:
    """What was let through when; `counts` until it is older than the span."""

    when: float
    amount: int
    counts: bool = True


class PerMinute:
    """Holds an amount per `seconds`: in no such span, wherever it begins, is more let through.

    What an entry really was may be told later (`settle`); until then it counts as what was reserved for it.
    """

    def __init__(self, limit: int, seconds: float = 60.0) -> None:
        self.limit, self.seconds = limit, seconds
        self._entries: deque[Entry] = deque()
        self._sum = 0

    @classmethod
    def spread(cls, limit: int) -> "PerMinute":
        """The same limit held within spans of about a second: a minute's share is not spent at its start."""
        several = -(-limit // 60)
        return cls(several, 60 * several / limit)

    def wait(self, now: float, amount: int) -> float:
        """Seconds until `amount` may go out; 0: now. More than the whole limit goes out when nothing counts."""
        while self._entries and self._entries[0].when + self.seconds <= now:
            gone = self._entries.popleft()
            gone.counts = False
            self._sum -= gone.amount
        # the oldest entries leave first: `until` is when enough of them have left for `amount` to fit
        excess, until = self._sum + min(amount, self.limit) - self.limit, now
        for entry in self._entries:
            if excess <= 0:
                break
            excess -= entry.amount
            until = entry.when + self.seconds
        return until - now

    def take(self, now: float, amount: int) -> Entry:
        """Counts `amount` from now on; give the entry back to `settle`."""
        entry = Entry(now, amount)
        self._entries.append(entry)
        self._sum += amount
        return entry

    def settle(self, entry: Entry, amount: int) -> None:
        """What the entry really was."""
        if entry.counts:
            self._sum += amount - entry.amount
            entry.amount = amount
