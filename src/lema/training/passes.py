"""What a forward pass is given: a set's rows as TRL takes them, padded or packed.

    two rows of 3 and 2 tokens, packed → input_ids [[a b c d e]], position_ids [[0 1 2 0 1]], no attention mask

One design decision: packed rows are told apart by their positions alone, which begin anew with each; transformers
makes of that the mask, or the lengths, that the kernel at hand needs. The rest of a line is a row of its own that
nothing is learnt from.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow
import torch
from datasets import Dataset
from datasets.table import InMemoryTable

from lema.checkpoints.rendering import Tokens

if TYPE_CHECKING:
    from lema.training.sft import Settings

IGNORED = -100
FLASH = "flash_attention_2"


def dataset(rows: Sequence[Tokens]) -> Dataset:
    """The rows as TRL takes them. A row that comes again (the same object) is held once, eight bytes a token."""
    places: dict[int, int] = {}
    order = [places.setdefault(id(row), len(places)) for row in rows]
    unique = dict(zip(order, rows, strict=True)).values()
    lengths = np.fromiter((row.length for row in unique), np.int64, len(places))
    ends = np.concatenate([[0], lengths.cumsum()])
    ids = np.empty(ends[-1], np.int32)
    labels = np.full(ends[-1], IGNORED, np.int32)
    for row, start in zip(unique, ends, strict=False):
        middle, end = start + len(row.prompt), start + row.length
        ids[start:middle], ids[middle:end] = row.prompt, row.completion
        labels[middle:end] = row.completion
    table = pyarrow.table({"input_ids": pyarrow.LargeListArray.from_arrays(ends, ids),
                           "labels": pyarrow.LargeListArray.from_arrays(ends, labels)})
    return Dataset(InMemoryTable(table)).select(order)


class PackedCollator:
    """Makes one pass of rows: in lines of at most `length` tokens, or of one line where that is None."""

    def __init__(self, length: int | None, pad: int) -> None:
        self.length, self.pad = length, pad

    def __call__(self, rows: Sequence[dict]) -> dict[str, torch.Tensor]:
        lengths = [len(row["input_ids"]) for row in rows]
        lines = in_lines(lengths, max(self.length, *lengths, 0) if self.length else sum(lengths))
        width = max(sum(map(lengths.__getitem__, line)) for line in lines)
        ids = torch.full((len(lines), width), self.pad)
        labels = torch.full((len(lines), width), IGNORED)
        positions = torch.zeros((len(lines), width), dtype=torch.long)
        for number, line in enumerate(lines):
            start = 0
            for place in line:  # of its first token nothing is learnt, since the one before it is another row's
                end = start + lengths[place]
                ids[number, start:end] = torch.as_tensor(rows[place]["input_ids"])
                labels[number, start + 1:end] = torch.as_tensor(rows[place]["labels"][1:])
                positions[number, start:end] = torch.arange(end - start)
                start = end
            positions[number, start:] = torch.arange(width - start)
        return {"input_ids": ids, "labels": labels, "position_ids": positions}


def in_lines(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Positions in `lengths`, in lines of at most `most` tokens: longest first, each in the first line that has
    room (first fit, which takes at most 22 % more lines than are needed)."""
    lines: list[list[int]] = []
    room: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: (-lengths[place], place)):
        at = next((number for number, left in enumerate(room) if left >= lengths[place]), len(lines))
        if at == len(lines):
            lines.append([])
            room.append(most)
        lines[at].append(place)
        room[at] -= lengths[place]
    return lines


def attention_of(settings: "Settings") -> str | None:
    """The kernel that a fit uses; None for what transformers chooses."""
    if settings.attention is not None or not (settings.packing and torch.cuda.is_available()):
        return settings.attention
    from transformers.utils import is_flash_attn_2_available

    return FLASH if is_flash_attn_2_available() else None


def line_length(settings: "Settings") -> int | None:
    """Tokens of a line of packed rows, which is as long as the longest of them at least; None for one line, which
    costs nothing where the kernel knows where rows end, while a mask is as large as the square of the line."""
    if settings.pack_length is None and FLASH in (attention_of(settings) or ""):
        return None
    return settings.pack_length or 1
