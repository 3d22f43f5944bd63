"""What a model is trained on, row by row: a training set repeated until a budget is spent, and cut into batches.

One design decision: both are plain functions of rows, lengths and a seed. The order in which a model sees its
rows is therefore known before training starts, is the same after a kill, and can be counted for the report.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import count, islice
from typing import NamedTuple

from lema.config import BudgetConfig
from lema.errors import DataError
from lema.records import Example

CHUNK = 16
"""Rows are grouped by length among about this many batches: little padding, and an order that stays random."""


Steps = Callable[[Sequence[int], int], int]
"""How many steps a fit makes of rows of such lengths (prompt and trained tokens), given its seed."""


def stream(examples: Sequence[Example], budget: BudgetConfig, seed: int,
           steps: Steps | None = None) -> list[Example]:
    """The rows to train on, in order: the set in freshly shuffled epochs until the budget is spent.

    Under a token budget the first row that would pass it ends the stream and is left out; under a budget in steps,
    which needs the trainer's `steps`, as many rows as that many steps take. DataError where there is nothing to
    train on, or where a row has no count of trained tokens.
    """
    if not examples:
        raise DataError("the training set is empty: nothing is left after filtering")
    if budget.examples or budget.epochs:
        wanted = budget.examples or max(1, round(budget.epochs * len(examples)))
        return list(islice(_epochs(examples, seed), wanted))
    for row in examples:
        if row.tokens < 1:
            raise DataError(f"example {row.id}: no count of trained tokens, which this budget needs")
    if budget.steps:
        return _in_steps(examples, budget.steps, seed, steps)
    return _in_tokens(examples, budget.tokens, seed)


def _in_tokens(examples: Sequence[Example], tokens: int, seed: int) -> list[Example]:
    """The first row that does not fit ends the stream: with a later, shorter one in its place, the end of every
    budget would hold short rows only."""
    rows: list[Example] = []
    left = tokens
    for row in _epochs(examples, seed):
        if row.tokens > left:
            break
        rows.append(row)
        left -= row.tokens
    if not rows:
        raise DataError(f"budget: {tokens} tokens are fewer than the {row.tokens} of example {row.id}; raise the "
                        "budget")
    return rows


def _in_steps(examples: Sequence[Example], wanted: int, seed: int, steps: Steps) -> list[Example]:
    """Whole epochs until there are enough steps, then cut back to the most rows that make no more than wanted.
    Every count lays all batches, since rows share them by their lengths; so the cut is sought by halving."""
    epochs = _epochs(examples, seed)
    rows: list[Example] = []
    lengths: list[int] = []
    while not rows or steps(lengths, seed) <= wanted:
        rows += islice(epochs, len(examples))
        lengths = [row.prompt_tokens + row.tokens for row in rows]
    enough = bisect_right(range(1, len(rows) + 1), wanted, key=lambda number: steps(lengths[:number], seed))
    return rows[:max(1, enough)]


def epochs_of(tokens: Sequence[int], lengths: Sequence[int], budget: BudgetConfig, steps: Steps) -> float:
    """How often a budget shows every example, by the trained tokens and the lengths of a set's examples; in steps,
    as the steps of one epoch go."""
    if budget.tokens:
        return budget.tokens / sum(tokens)
    if budget.steps:
        return budget.steps / steps(lengths, 0)
    return budget.epochs or budget.examples / len(lengths)


def _epochs(examples: Sequence[Example], seed: int) -> Iterator[Example]:
    """Without end. Each epoch is drawn from its own number, so a larger budget begins as a smaller one does."""
    for epoch in count():
        order = list(examples)
        random.Random(f"stream {seed} {epoch}").shuffle(order)
        yield from order


def batches(lengths: Sequence[int], size: int | None, tokens: int | None, seed: int) -> list[list[int]]:
    """Positions in `lengths`, each in exactly one batch of at most `size` rows and at most `tokens` padded tokens
    (rows times the longest of them; a row that is longer by itself makes a batch by itself).

    The rows are taken in chunks of about 16 batches; inside a chunk rows of like length go together and the
    order of the batches is drawn from `seed`; sorted as a whole, the rows would come short ones first.
    """
    plan: list[list[int]] = []
    for number, chunk in enumerate(_chunks(lengths, size, tokens)):
        chunk.sort(key=lambda position: lengths[position])
        cut = _cut(chunk, lengths, size, tokens)
        random.Random(f"batches {seed} {number}").shuffle(cut)
        plan += cut
    return plan


def together(lengths: Sequence[int], size: int | None, tokens: int | None) -> list[list[int]]:
    """Positions in `lengths`, in their order, cut where `size` rows or `tokens` tokens are reached (a row that is
    longer by itself makes a batch by itself): the batches of rows that are packed, where no padding is to be saved
    by grouping them."""
    cut: list[list[int]] = []
    weight = 0
    for position, length in enumerate(lengths):
        if not cut or (size and len(cut[-1]) >= size) or (tokens and weight + length > tokens):
            cut.append([])
            weight = 0
        cut[-1].append(position)
        weight += length
    return cut


class Passes(NamedTuple):
    """Which rows every forward pass takes, in order, and how many passes make a step of the optimizer."""

    rows: list[list[int]]
    each: int

    @property
    def steps(self) -> int:
        return -(-len(self.rows) // self.each)


def in_passes(steps: Sequence[list[int]], lengths: Sequence[int], each: int) -> Passes:
    """Every step's rows shared out over `each` passes of nearly as many tokens. Where a step has fewer rows than
    that, all have fewer passes, since a step of the trainer is always as many (but for the last one's)."""
    each = max(1, min(each, *(len(step) for step in steps[:-1]), max(map(len, steps))))
    rows: list[list[int]] = []
    for step in steps:
        rows += filter(None, shares(step, lengths, each))
    return Passes(rows, each)


def shares(rows: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """The rows in `count` shares of nearly as many tokens; some are empty where there are fewer rows. Longest
    first, each to the share that has least; ties go by position, so that every process computes the same."""
    if count == 1:
        return [list(rows)]
    parts: list[list[int]] = [[] for _ in range(count)]
    weights = [(0, number) for number in range(count)]
    for row in sorted(rows, key=lambda row: (-lengths[row], row)):
        weight, number = heappop(weights)
        parts[number].append(row)
        heappush(weights, (weight + lengths[row], number))
    return [sorted(part) for part in parts]


def _chunks(lengths: Sequence[int], size: int | None, tokens: int | None) -> list[list[int]]:
    chunks: list[list[int]] = []
    weight = 0
    for position, length in enumerate(lengths):
        full = not chunks or (size and len(chunks[-1]) >= CHUNK * size) or (
            tokens and weight + length > CHUNK * tokens)
        if full:
            chunks.append([])
            weight = 0
        chunks[-1].append(position)
        weight += length
    return chunks


def _cut(chunk: list[int], lengths: Sequence[int], size: int | None, tokens: int | None) -> list[list[int]]:
    """`chunk`, sorted by rising length, cut into batches: a new row is the longest of its batch."""
    cut: list[list[int]] = []
    for position in chunk:
        full = not cut or (size and len(cut[-1]) >= size) or (
            tokens and (len(cut[-1]) + 1) * lengths[position] > tokens)
        if full:
            cut.append([])
        cut[-1].append(position)
    return cut
