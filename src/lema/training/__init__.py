"""Where weights come from: the one call that every trainer answers.

One design decision: a trainer gets the rows in exactly the order and number that it is to train on (see
`stream`), so that a budget in tokens, examples or epochs is decided here, once, and never by a library's
notion of an epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lema.plugins import find, settings_of
from lema.records import Example

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLog:
    """What a training run did: counted, not planned."""

    steps: int
    examples: int  # rows seen, repeats counted
    tokens: int  # tokens with loss, summed over all rows seen
    all_tokens: int  # prompt and completion tokens seen
    loss: float  # mean over the last tenth of the steps
    seconds: float


class Trainer(Protocol):
    """What a trainer module's `Trainer(settings)` must do; tests/contracts/test_trainers.py asks it of each."""

    def fit(self, examples: Sequence[Example], base: Path, out: Path, seed: int,
            progress: Progress | None = None) -> TrainingLog:
        """Continues the checkpoint folder `base` on `examples` in their order, writes a loadable checkpoint
        to `out`. Loss on completions and their end token only; a row that does not fit raises DataError.
        A fit killed and called again with the same arguments ends in the same weights. `progress` is called
        with the steps done and all steps."""

    def steps(self, lengths: Sequence[int], seed: int) -> int:
        """How many steps `fit` makes of rows of these lengths (prompt and trained tokens), in this order."""


def find_trainer(name: str, table: dict) -> Trainer:
    """The trainer called `name` (or at that dotted path), built from its settings table."""
    module = find("training", name, "Trainer", "train.trainer")
    return module.Trainer(settings_of(module.Settings, table, "train"))
