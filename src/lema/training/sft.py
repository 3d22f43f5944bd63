"""Supervised fine-tuning on TRL and PEFT: full or LoRA, loss on completions and their end token only.

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

from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from lema import plugins
from lema.checkpoints import content_hash, find_checkpoint, load_tokenizer, positions
from lema.checkpoints.rendering import Form, Tokens, encode
from lema.errors import DataError
from lema.plugins import execution
from lema.records import Example, content_id
from lema.training import Progress, TrainingLog, require_one_process
from lema.training.stream import batches

VERSION = 2
"""Raised when the same arguments come to give other weights: older checkpoints are then not continued."""


class Lora(plugins.Settings):
    """Adapters on every linear layer but the head."""

    r: int = Field(64, gt=0)
    alpha: float = Field(16, gt=0)
    dropout: float = Field(0.05, ge=0, lt=1)


class Settings(plugins.Settings):
    """[train]: the defaults suit LoRA on a 7B model; a recipe for small models overrides most of them."""

    method: Literal["full", "lora"] = "lora"
    lora: Lora = Lora()
    optimizer: Literal["adamw", "muon"] = "adamw"
    learning_rate: float | None = Field(None, gt=0, description="by default 2e-4 for lora, 1e-5 for full")
    embedding_learning_rate: float | None = Field(
        None, gt=0, description="of embeddings, head, norms and biases; by default the same")
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup: float = Field(0.0, ge=0, lt=1, description="share of the steps in which the rate rises")
    final: float = Field(0.0, ge=0, le=1, description="where linear and cosine end, as a share of the full rate")
    weight_decay: float = Field(0.0, ge=0)
    beta2: float = Field(0.95, ge=0, lt=1, description="AdamW's memory of squared gradients: 0.95 suits short "
                                                         "runs, the paper has the customary 0.999")
    clip: float = Field(1.0, gt=0, description="largest norm of a step's gradient")
    batch_size: int | None = Field(None, gt=0, description="rows per step; 32 where batch_tokens is not given")
    batch_tokens: int | None = Field(None, gt=0, description="padded tokens per step")
    accumulate: int = Field(1, gt=0, description="passes that a step's batch is cut into, to fit the device")
    max_length: int = Field(2048, gt=1, description="tokens of prompt and completion")
    overlong: Literal["refuse", "drop"] = Field(
        "refuse", description="a longer row ends the fit, or is left out of its set and counted; none is ever cut")
    dtype: Literal["float32", "bfloat16"] = "float32"
    gradient_checkpointing: bool = False
    save_steps: int = execution(200, ge=0, description="a point to resume from every so many steps; 0: none")

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        for key in ("batch_size", "batch_tokens"):
            if (getattr(self, key) or 0) % self.accumulate:
                raise ValueError(f"{key} {getattr(self, key)} must be a multiple of accumulate {self.accumulate}")
        if self.method == "lora" and self.embedding_learning_rate is not None:
            raise ValueError("embedding_learning_rate needs method = \"full\": lora leaves the embeddings alone")
        return self

    @property
    def rate(self) -> float:
        return self.learning_rate or {"lora": 2e-4, "full": 1e-5}[self.method]

    @property
    def rest_rate(self) -> float:
        return self.embedding_learning_rate or self.rate

    def plan(self, lengths: Sequence[int], seed: int) -> list[list[int]]:
        """Rows of every forward pass, in order; `accumulate` passes make a step."""
        size = self.batch_size if self.batch_size or self.batch_tokens else 32
        rows = size and max(1, size // self.accumulate)
        tokens = self.batch_tokens and max(1, self.batch_tokens // self.accumulate)
        return batches(lengths, rows, tokens, seed)


class Trainer:
    """Trains a checkpoint as `lema.training.Trainer` says."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.longest, self.overlong = settings.max_length, settings.overlong

    def fit(self, examples: Sequence[Example], base: Path | str, out: Path, seed: int,
            progress: Progress | None = None, form: Form = "chat") -> TrainingLog:
        """`base` may be a hub id; with lora the adapter alone is written too, to `out/adapter`.

        DataError: no rows, or one that is empty, unknown to the tokenizer or too long. ModelError: `base` is no
        checkpoint, a step does not fit the device, or the loss is no number. RunError: `out` cannot be written.
        Until it is done `out/unfinished` holds the points to resume from.
        """
        require_one_process()
        base = find_checkpoint(str(base))
        rows = encode_rows(examples, base, self.settings.max_length, form)
        plan = self.settings.plan([row.length for row in rows], seed)
        ids = [row.id for row in examples]
        call = content_id(VERSION, self.settings.facts(), seed, content_hash(base), ids, form)
        from lema.training.loop import discard, run

        points = out / "unfinished"
        points.mkdir(parents=True, exist_ok=True)
        losses, seconds, difference = run(self.settings, rows, plan, base, out, seed, call, progress, form)
        discard(points.iterdir())
        points.rmdir()
        tail = losses[-max(1, len(losses) // 10):]
        return TrainingLog(
            steps=len(losses),
            examples=len(rows),
            tokens=sum(len(row.completion) for row in rows),
            all_tokens=sum(row.length for row in rows),
            loss=sum(tail) / len(tail),
            seconds=seconds,
            merge_difference=difference,
        )

    def steps(self, lengths: Sequence[int], seed: int) -> int:
        return -(-len(self.settings.plan(lengths, seed)) // self.settings.accumulate)


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
