"""Preference pairs through TRL's DPOTrainer, tokenised here.

One design decision: TRL would put an end token behind every side, and a single step is not the end of a text; so
both sides come ready as tokens, and only what ends a text has its end token.
"""

import math
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lema.checkpoints import hushed, load_tokenizer, positions
from lema.checkpoints.rendering import Form, encode
from lema.errors import DataError, ModelError, installing
from lema.records import Example
from lema.training import TrainingLog

try:
    import torch
    from datasets import Dataset
    with hushed():
        from trl import DPOConfig, DPOTrainer
    from transformers.trainer_callback import PrinterCallback

    from lema.training.points import writing
    from lema.training.saving import save_tokenizer
    from lema.training.weights import load_model
except ModuleNotFoundError as missing:
    raise ModelError(f"training needs {missing.name}: {installing('train')}") from None

if TYPE_CHECKING:
    from lema.training.dpo import Settings


def run(settings: "Settings", pairs: list[Example], base: Path, out: Path, seed: int, form: Form,
        progress: Callable[[int], None]) -> TrainingLog:
    """Trains `base` on the pairs in their order, beside itself as the reference, and writes the result to `out`.

    DataError: a pair that is too long. ModelError: a step does not fit the device, or the loss is no number.
    """
    started = time.monotonic()
    rows = tokenised(pairs, base, settings.max_length, form)
    try:
        with warnings.catch_warnings():
            # TRL still asks transformers for the old name of activation checkpointing
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
            loop = PairLoop(settings, rows, base, out / "unfinished" / "pairs", seed, progress)
            loop.train()
    except torch.OutOfMemoryError:
        raise ModelError(f"{base}: a step of pairs does not fit the device; lower pairs.batch_size") from None
    losses = list(map(float, loop.losses))
    if not all(map(math.isfinite, losses)):
        raise ModelError(f"{base}: the loss of the pairs is no number; lower pairs.learning_rate")
    with writing(out):
        loop.accelerator.unwrap_model(loop.model).to(getattr(torch, settings.dtype)).save_pretrained(out)
        save_tokenizer(base, out, form)
    tail = losses[-max(1, len(losses) // 10):]
    trained = sum(len(row["chosen_ids"]) for row in rows)
    return TrainingLog(steps=len(losses), examples=len(rows), tokens=trained,
                       all_tokens=trained + sum(len(row["prompt_ids"]) for row in rows),
                       loss=sum(tail) / len(tail), seconds=time.monotonic() - started)


def tokenised(pairs: list[Example], base: Path, longest: int, form: Form) -> list[dict[str, list[int]]]:
    """Every pair as DPOTrainer takes it: prompt_ids (with the prefix), chosen_ids, rejected_ids."""
    tokenizer, longest = load_tokenizer(base), min(longest, positions(base))
    rows = []
    for number, pair in enumerate(pairs, 1):
        better = encode(tokenizer, pair, form)
        worse = encode(tokenizer, replace(pair, completion=pair.dispreferred), form)
        if max(better.length, worse.length) > longest:
            raise DataError(f"training row {number} (pair {pair.id}): {max(better.length, worse.length)} tokens, "
                            f"more than the {longest} that train.max_length and the model allow")
        rows.append({"prompt_ids": list(better.prompt), "chosen_ids": _side(pair.completion, better.completion),
                     "rejected_ids": _side(pair.dispreferred, worse.completion)})
    return rows


def _side(text: str, tokens: list[int]) -> list[int]:
    """A step that ends in its line end goes on; everything else ends there."""
    return list(tokens[:-1] if text.endswith("\n") else tokens)


class PairLoop(DPOTrainer):
    """DPOTrainer on ready tokens, in their order."""

    def __init__(self, settings: "Settings", rows: list[dict[str, list[int]]], base: Path, points: Path, seed: int,
                 progress: Callable[[int], None]) -> None:
        self.losses: list[torch.Tensor] = []
        self.progress = progress
        on_cpu = not torch.accelerator.is_available()
        table = settings.pairs
        arguments = DPOConfig(
            output_dir=str(points), seed=seed, data_seed=seed, use_cpu=on_cpu, num_train_epochs=1,
            per_device_train_batch_size=table.batch_size, learning_rate=table.learning_rate, beta=table.beta,
            loss_type=table.loss, lr_scheduler_type="constant", max_grad_norm=settings.clip,
            weight_decay=settings.weight_decay, max_length=None, bf16=settings.dtype == "bfloat16",
            activation_checkpointing=settings.gradient_checkpointing, save_strategy="no", logging_strategy="no",
            logging_nan_inf_filter=False, eval_strategy="no", report_to="none", disable_tqdm=True,
            dataloader_pin_memory=not on_cpu)
        super().__init__(model=load_model(base, settings), ref_model=load_model(base, settings), args=arguments,
                         train_dataset=Dataset.from_list(rows), processing_class=load_tokenizer(base))
        self.remove_callback(PrinterCallback)

    def _prepare_dataset(self, dataset: Dataset, *args: object, **kwargs: object) -> Dataset:
        """It is ready."""
        return dataset

    def _get_train_sampler(self, *args: object, **kwargs: object) -> torch.utils.data.Sampler:
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def _send_telemetry(self) -> None:
        """TRL would report to its makers."""

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """None is wanted."""

    def training_step(self, *args: object, **kwargs: object) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)
        self.losses.append(loss)
        self.progress(len(self.losses))
        return loss

