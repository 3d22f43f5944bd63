"""An arm against another for the same money, at the prices of named models: with every prompt paid in full, and
with what prompts begin with alike served from a cache.

One design decision: what the other arm would reach for that money is read off its own curve, replicate by
replicate and question by question, between the two budgets that cost a little less and a little more; so an effect
for equal money bears the same intervals as any other. Beyond its dearest budget it stands as it was there, and the
line says that it had to do with less.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from lema.errors import ConfigError
from lema.records import Account
from lema.report.sets import dollars_for
from lema.runs.prices import Price, price_by_list
from lema.statistics import holm
from lema.statistics.replicates import Effect, effect

Point = tuple[str, ...]


class Answers(Protocol):
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


def equal_money(lines: Sequence[Sequence[tuple[Point, dict[int, Answers]]]], pairs: Sequence[tuple[str, str]],
                prices: dict[str, Price]) -> list[MoneyEffect]:
    """`lines`: along each axis of numbers, and each setting of the others, the points with their replicates."""
    effects = []
    for along in lines:
        for name, price in prices.items():
            for cached in (False, True) if price.cached is not None else (False,):
                for arm, other in pairs:
                    effects += _along(along, name, price, cached, arm, other)
    adjusted = holm([each.effect.p_value for each in effects])
    return [MoneyEffect(**{**vars(each), "p_holm": p}) for each, p in zip(effects, adjusted, strict=True)]


def _along(along: Sequence[tuple[Point, dict[int, Answers]]], name: str, price: Price, cached: bool, arm: str,
           other: str) -> Iterator[MoneyEffect]:
    common = sorted(set.intersection(*(set(cells) for _, cells in along)))
    curves = {replicate: sorted((_offer(cells[replicate], other, price, cached) for _, cells in along),
                                key=lambda offer: offer.dollars) for replicate in common}
    for point, cells in along:
        ours = {replicate: _offer(cells[replicate], arm, price, cached) for replicate in common}
        theirs = {replicate: _at(curves[replicate], ours[replicate].dollars) for replicate in common}
        if not common or not all(theirs.values()):
            continue
        differences = [_differences(ours[replicate], theirs[replicate]) for replicate in common]
        same = len({cells[replicate].questions for replicate in common}) == 1
        yield MoneyEffect(
            point, name, cached, arm, other, dollars=float(np.mean([each.dollars for each in ours.values()])),
            spent=float(np.mean([each.dollars for each in theirs.values()])),
            effect=effect(differences, same_questions=same))


def _offer(cell: Answers, arm: str, price: Price, cached: bool) -> _Offer:
    return _Offer(dollars_for(cell.accounts[arm], lambda model: price, cached=cached), cell.right[arm])


def _at(curve: Sequence[_Offer], dollars: float) -> _Offer | None:
    """What an arm reaches for that money, by the logarithm of what its budgets cost; its dearest where all cost
    less, None where all cost more."""
    if not dollars or curve[0].dollars > dollars:
        return None
    above = next((place for place, offer in enumerate(curve) if offer.dollars >= dollars), None)
    if above is None:
        return curve[-1]
    high, low = curve[above], curve[max(0, above - 1)]
    if high.dollars == dollars or not low.dollars:
        return high if high.dollars == dollars else low
    share = math.log(dollars / low.dollars) / math.log(high.dollars / low.dollars)
    right = {seed: (1 - share) * low.right[seed] + share * high.right[seed] for seed in low.right
             if seed in high.right}
    return _Offer(dollars, right)


def _differences(ours: _Offer, theirs: _Offer) -> np.ndarray:
    """[seeds, questions]"""
    return np.array([ours.right[seed] - theirs.right[seed] for seed in ours.right if seed in theirs.right])
