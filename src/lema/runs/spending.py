"""Asking a teacher until a budget of output tokens is spent, and counting what a smaller one would have bought.

One design decision: requests go out in waves, each as large as half of what the budget should still reach by the
mean cost so far, and no larger than all before it, whose cost that mean is of; so the same replies always lead to
the same waves, many can be in flight, and the budget is hardly passed by more than one reply. Every reply that
came is yielded: it was paid.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, zip_longest
from operator import attrgetter
from typing import Protocol, TypeVar

from lema.config import AssembleConfig
from lema.messages import Completion, Request
from lema.runs.context import StageContext
from lema.runs.prices import MILLION


class Paid(Protocol):
    """A record that a teacher was paid for; `model` wrote it, of an evolved question `source` says which."""

    tokens: int
    prompt_tokens: int
    repeated_tokens: int


Record = TypeVar("Record", bound=Paid)


def writer_of(record: Paid) -> str:
    """The model that was paid for a record: an evolved question has it in its source."""
    return getattr(record, "model", None) or record.source.removeprefix("evolved:")


def in_money(prices: Mapping[str, tuple[float, float]]) -> Callable[[Paid], float]:
    """What a record cost, in dollars; `prices` are those of a million tokens read and written, by model."""
    def price(record: Paid) -> float:
        if not record.tokens and not record.prompt_tokens:
            return 0.0
        read, written = prices[writer_of(record)]
        return (record.prompt_tokens * read + record.tokens * written) / MILLION
    return price


def alternately(several: Sequence[Iterable[Record]]) -> Iterator[Record]:
    """The first of each, then the second of each, and so on: purchases that a cap is to cut short alike."""
    for turn in zip_longest(*several):
        yield from (record for record in turn if record is not None)


class Allowance:
    """What may be spent on an arm: records, in the order in which they were paid for, until it is empty."""

    def __init__(self, arm: AssembleConfig) -> None:
        holds = arm.teacher_tokens or arm.money
        self.left = float("inf") if holds is None else holds
        self.price = in_money(arm.prices) if arm.money else attrgetter("tokens")

    def pays(self, records: Iterable[Record]) -> Iterator[Record]:
        """The first records that it pays for (the last may cost more than is left, as when asking), and all that
        are free."""
        for record in records:
            price = self.price(record)
            if self.left > 0 or not price:
                self.left -= price
                yield record


def within_budget(context: StageContext, model: str, requests: Iterable[Request], tokens: int | None,
                  total: int | None = None, before: tuple[int, int] = (0, 0)
                  ) -> Iterator[tuple[Request, Completion]]:
    """(request, completion) in order, until the completions hold `tokens` tokens (None: all requests, of which
    there are `total`). Requests are made as they go out. `before`: the tokens, and the replies, that were paid
    out of the same budget already."""
    if tokens is None:
        yield from _beside(context, model, requests, total)
        return
    spent, done = before
    left = iter(requests)
    while spent < tokens and (first := next(left, None)):
        reach = (tokens - spent) * done / spent if spent else 0.0
        # a mean of few replies says little: one of 24 tokens among many of 77 would ask for three times too many
        wave = chain([first], islice(left, max(0, min(done, int(reach / 2)) - 1)))
        for request, completion in _beside(context, model, wave):
            spent += completion.tokens
            done += 1
            context.show(min(spent, tokens), tokens)
            yield request, completion


def _beside(context: StageContext, model: str, requests: Iterable[Request],
            total: int | None = None) -> Iterator[tuple[Request, Completion]]:
    """Every request with its completion; only those that are under way are kept."""
    under_way: deque[Request] = deque()

    def going_out() -> Iterator[Request]:
        for request in requests:
            under_way.append(request)
            yield request

    before = ""
    for completion in context.ask(model, going_out(), total):
        request = under_way.popleft()
        text = "\n".join(message.content for message in request.messages)
        share = in_common(before, text) / max(1, len(text))
        before = text
        yield request, dataclasses.replace(completion, repeated=int(share * completion.prompt_tokens))


def in_common(first: str, second: str) -> int:
    """With how many letters both texts begin."""
    low, high = 0, min(len(first), len(second))
    while low < high:  # comparing slices is fast; a whole prompt, letter by letter, is not
        middle = (low + high + 1) // 2
        low, high = (middle, high) if second.startswith(first[low:middle], low) else (low, middle - 1)
    return low
