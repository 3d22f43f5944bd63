"""Where weights come from: the one call that every trainer answers.

One design decision: a trainer gets the rows in exactly the order and number that it is to train on (see
`stream`), so that a budget in tokens, examples or epochs is decided here, once, and never by a library's
notion of an epoch.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from lema.checkpoints.rendering import Form
from lema.errors import RunError
from lema.plugins import find, settings_of
from lema.records import Example

Progress = Callable[[int, int], None]
SIZES = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
"""Where torchrun, accelerate and the MPIs say how many processes they started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingLog:
    """What a training run did: counted, not planned."""

    steps: int
    examples: int  # rows seen, repeats counted
    tokens: int  # tokens with loss, summed over all rows seen
    all_tokens: int  # prompt and completion tokens seen
    loss: float  # mean over the last tenth of the steps
    seconds: float
    merge_difference: float | None = None  # what merging an adapter changed, as a share of the adapter's effect


class Trainer(Protocol):
    """What a trainer module's `Trainer(settings)` must do; tests/contracts/test_trainers.py asks it of each."""

    def fit(self, examples: Sequence[Example], base: Path, out: Path, seed: int,
            progress: Progress | None = None, form: Form = "chat") -> TrainingLog:
        """Continues the checkpoint folder `base` on `examples` in their order, writes a loadable checkpoint
        to `out`, or a PEFT adapter of `base` to `out/adapter` and its tokenizer beside that. Loss on
        completions and their end token only; a row that does not fit raises DataError.
        `form` "completions" passes by the chat template of `base`, and what is written then has none.
        A fit killed and called again with the same arguments ends in the same weights. `progress` is called
        with the steps done and all steps."""

    longest: int
    """Tokens of the longest row that it takes, if the base's model takes as many."""
    overlong: Literal["refuse", "drop"]
    """What becomes of a longer one: `fit` refuses it, or it is left out of every set beforehand."""

    def steps(self, lengths: Sequence[int], seed: int) -> int:
        """How many steps `fit` makes of rows of these lengths (prompt and trained tokens), in this order."""


def require_one_process() -> None:
    """RunError where this process is one of several that were started together: each would train on every row, as
    one fit with so many times the batch."""
    for name in SIZES:
        size = os.environ.get(name, "")
        if size.isdigit() and int(size) > 1:
            raise RunError(f"{size} processes were started together ({name}), and a fit is one process; start "
                           "lema once, without torchrun or mpirun; machine.workers uses several cards")


def dropped_above(name: str, table: dict) -> int | None:
    """The tokens above which a trainer wants rows left out of its sets; None where it wants none left out."""
    trainer = find_trainer(name, table)
    return trainer.longest if getattr(trainer, "overlong", "refuse") == "drop" else None


def find_trainer(name: str, table: dict) -> Trainer:
    """The trainer called `name` (or at that dotted path), built from its settings table."""
    module = find("training", name, "Trainer", "train.trainer")
    return module.Trainer(settings_of(module.Settings, table, "train"))
