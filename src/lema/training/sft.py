"""Supervised fine-tuning on TRL and PEFT: full, LoRA or QLoRA, loss on completions and their end token only.

    [train]
    method = "full"
    learning_rate = 0.002
    batch_size = 32
    Example(prompt="Question: Leo has 15 pens …", completion="He has 15 - 6 = 9 pens.", …), 3,200 of them
    → TrainingLog(steps=100, examples=3200, …), and a checkpoint folder that every backend loads

One design decision: everything that decides the outcome (tokens, masks, batches, order, rates) is fixed here
before TRL starts and TRL only runs it, so that a row can neither be cut nor dropped nor reshuffled unseen. The
loop itself, which needs torch, is in loop.py and loaded when a fit begins.
"""

import logging
import shutil
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from lema import plugins
from lema.checkpoints import content_hash, find_checkpoint, load_tokenizer, positions
from lema.checkpoints.rendering import Form, Tokens, encode
from lema.errors import DataError
from lema.plugins import execution
from lema.records import Example, content_id
from lema.training import Progress, TrainingLog, require_one_process
from lema.training.memory import LARGE, room, shapes_of, tokens_that_fit
from lema.training.stream import Passes, batches, in_passes, together

if TYPE_CHECKING:
    from lema.training.loop import Outcome

log = logging.getLogger(__name__)

VERSION = 3
"""Raised when the same arguments come to give other weights: older checkpoints are then not continued."""


class Lora(plugins.Settings):
    """Adapters on every linear layer but the head."""

    r: int = Field(64, gt=0)
    alpha: float = Field(16, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)


class Settings(plugins.Settings):
    """[train]: the defaults suit LoRA on a 7B model; a recipe for small models overrides most of them."""

    method: Literal["full", "lora", "qlora"] = Field(
        "lora", description="qlora: adapters beside weights in NF4 with double quantisation")
    lora: Lora = Lora()
    optimizer: Literal["adamw", "paged_adamw", "muon"] = Field(
        "adamw", description="paged: its state may leave the card for a while; where there is none it is adamw")
    learning_rate: float | None = Field(None, gt=0, description="by default 2e-4 for adapters, 1e-5 for full")
    large_learning_rate: float | None = Field(None, gt=0, description="instead, from 34 billion parameters on")
    embedding_learning_rate: float | None = Field(
        None, gt=0, description="of embeddings, head, norms and biases; by default the same")
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup: float = Field(0.0, ge=0, lt=1, description="share of the steps in which the rate rises")
    final: float = Field(0.0, ge=0, le=1, description="where linear and cosine end, as a share of the full rate")
    weight_decay: float = Field(0.0, ge=0)
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's memory of gradients")
    beta2: float = Field(0.95, ge=0, lt=1, description="AdamW's memory of squared gradients: 0.95 suits short "
                                                         "runs, the paper has the customary 0.999")
    clip: float = Field(1.0, gt=0, description="largest norm of a step's gradient")
    batch_size: int | None = Field(None, gt=0, description="rows per step; 32 where batch_tokens is not given")
    batch_tokens: int | None = Field(None, gt=0, description="tokens per step, padding included")
    accumulate: Annotated[int, Field(gt=0)] | Literal["auto"] = Field(
        1, description="passes that a step's batch is cut into; auto: as few as fit the device")
    packing: bool = Field(False, description="rows stand one behind the other in place of padding, and see "
                                             "nothing of each other")
    pack_length: int | None = Field(None, gt=1, description="tokens of a line of packed rows; by default the "
                                                            "longest row of a pass, or all where the kernel can")
    max_length: int = Field(2048, gt=1, description="tokens of prompt and completion")
    overlong: Literal["refuse", "drop"] = Field(
        "refuse", description="a longer row ends the fit, or is left out of its set and counted; none is ever cut")
    dtype: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    save: Literal["adapter", "merged"] | None = Field(
        None, description="adapter: it alone, the default where there is one; merged: weights with it in them too")
    attention: str | None = execution(None, description="the kernel; by default flash_attention_2 where it is "
                                                        "installed and rows are packed, else what torch has")
    processes: int = execution(1, gt=0, description="of this machine that train together, one to a card")
    parallel: Literal["ddp", "fsdp"] = execution(
        "ddp", description="whether each of them holds the whole base (ddp) or its share (fsdp)")
    nodes: int = execution(1, gt=0, description="machines that do, sharing the run's folder")
    rendezvous: str | None = execution(None, description="host:port of the first, where they are several")
    save_steps: int = execution(200, ge=0, description="a point to resume from every so many steps; 0: none")
    tracker: Literal["trackio", "tensorboard", "wandb"] | None = execution(
        None, description="who is told loss and rate besides metrics.jsonl")

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        for key in ("batch_size", "batch_tokens"):
            if self.accumulate != "auto" and (getattr(self, key) or 0) % self.accumulate:
                raise ValueError(f"{key} {getattr(self, key)} must be a multiple of accumulate {self.accumulate}")
        if self.method != "full" and self.embedding_learning_rate is not None:
            raise ValueError("embedding_learning_rate needs method = \"full\": adapters leave embeddings alone")
        if self.parallel == "fsdp" and self.optimizer == "muon":
            raise ValueError('parallel = "fsdp" shares out what muon needs whole; take optimizer = "adamw"')
        if self.method == "full" and self.save == "adapter":
            raise ValueError("save = \"adapter\" needs method = \"lora\" or \"qlora\"")
        return self

    @property
    def world(self) -> int:
        """Processes that train together."""
        return self.processes * self.nodes

    @property
    def saved(self) -> Literal["adapter", "merged"]:
        return self.save or ("merged" if self.method == "full" else "adapter")

    @property
    def rate(self) -> float:
        return self.learning_rate or (1e-5 if self.method == "full" else 2e-4)

    @property
    def rest_rate(self) -> float:
        return self.embedding_learning_rate or self.rate

    def for_base(self, parameters: int) -> "Settings":
        """These settings with the learning rate for a base of so many parameters."""
        if self.large_learning_rate is None:
            return self
        rate = self.large_learning_rate if parameters >= LARGE else self.rate
        return self.model_copy(update={"learning_rate": rate, "large_learning_rate": None})

    def plan(self, lengths: Sequence[int], seed: int, most: int | None = None) -> Passes:
        """Rows of every forward pass. `most`: the tokens that one may have, where accumulate is "auto"."""
        size = self.batch_size if self.batch_size or self.batch_tokens else 32
        if not self.packing and self.accumulate != "auto":
            rows = size and max(1, size // self.accumulate)
            tokens = self.batch_tokens and max(1, self.batch_tokens // self.accumulate)
            return Passes(batches(lengths, rows, tokens, seed), self.accumulate)
        if self.packing:
            steps = together(lengths, size, self.batch_tokens)
        else:
            steps = batches(lengths, size, self.batch_tokens, seed)
        return in_passes(steps, lengths, self._passes(steps, lengths, most))

    def _passes(self, steps: Sequence[list[int]], lengths: Sequence[int], most: int | None) -> int:
        """How many passes a step is cut into."""
        if self.accumulate != "auto":
            return self.accumulate
        if most is None:
            return 1
        largest = max(sum(map(lengths.__getitem__, step)) if self.packing else
                      len(step) * max(map(lengths.__getitem__, step)) for step in steps)
        return -(-largest // max(1, most))


class Fit(NamedTuple):
    """Everything that a fit is made of but its passes. `call` names the arguments: only a point that the same call
    left in `out/unfinished` is resumed."""

    settings: Settings
    rows: Sequence[Tokens]
    base: Path
    out: Path
    seed: int
    call: str
    form: Form


class Trainer:
    """Trains a checkpoint as `lema.training.Trainer` says."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.longest, self.overlong = settings.max_length, settings.overlong

    def fit(self, examples: Sequence[Example], base: Path | str, out: Path, seed: int,
            progress: Progress | None = None, form: Form = "chat", tokens: Path | None = None) -> TrainingLog:
        """`base` may be a hub id. `tokens`: a folder that keeps tokenised sets for the fits of a run. An adapter
        goes to `out/adapter`; `out/training.json` holds the settings that were used, `out/metrics.jsonl` a line
        for every step.

        DataError: no rows, or one that is empty, unknown to the tokenizer or too long. ModelError: `base` is no
        checkpoint, a step does not fit the device, or the loss is no number. RunError: `out` cannot be written.
        Until it is done `out/unfinished` holds the points to resume from.
        """
        require_one_process()
        base = find_checkpoint(str(base))
        settings = self.settings
        rows = _encoded(examples, base, settings.max_length, form, tokens)
        if settings.large_learning_rate or settings.accumulate == "auto":
            settings = settings.for_base(shapes_of(base).parameters)
        from lema.training.points import discard

        ids = [row.id for row in examples]
        call = content_id(VERSION, self.settings.facts(), seed, content_hash(base), ids, form)
        (out / "unfinished").mkdir(parents=True, exist_ok=True)
        fit = Fit(settings, rows, base, out, seed, call, form)
        log.info("%s: %s", out, ", ".join(f"{key} {value}" for key, value in settings.facts().items()))
        outcome = _as_large_as_fits(fit, progress)
        discard((out / "unfinished").glob("checkpoint-*"))
        shutil.rmtree(out / "unfinished")
        tail = outcome.losses[-max(1, len(outcome.losses) // 10):]
        return TrainingLog(
            steps=len(outcome.losses),
            examples=len(rows),
            tokens=sum(len(row.completion) for row in rows),
            all_tokens=sum(row.length for row in rows),
            loss=sum(tail) / len(tail),
            seconds=outcome.seconds,
            merge_difference=outcome.merge_difference,
        )

    def steps(self, lengths: Sequence[int], seed: int) -> int:
        return self.settings.plan(lengths, seed).steps


def _as_large_as_fits(fit: "Fit", progress: Progress | None) -> "Outcome":
    """The fit in as few passes a step as the device holds; where that was reckoned too few, in more."""
    from lema.training.launch import launched
    from lema.training.loop import TooLarge, run

    perform = run if fit.settings.world == 1 else launched
    automatic, most = fit.settings.accumulate == "auto", None
    if automatic:
        most = _most_tokens(fit)
    while True:
        plan = fit.settings.plan([row.length for row in fit.rows], fit.seed, most)
        try:
            return perform(fit, plan, progress)
        except TooLarge:
            least = fit.settings.world * max(row.length for row in fit.rows)
            if not automatic or most <= least:
                raise
            most = max(least, most // 2)
            log.warning("%s: a pass did not fit the device; on in passes of %d tokens", fit.base, most)


def _encoded(examples: Sequence[Example], base: Path, longest: int, form: Form,
             folder: Path | None) -> list[Tokens]:
    if folder is None or not examples:
        return encode_rows(examples, base, longest, form)
    from lema.training.tokenized import shared

    longest = min(longest, positions(base))
    return shared(folder / str(longest), examples, base, form, lambda: encode_rows(examples, base, longest, form))


def _most_tokens(fit: "Fit") -> int:
    """The tokens that a pass may have on all devices together, of which each process takes its share."""
    bytes_free, on_cpu = room()
    each = bytes_free / fit.settings.processes if on_cpu else bytes_free  # processes share a machine's memory
    return fit.settings.world * tokens_that_fit(shapes_of(fit.base), fit.settings, each, on_cpu)


def encode_rows(examples: Sequence[Example], base: Path, longest: int, form: Form = "chat") -> list[Tokens]:
    """Every row as tokens. DataError names the first that is empty, too long or not in the vocabulary."""
    if not examples:
        raise DataError("the training set is empty: nothing is left after filtering")
    tokenizer = load_tokenizer(base)
    longest = min(longest, positions(base))
    encoded: dict[str, Tokens] = {}
    for number, row in enumerate(examples, 1):
        if row.id in encoded:
            continue
        where = f"training row {number} (example {row.id}, question {row.question})"
        if not row.completion.strip():
            raise DataError(f"{where}: its completion is empty; drop the row")
        # four bytes a token: as Python's integers a set of 100,000 rows takes gigabytes
        tokens = encoded[row.id] = Tokens(*(array("i", part) for part in encode(tokenizer, row, form)))
        if tokens.length > longest:
            raise DataError(f"{where}: {tokens.length} tokens, more than the {longest} that train.max_length and "
                            "the model allow; raise train.max_length or set train.overlong = \"drop\"")
        if tokenizer.unk_token_id is not None and tokenizer.unk_token_id in tokens.completion:
            raise DataError(f"{where}: its completion holds text that the model's tokenizer does not know; "
                            "drop the row or use a model that knows it")
    return [encoded[row.id] for row in examples]


def count_tokens(base: Path | str, form: Form = "chat") -> Callable[[Example], tuple[int, int]]:
    """A function that counts (prompt tokens, trained tokens with the end token) of an example, just as a fit that
    continues `base` (a checkpoint folder or a hub id) will see them."""
    tokenizer = load_tokenizer(find_checkpoint(str(base)))

    def count(example: Example) -> tuple[int, int]:
        tokens = encode(tokenizer, example, form)
        return len(tokens.prompt), len(tokens.completion)

    return count
