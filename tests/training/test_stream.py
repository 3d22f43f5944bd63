"""Budgets are exact, orders are known, and batches hold every row once."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.config import BudgetConfig
from lema.errors import DataError
from lema.training import find_trainer
from lema.training.stream import batches, epochs_of, stream
from tests import toys


def rows_of(*tokens):
    return [replace(row, tokens=count) for row, count in zip(toys.sums(len(tokens)), tokens, strict=True)]


def test_epochs_show_every_row_once_each_in_another_order():
    rows = toys.sums(20)
    seen = stream(rows, BudgetConfig(epochs=3), seed=1)
    epochs = [[row.question for row in seen[start:start + 20]] for start in (0, 20, 40)]
    assert len(seen) == 60
    assert all(sorted(epoch) == sorted(row.question for row in rows) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


def test_half_an_epoch_shows_half_the_rows():
    assert len({row.question for row in stream(toys.sums(20), BudgetConfig(epochs=0.5), seed=1)}) == 10


def test_a_budget_in_examples_is_met_exactly():
    seen = stream(toys.sums(7), BudgetConfig(examples=17), seed=1)
    assert len(seen) == 17
    assert set(Counter(row.question for row in seen).values()) <= {2, 3}


def test_a_budget_in_steps_takes_as_many_rows_as_the_trainer_puts_into_them():
    rows = toys.sums(10)
    assert len(stream(rows, BudgetConfig(steps=7), 1, lambda lengths, seed: -(-len(lengths) // 4))) == 28
    by_length = [replace(row, prompt_tokens=number) for number, row in enumerate(rows)]
    seen = stream(by_length, BudgetConfig(steps=5), 1, lambda lengths, seed: sum(lengths) // 20)
    assert sum(row.prompt_tokens + row.tokens for row in seen) < 6 * 20


def test_the_steps_of_a_fit_are_those_that_a_trainer_says():
    trainer = find_trainer("sft", {"batch_size": 4, "accumulate": 2})
    rows = stream(toys.sums(10), BudgetConfig(steps=6), 3, trainer.steps)
    assert trainer.steps([row.prompt_tokens + row.tokens for row in rows], 3) == 6
    assert len(rows) == 24


def test_epochs_at_a_budget_are_counted_before_training():
    def count(**budget):
        return epochs_of([10, 30], [20, 60], BudgetConfig(**budget), lambda lengths, seed: 4)
    assert (count(tokens=100), count(examples=5), count(epochs=1.5), count(steps=6)) == (2.5, 2.5, 1.5, 1.5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(9, 100), st.integers(0, 3))
def test_a_budget_in_tokens_is_never_passed_and_the_first_row_that_would_pass_it_ends_it(tokens, budget, seed):
    rows = rows_of(*tokens)
    seen = stream(rows, BudgetConfig(tokens=budget), seed)
    longer = stream(rows, BudgetConfig(tokens=budget + 9), seed)
    spent = sum(row.tokens for row in seen)
    assert spent <= budget
    assert longer[:len(seen)] == seen
    assert spent + longer[len(seen)].tokens > budget


def test_the_order_depends_on_the_seed_and_on_nothing_else():
    rows = toys.sums(20)
    first, again, other = (stream(rows, BudgetConfig(epochs=1), seed) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("rows, budget, named", [
    ([], BudgetConfig(epochs=1), "empty"),
    (rows_of(3, 0), BudgetConfig(tokens=9), "no count"),
    (rows_of(8), BudgetConfig(tokens=7), "fewer than the 8"),
])
def test_a_set_that_cannot_fill_the_budget_is_refused(rows, budget, named):
    with pytest.raises(DataError, match=named):
        stream(rows, budget, seed=0)


lengths = st.lists(st.integers(1, 50), max_size=300)


@given(lengths, st.integers(1, 8) | st.none(), st.integers(1, 120))
def test_every_row_stands_in_one_batch_within_both_limits(lengths, size, tokens):
    plan = batches(lengths, size, tokens, seed=0)
    assert sorted(position for batch in plan for position in batch) == list(range(len(lengths)))
    for batch in plan:
        assert size is None or len(batch) <= size
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= tokens
    assert plan == batches(lengths, size, tokens, seed=0)


def test_grouping_by_length_leaves_little_padding_and_keeps_to_its_chunk():
    lengths = [10, 100] * 320
    plan = batches(lengths, None, 1000, seed=0)
    padded = sum(len(batch) * max(lengths[p] for p in batch) for batch in plan)
    assert padded < 1.1 * sum(lengths)
    assert all(max(batch) - min(batch) <= 400 for batch in plan)
    assert [max(batch) for batch in plan] != sorted(max(batch) for batch in plan)
