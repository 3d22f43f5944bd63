"""The budget of a run: how much may still be spent, counted over all its processes.

One design decision: before a request goes out, the most that it can cost is set aside, and what it did cost takes
its place when it is back; a request for which there is no room is not sent. So the budget is never passed, and
where it ends follows from what was really spent.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lema.config import Config
from lema.errors import BudgetReached, ConfigError
from lema.journal import Journal
from lema.journal.usage import Most, most_of
from lema.messages import Completion, Request
from lema.runs.dependencies import backend_settings
from lema.runs.prices import Price, price_of, served_prices

WAIT = 0.05  # seconds between two looks at what other processes have in flight
SPENT, SET_ASIDE = 0, 1  # places in the shared pair of figures

TOKENS = Price(1_000_000.0, 1_000_000.0, "tokens")
"""Weighs tokens alone: one for each."""


@dataclass(frozen=True)
class Budget:
    """What is left of a budget. `figures` (spent, set aside) and `lock` are shared by the run's processes."""

    limit: float
    unit: str  # money | tokens
    figures: Any
    lock: Any

    def take(self, most: float, waits: Callable[[], bool]) -> bool:
        """Sets `most` aside; False where there is no room. With nothing of one's own in flight (`waits`), others
        are waited for, since what they set aside is mostly given back."""
        while True:
            with self.lock:
                if self.figures[SPENT] + self.figures[SET_ASIDE] + most <= self.limit:
                    self.figures[SET_ASIDE] += most
                    return True
                others = self.figures[SET_ASIDE] > 1e-9
            if not (others and waits()):
                return False
            time.sleep(WAIT)

    def settle(self, most: float, cost: float) -> None:
        """Puts what a request did cost in the place of what was set aside for it."""
        with self.lock:
            self.figures[SPENT] += cost
            self.figures[SET_ASIDE] = max(0.0, self.figures[SET_ASIDE] - most)

    def spend(self, cost: float) -> bool:
        """Counts what nothing was set aside for; whether all that is set aside still fits."""
        with self.lock:
            self.figures[SPENT] += cost
            return self.figures[SPENT] + self.figures[SET_ASIDE] <= self.limit

    def in_words(self, amount: float) -> str:
        return f"${amount:,.4f}" if self.unit == "money" else f"{amount:,.0f} tokens"


@dataclass
class Gate:
    """One stage's way to the budget for one model (lema.journal.waiting.AdmissionGate)."""

    budget: Budget
    price: Price
    stage: str
    share: float = 1.0  # of the price that the backend's requests are charged
    most: Callable[[Request], Most] = most_of
    in_flight: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admits(self, request: Request, first: bool) -> bool:
        """Whether the request may go out now. BudgetReached where it is the `first` of its wave, so that nothing
        of this stage is in flight, and there is no room even so."""
        most = self._most(request)
        if self.budget.take(most, lambda: first):
            with self._lock:
                self.in_flight += most
            return True
        if first:
            budget = self.budget
            limit, cost, spent = map(budget.in_words, (budget.limit, most, budget.figures[SPENT]))
            raise BudgetReached(
                f"{self.stage}: the budget of {limit} has no room for the next request, which may cost {cost}: "
                f"{spent} are spent; every reply is kept: go on with the same command and a larger "
                f"--set budget.{budget.unit}=…")
        return False

    def back(self, request: Request, completion: Completion) -> None:
        """The request is answered."""
        most = self._most(request)
        with self._lock:
            self.in_flight -= most
        self.budget.settle(most, self._cost(completion))

    def charged(self, completion: Completion) -> bool:
        """A try was charged that answered nothing, or a probe was. What is set aside for the request stays: who
        hears that there is no room asks for it no more, and so the budget is not passed."""
        return self.budget.spend(self._cost(completion))

    def close(self) -> None:
        """Nothing more will come: what is still in flight may have been charged, and counts as spent."""
        self.budget.settle(self.in_flight, max(0.0, self.in_flight))
        self.in_flight = 0.0

    def _cost(self, completion: Completion) -> float:
        share = completion.share
        return self.price.of(share * completion.prompt_tokens, share * completion.tokens)

    def _most(self, request: Request) -> float:
        most = self.most(request)
        assert most.tokens is not None, "a model whose replies may be of any length is refused under a budget"
        return self.share * self.price.of(most.prompt_tokens, most.tokens)


def open_budget(config: Config, journal: Journal, context: Any = None) -> Budget | None:
    """The run's budget with what its journal has cost so far; None without a budget. ConfigError where a price
    that the budget needs is unknown. `context`: multiprocessing's, where workers are to share it."""
    table = config.budget
    if table is None:
        return None
    unit, limit = ("money", table.money) if table.money is not None else ("tokens", table.tokens)
    for name in config.asked_models:
        weighing(config, name, unit)
    figures = [0.0, 0.0] if context is None else context.RawArray("d", 2)
    figures[SPENT] = spent_so_far(config, journal, unit)
    return Budget(float(limit), unit, figures, threading.Lock() if context is None else context.Lock())


def spent_so_far(config: Config, journal: Journal, unit: str) -> float:
    """Everything that the journal's replies of served models cost, failed ones and earlier settings' included."""
    price = served_prices(config)
    total = 0.0
    for model, *_, paid_prompts, paid in journal.spent():
        weigh = TOKENS if unit == "tokens" else price(model)
        if weigh is None:
            raise ConfigError(f"budget.money: the journal holds replies of {model!r}, whose price is not known; "
                              f"add [prices.{model!r}] with input and output in dollars per million tokens")
        total += weigh.of(paid_prompts, paid)
    return total


def weighing(config: Config, name: str, unit: str) -> Price | None:
    """What a model's tokens take out of the budget; None where they take nothing. ConfigError: its price is not
    known, or how long its replies may be."""
    price = price_of(config, name)
    if price is not None and price.here:
        return None
    table = config.models[name]
    if getattr(backend_settings(name, table.backend, table.own), "unbounded", False):
        raise ConfigError(f"budget.{unit}: nothing bounds the replies of model {name!r}: its table omits "
                          "max_tokens, or extra has a limit that is no whole number above 0; name its field in "
                          "max_tokens_field, or state a limit in extra, such as extra.max_completion_tokens, or "
                          "leave [budget] out")
    if unit == "tokens":
        return TOKENS
    if price is None:
        served = table.own.get("model", name)
        raise ConfigError(f"budget.money: the price of model {name!r} is not known; add a [prices.\"{served}\"] "
                          "table with input and output in dollars per million tokens, or give budget.tokens")
    return price
