"""Supervised fine-tuning, and then direct preference optimization on the pairs of the set (Rafailov et al., 2023).

    [arms.step-dpo]
    train = { trainer = "dpo", pairs = { beta = 0.1, learning_rate = 1e-5 } }
    Example(prefix="Step 1: …", completion="Step 2: 18 - 6 = 12.\n", dispreferred="Step 2: 18 - 6 = 13.\n", …)
    → TrainingLog(steps=120, …), and a checkpoint folder that every backend loads

One design decision: rows that are no pairs are trained on first, by the supervised trainer with the same keys, and
the model that comes of them is the reference of the pairs; so an arm adds pairs to a set and says nothing else.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import filterfalse
from operator import attrgetter
from pathlib import Path
from typing import Literal

from pydantic import Field

from lema import plugins
from lema.checkpoints import content_hash, find_checkpoint
from lema.checkpoints.rendering import Form
from lema.files import read_plain, remove
from lema.records import Example, content_id
from lema.training import Progress, TrainingLog, sft

VERSION = 1
MARK = "trained"


class Pairs(plugins.Settings):
    """How pairs are trained on, each in the order in which it comes."""

    beta: float = Field(0.1, gt=0, description="how far the model may go from the reference: larger is nearer")
    loss: Literal["sigmoid", "ipo", "hinge"] = "sigmoid"
    learning_rate: float = Field(1e-5, gt=0)
    batch_size: int = Field(16, gt=0, description="pairs per step")


class Settings(sft.Settings):
    """A table of [train] or of an arm's `train` with trainer = "dpo": the keys of "sft", and `pairs`."""

    method: Literal["full"] = "full"
    pairs: Pairs = Pairs()


class Trainer:
    """Trains a checkpoint as `lema.training.Trainer` says."""

    takes_pairs = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.supervised = sft.Trainer(sft.Settings(**settings.model_dump(exclude={"pairs"})))
        self.longest, self.overlong = settings.max_length, settings.overlong

    def fit(self, examples: Sequence[Example], base: Path | str, out: Path, seed: int,
            progress: Progress | None = None, form: Form = "chat") -> TrainingLog:
        """As `sft.Trainer.fit`, then the pairs in their order. Killed among the pairs, it begins with the first of
        them again; the rows before them are resumed."""
        pairs = list(filter(attrgetter("dispreferred"), examples))
        if not pairs:
            return self.supervised.fit(examples, base, out, seed, progress, form)
        rows = list(filterfalse(attrgetter("dispreferred"), examples))
        base, first = find_checkpoint(str(base)), out / "unfinished" / "supervised"
        later = -(-len(pairs) // self.settings.pairs.batch_size)

        def counting(done: int, total: int) -> None:
            if progress is not None:
                progress(done, total + later)

        log = self._supervised(rows, base, first, seed, counting, form) if rows else None
        from lema.training.pairs import run

        steps = log.steps if log else 0
        done = run(self.settings, pairs, first if log else base, out, seed, form,
                   lambda step: counting(steps + step, steps))
        shutil.rmtree(out / "unfinished", ignore_errors=True)
        before = log or TrainingLog(steps=0, examples=0, tokens=0, all_tokens=0, loss=0.0, seconds=0.0)
        return replace(done, steps=before.steps + done.steps, examples=before.examples + done.examples,
                       tokens=before.tokens + done.tokens, all_tokens=before.all_tokens + done.all_tokens,
                       seconds=before.seconds + done.seconds)

    def _supervised(self, rows: list[Example], base: Path, out: Path, seed: int, progress: Progress,
                    form: Form) -> TrainingLog:
        """The model that the pairs begin with, and are weighed against; one that the same call left is taken."""
        call = content_id(VERSION, self.supervised.settings.facts(), seed, content_hash(base),
                          list(map(attrgetter("id"), rows)), form)
        mark = out.with_name(MARK)
        try:
            kept = json.loads(read_plain(mark))
            if kept.pop("call") == call:
                return TrainingLog(**kept)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            pass
        remove(mark)
        log = self.supervised.fit(rows, base, out, seed, progress, form)
        values = {name: getattr(log, name) for name in TrainingLog.__dataclass_fields__}
        mark.write_text(json.dumps({"call": call, **values}), encoding="utf-8")
        return log

    def steps(self, lengths: Sequence[int], seed: int) -> int:
        return self.supervised.steps(lengths, seed)
