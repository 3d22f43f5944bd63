"""An arm against another for the same money, at the prices of named models: with every prompt paid in full, and
with what prompts begin with alike served from a cache.

One design decision: what the other arm would reach for that money is read off its own curve, replicate by
replicate and question by question, between the two budgets that cost a little less and a little more; so an effect
for equal money bears the same intervals as any other. Beyond its dearest budget it stands as it was there, and the
line says that it had to do with less.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from operator import attrgetter, itemgetter
from statistics import fmean
from typing import NamedTuple, Protocol

import numpy as np

from lema.errors import ConfigError
from lema.records import Account
from lema.report.sets import dollars_for
from lema.runs.prices import Price, price_by_list
from lema.statistics import holm
from lema.statistics.replicates import Effect, effect

Point = tuple[str, ...]


class ArmAnswers(Protocol):
    """What one cell holds: of each arm and seed right or wrong [questions], and the accounts."""

    right: dict[str, dict[int, np.ndarray]]
    accounts: dict[str, Account]
    questions: frozenset


@dataclass(frozen=True)
class MoneyEffect:
    """One arm less another, each for `dollars` (the mean over replicates)."""

    point: Point
    price: str
    cached: bool
    arm: str
    other: str
    dollars: float
    spent: float  # by the other: less where it was never bought more
    effect: Effect
    p_holm: float = 1.0


class _Offer(NamedTuple):
    """An arm in one replicate at one budget: what it cost, and its answers by seed."""

    dollars: float
    right: dict[int, np.ndarray]


Along = Sequence[tuple[Point, dict[int, ArmAnswers]]]
"""The finished points along an axis, each with its replicates."""


def listed_prices(names: Sequence[str]) -> dict[str, Price]:
    """The prices of these models by their names in the list. ConfigError where one has none."""
    prices = {}
    for name in names:
        price = price_by_list(name)
        if price is None:
            raise ConfigError(f"prices: the list has no {name!r}; write provider/model, such as "
                              "openai/gpt-4.1-mini")
        prices[name] = price
    return prices


def equal_money(lines: Iterable[Along], pairs: Sequence[tuple[str, str]], prices: dict[str, Price]
                ) -> list[MoneyEffect]:
    """`lines`: along each axis of numbers, for each setting of the others."""
    effects: list[MoneyEffect] = []
    for along, (name, price), (arm, other) in product(lines, prices.items(), pairs):
        effects += _along(along, _Bill(name, price, cached=False), arm, other)
        if price.cached is not None:
            effects += _along(along, _Bill(name, price, cached=True), arm, other)
    adjusted = holm(list(map(attrgetter("effect.p_value"), effects)))
    return list(map(lambda each, p: replace(each, p_holm=p), effects, adjusted))


@dataclass(frozen=True)
class _Bill:
    """How teachers' tokens are weighed."""

    name: str
    price: Price
    cached: bool

    def offer(self, cell: ArmAnswers, arm: str) -> _Offer:
        dollars = dollars_for(cell.accounts[arm], lambda model: self.price, cached=self.cached)
        return _Offer(dollars, cell.right[arm])


def _along(along: Along, bill: _Bill, arm: str, other: str) -> Iterator[MoneyEffect]:
    """At each point the effect over the replicates that all points have."""
    common = sorted(set.intersection(*map(set, map(itemgetter(1), along))))
    for point, cells in along:
        ours, theirs, differences = [], [], []
        for replicate in common:
            mine = bill.offer(cells[replicate], arm)
            curve = sorted((bill.offer(each[replicate], other) for _, each in along), key=attrgetter("dollars"))
            if reached := _at(curve, mine.dollars):
                ours.append(mine.dollars)
                theirs.append(reached.dollars)
                differences.append(_differences(mine, reached))
        if common and len(ours) == len(common):
            same = len(set(map(attrgetter("questions"), map(cells.__getitem__, common)))) == 1
            yield MoneyEffect(point, bill.name, bill.cached, arm, other, dollars=fmean(ours), spent=fmean(theirs),
                              effect=effect(differences, same_questions=same))


def _at(curve: Sequence[_Offer], dollars: float) -> _Offer | None:
    """What an arm reaches for that money, by the logarithm of what its budgets cost; its dearest where all cost
    less, None where all cost more."""
    if not dollars or curve[0].dollars > dollars:
        return None
    above = bisect_left(curve, dollars, key=attrgetter("dollars"))
    if above == len(curve):
        return curve[-1]
    high, low = curve[above], curve[max(0, above - 1)]
    if high.dollars == dollars or not low.dollars:
        return high if high.dollars == dollars else low
    share = math.log(dollars / low.dollars) / math.log(high.dollars / low.dollars)
    right = {}
    for seed in low.right.keys() & high.right.keys():
        right[seed] = (1 - share) * low.right[seed] + share * high.right[seed]
    return _Offer(dollars, right)


def _differences(ours: _Offer, theirs: _Offer) -> np.ndarray:
    """[seeds, questions]"""
    seeds = sorted(ours.right.keys() & theirs.right.keys())
    return np.array(list(map(ours.right.__getitem__, seeds))) - list(map(theirs.right.__getitem__, seeds))
