"""What a model is trained on, row by row: a training set repeated until a budget is spent, and cut into batches.

One design decision: both are plain functions of rows, lengths and a seed. The order in which a model sees its
rows is therefore known before training starts, is the same after a kill, and can be counted for the report.
"""

import random
from collections.abc import Sequence

from lema.errors import DataError
from lema.records import Example
from lema.tables import BudgetConfig

CHUNK = 16
"""Rows are grouped by length among about this many batches: little padding, and an order that stays random."""


def stream(examples: Sequence[Example], budget: BudgetConfig, seed: int) -> list[Example]:
    """The rows to train on, in order: the set in freshly shuffled epochs until the budget is spent.

    Under a token budget the first row that would pass it ends the stream and is left out. DataError where there
    is nothing to train on, or where a row has no count of trained tokens.
    """
    if not examples:
        raise DataError("the training set is empty: nothing is left after filtering")
    if budget.tokens is None:
        wanted = budget.examples or max(1, round(budget.epochs * len(examples)))
        epochs = -(-wanted // len(examples))
        return [row for epoch in range(epochs) for row in _shuffled(examples, seed, epoch)][:wanted]
    for row in examples:
        if row.tokens < 1:
            raise DataError(f"example {row.id}: no count of trained tokens, which a token budget needs")
    rows: list[Example] = []
    left, epoch = budget.tokens, 0
    while True:
        for row in _shuffled(examples, seed, epoch):
            if row.tokens > left:
                if not rows:
                    raise DataError(f"budget: {budget.tokens} tokens are fewer than the {row.tokens} of "
                                    f"example {row.id}; raise the budget")
                return rows
            rows.append(row)
            left -= row.tokens
        epoch += 1


def _shuffled(examples: Sequence[Example], seed: int, epoch: int) -> list[Example]:
    order = list(examples)
    random.Random(f"stream {seed} {epoch}").shuffle(order)
    return order


def batches(lengths: Sequence[int], size: int | None, tokens: int | None, seed: int) -> list[list[int]]:
    """Positions in `lengths`, each in exactly one batch of at most `size` rows and at most `tokens` padded tokens
    (rows times the longest of them; a row that is longer by itself makes a batch by itself).

    The rows are taken in chunks of about 16 batches; inside a chunk rows of like length go together and the
    order of the batches is drawn from `seed`.
    """
    plan: list[list[int]] = []
    for number, chunk in enumerate(_chunks(lengths, size, tokens)):
        chunk.sort(key=lambda position: lengths[position])
        cut = _cut(chunk, lengths, size, tokens)
        random.Random(f"batches {seed} {number}").shuffle(cut)
        plan += cut
    return plan


def _chunks(lengths: Sequence[int], size: int | None, tokens: int | None) -> list[list[int]]:
    chunks: list[list[int]] = [[]]
    weight = 0
    for position, length in enumerate(lengths):
        full = (size and len(chunks[-1]) >= CHUNK * size) or (tokens and weight + length > CHUNK * tokens)
        if chunks[-1] and full:
            chunks.append([])
            weight = 0
        chunks[-1].append(position)
        weight += length
    return [chunk for chunk in chunks if chunk]


def _cut(chunk: list[int], lengths: Sequence[int], size: int | None, tokens: int | None) -> list[list[int]]:
    """`chunk`, sorted by rising length, cut into batches: a new row is the longest of its batch."""
    cut: list[list[int]] = []
    for position in chunk:
        last = cut[-1] if cut else None
        full = last is None or (size and len(last) >= size) or (
            tokens and (len(last) + 1) * lengths[position] > tokens)
        if full:
            cut.append([position])
        else:
            last.append(position)
    return cut
