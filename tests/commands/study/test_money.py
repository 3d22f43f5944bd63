"""Arms for equal money: what the other one reaches is read off its own curve, and never claimed beyond it."""

from types import SimpleNamespace

import numpy as np
import pytest

from lema.commands.study.money import equal_money, listed_prices
from lema.errors import ConfigError
from lema.records import Account
from lema.runs.prices import Price

PRICE = Price(1.0, 10.0, "a list", cached=0.1)


def _account(arm: str, read: int, written: int, repeated: int = 0) -> Account:
    return Account(arm=arm, examples=1, questions=1, prompt_tokens=1, tokens=1, teacher_tokens=written,
                   teacher_replies=1, teachers={"t": (read, written)}, repeated={"t": repeated}, kinds={})


def _cell(right: dict[str, float], bills: dict[str, tuple[int, ...]], questions: int = 400):
    """Arms that are right on the first so many questions."""
    answers = {arm: {1: (np.arange(questions) < share * questions).astype(float)} for arm, share in right.items()}
    return SimpleNamespace(right=answers, accounts={arm: _account(arm, *bill) for arm, bill in bills.items()},
                           questions=frozenset(range(questions)))


def _study(read_by_step: int, repeated: int = 0):
    """Two budgets: step at 50 and 60 %, bought at 40 and 70 % for 1,000 and 100,000 tokens and no prompts."""
    first = _cell({"step": 0.5, "bought": 0.4}, {"step": (read_by_step, 1_000, repeated), "bought": (0, 1_000)})
    second = _cell({"step": 0.6, "bought": 0.7}, {"step": (10 * read_by_step, 10_000), "bought": (0, 100_000)})
    return [[(("small",), {1: first, 2: first}), (("large",), {1: second, 2: second})]]


def _effects(lines, pairs=(("step", "bought"),), **more):
    return {(each.point[0], each.cached): each for each in equal_money(lines, pairs, {"x": PRICE})}


def test_for_the_same_money_the_other_arm_stands_between_its_own_budgets():
    effects = _effects(_study(read_by_step=90_000))
    small, large = effects["small", False], effects["large", False]
    assert small.dollars == pytest.approx(0.1) and small.spent == pytest.approx(0.1)  # ten times 0.01: half way
    assert small.effect.mean == pytest.approx(0.5 - 0.55)
    assert large.dollars == pytest.approx(1.0) and large.effect.mean == pytest.approx(0.6 - 0.7)


def test_a_cache_makes_a_purchase_cheaper_and_the_other_arm_for_its_money_worse():
    effects = _effects(_study(read_by_step=90_000, repeated=90_000))
    assert effects["small", True].dollars == pytest.approx(0.019)
    assert effects["small", True].effect.mean > 0 > effects["small", False].effect.mean


def test_beyond_its_dearest_budget_the_other_arm_stands_as_it_was_there_and_below_its_cheapest_nothing_is_said():
    effects = _effects(_study(read_by_step=900_000))
    assert effects["large", False].spent == pytest.approx(1.0)
    assert effects["large", False].dollars == pytest.approx(9.1)
    assert effects["large", False].effect.mean == pytest.approx(-0.1)
    below = _effects(_study(read_by_step=90_000), pairs=(("bought", "step"),))
    assert ("small", False) not in below and ("large", False) in below


def test_a_price_that_the_list_does_not_have_is_refused_in_one_line():
    with pytest.raises(ConfigError, match="prices: the list has no 'openai/no-such'; write provider/model"):
        listed_prices(["openai/no-such"])
    (price,) = listed_prices(["openai/gpt-4.1-mini"]).values()
    assert price.cached < price.input < price.output
