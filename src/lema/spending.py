"""Asking a teacher until a budget of output tokens is spent.

One design decision: requests go out in waves, each as large as half of what the budget should still reach by the
mean cost so far; so the same replies always lead to the same waves, many can be in flight, and the budget is
hardly passed by more than one reply. Every reply that came is yielded: it was paid.
"""

from collections.abc import Iterator, Sequence

from lema.models import Completion, Request
from lema.tools import Tools


def within_budget(tools: Tools, model: str, requests: Sequence[Request],
                  tokens: int | None) -> Iterator[tuple[Request, Completion]]:
    """(request, completion) in order, until the completions hold `tokens` tokens (None: all requests)."""
    if tokens is None:
        yield from zip(requests, tools.ask(model, requests, len(requests)), strict=True)
        return
    spent = done = 0
    while done < len(requests) and spent < tokens:
        reach = (tokens - spent) * done / spent if spent else 0.0
        wave = requests[done:done + max(1, int(reach / 2))]
        for request, completion in zip(wave, tools.ask(model, wave), strict=True):
            spent += completion.tokens
            done += 1
            tools.show(min(spent, tokens), tokens)
            yield request, completion
