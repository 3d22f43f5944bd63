"""The training loop itself: TRL's SFTTrainer, fed with ready batches, resumable at the last whole point.

One design decision: a point to resume from counts only once its file `whole` stands beside it, written after
everything else was. Without it a half-written optimiser state would resume, silently, on another curve.
"""

import gc
import json
import math
import os
import shutil
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lema.checkpoints import OURS_ALONE, first_line, hushed, load_tokenizer, why_not_loaded
from lema.checkpoints.rendering import Form, Tokens
from lema.errors import ModelError, RunError, installing
from lema.files import read_plain, remove
from lema.plugins import file_hash
from lema.training import Progress
from lema.training.optimizers import adamw, muon, share

try:
    import numpy as np
    import pyarrow
    import torch
    import transformers
    from datasets import Dataset
    from datasets.table import InMemoryTable
    with hushed():
        from peft import LoraConfig
    from safetensors import SafetensorError
    from transformers.trainer_callback import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from lema.training.saving import merged, save_tokenizer
except ModuleNotFoundError as missing:
    raise ModelError(f"training needs {missing.name}: {installing('train')}") from None

if TYPE_CHECKING:
    from lema.training.sft import Settings

WHOLE = "whole"


class Outcome(NamedTuple):
    """The loss of every step, the seconds they took, and what merging an adapter changed (`saving.merged`)."""

    losses: list[float]
    seconds: float
    merge_difference: float | None


def run(settings: "Settings", rows: list[Tokens], plan: list[list[int]], base: Path, out: Path, seed: int,
        call: str, progress: Progress | None, form: Form = "chat") -> Outcome:
    """Trains and writes the result to `out`.

    `call` names the arguments: only a point that the same call left in `out/unfinished` is resumed.
    """
    loop = Loop(settings, rows, plan, base, out / "unfinished", seed, call, progress)
    point = last_point(out / "unfinished", call)
    started = time.monotonic()
    if point:
        mark = _mark_of(point)
        loop.losses, loop.started = mark["losses"], started - mark["seconds"]
    try:
        loop.train(resume_from_checkpoint=str(point) if point else None)
    except torch.OutOfMemoryError:
        raise ModelError(f"{base}: a training step does not fit the device; raise train.accumulate or set "
                         "train.gradient_checkpointing") from None
    losses = loop.measured()
    for step, loss in enumerate(losses, 1):
        if not math.isfinite(loss):
            raise ModelError(f"{base}: the loss is no number from step {step} on; lower the learning rate")
    model, started, device = loop.accelerator.unwrap_model(loop.model), loop.started, loop.args.device.type
    with writing(out):
        if settings.method == "lora":
            model.save_pretrained(out / "adapter")
        else:  # under bfloat16 every product was made of rounded weights: they are what was trained
            model.to(getattr(torch, settings.dtype)).save_pretrained(out)
        save_tokenizer(base, out, form)
    del loop, model
    if device != "cpu":
        gc.collect()  # the loop holds itself in cycles, and its weights would stay beside those of the next fit
    difference = None
    if settings.method == "lora":
        whole, difference = merged(lambda: load_model(base, settings), out / "adapter", rows[0])
        with writing(out):
            whole.save_pretrained(out)
    return Outcome(losses, time.monotonic() - started, difference)


def last_point(folder: Path, call: str) -> Path | None:
    """The latest whole point that `call` left; everything else in the folder is removed."""
    best: Path | None = None
    for point in sorted(folder.glob("checkpoint-*"), key=lambda path: (len(path.name), path.name)):
        if _mark_of(point).get("call") == call:
            best = point
    for point in folder.iterdir():
        if point != best:
            remove(point)
    return best


def discard(points: Iterable[Path]) -> None:
    """Removes points, their marks first: what a kill leaves half removed is nothing to resume from."""
    for point in list(points):
        (point / WHOLE).unlink(missing_ok=True)
        shutil.rmtree(point)


def _mark_of(point: Path) -> dict:
    """What stands beside a whole point; empty where it is missing or damaged, so that the point is not resumed."""
    try:
        mark = json.loads(read_plain(point / WHOLE))
        sound = {*map(type, mark["losses"]), type(mark["seconds"])} <= {int, float}
        return mark if sound and mark["files"] == _hashes_of(point) else {}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return {}


def _hashes_of(point: Path) -> dict[str, str]:
    """What names each file of a point: from one flipped bit on, a training would go on on another curve."""
    files = filter(Path.is_file, point.iterdir())
    return {file.name: file_hash(file) for file in files if not file.name.startswith(WHOLE)}


def load_model(base: Path, settings: "Settings") -> "transformers.PreTrainedModel":
    """The weights to train: in bfloat16 where they are frozen and it is asked for, else in float32."""
    transformers.utils.logging.disable_progress_bar()
    frozen = settings.method == "lora" and settings.dtype == "bfloat16"
    try:
        return transformers.AutoModelForCausalLM.from_pretrained(
            base, dtype=torch.bfloat16 if frozen else torch.float32, **OURS_ALONE)
    except Exception as error:  # safetensors, torch and transformers each raise their own
        raise ModelError(f"{base}: its weights cannot be loaded ({why_not_loaded(error)})") from None


def adapter(settings: "Settings") -> LoraConfig:
    """LoRA on every linear layer but the head."""
    lora = settings.lora
    return LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, bias="none",
                      target_modules="all-linear", task_type="CAUSAL_LM")


class Loop(SFTTrainer):
    """SFTTrainer with batches, optimiser, rates and points to resume from as the settings say."""

    def __init__(self, settings: "Settings", rows: list[Tokens], plan: list[list[int]], base: Path,
                 points: Path, seed: int, call: str, progress: Progress | None) -> None:
        self.settings, self.plan, self.call, self.progress = settings, plan, call, progress
        self.steps = math.ceil(len(plan) / settings.accumulate)
        self.losses: list[float | torch.Tensor] = []
        self.started = time.monotonic()
        with warnings.catch_warnings():
            # PEFT still asks transformers for the old name of activation checkpointing
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
            super().__init__(
                model=load_model(base, settings),
                args=arguments(settings, points, seed),
                train_dataset=dataset(rows),
                processing_class=load_tokenizer(base),
                peft_config=adapter(settings) if settings.method == "lora" else None,
            )
        self.remove_callback(PrinterCallback)

    def _send_telemetry(self) -> None:
        """TRL would report to its makers."""

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """A point to resume from needs none."""

    def get_train_dataloader(self) -> torch.utils.data.DataLoader:
        loader = torch.utils.data.DataLoader(
            self.train_dataset,
            batch_sampler=self.plan,
            collate_fn=self.data_collator,
            generator=torch.Generator(),  # else it would draw from the stream that dropout draws from
            pin_memory=self.args.dataloader_pin_memory,
        )
        return self.accelerator.prepare(loader)

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        made = {"adamw": adamw, "muon": muon}[self.settings.optimizer]
        self.optimizer = made(model or self.model, self.settings.rate, self.settings.rest_rate,
                              self.settings.weight_decay, self.settings.beta2)
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
                         ) -> torch.optim.lr_scheduler.LRScheduler:
        settings = self.settings
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer,
            lambda step: share(step, num_training_steps, settings.schedule, settings.warmup, settings.final))
        return self.lr_scheduler

    def compute_loss(self, *args: object, **kwargs: object) -> torch.Tensor:
        """On a CPU the model's own loss: the tiles of TRL's loss save memory on a GPU and cost a fifth here."""
        if self.args.device.type == "cpu":
            return transformers.Trainer.compute_loss(self, *args, **kwargs)
        return super().compute_loss(*args, **kwargs)

    def training_step(self, *args: object, **kwargs: object) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)
        if self.state.global_step == len(self.losses):
            self.losses.append(loss)
        else:  # a further pass of the same step
            self.losses[-1] = self.losses[-1] + loss
        if self.progress and self.accelerator.sync_gradients:
            self.progress(self.state.global_step + 1, self.steps)
        return loss

    def measured(self) -> list[float]:
        """The loss per trained token of every step so far."""
        self.losses = [float(loss) for loss in self.losses]
        return self.losses

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        point = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with writing(point.parent):
            super()._save_checkpoint(model, trial)
            for file in point.iterdir():
                sync(file)
            mark = {"call": self.call, "losses": self.measured(), "seconds": time.monotonic() - self.started,
                    "files": _hashes_of(point)}
            part = point / f"{WHOLE}.part"
            part.write_text(json.dumps(mark), encoding="utf-8")
            sync(part)
            part.rename(point / WHOLE)
            discard(older for older in point.parent.iterdir() if older != point)


def dataset(rows: list[Tokens]) -> Dataset:
    """The rows as TRL takes them. A row that comes again (the same object) is held once, eight bytes a token."""
    places: dict[int, int] = {}
    order = [places.setdefault(id(row), len(places)) for row in rows]
    unique = dict(zip(order, rows, strict=True)).values()
    lengths = np.fromiter((row.length for row in unique), np.int64, len(places))
    ends = np.concatenate([[0], lengths.cumsum()])
    ids = np.empty(ends[-1], np.int32)
    labels = np.full(ends[-1], -100, np.int32)
    for row, start in zip(unique, ends, strict=False):
        middle, end = start + len(row.prompt), start + row.length
        ids[start:middle], ids[middle:end] = row.prompt, row.completion
        labels[middle:end] = row.completion
    table = pyarrow.table({"input_ids": pyarrow.LargeListArray.from_arrays(ends, ids),
                           "labels": pyarrow.LargeListArray.from_arrays(ends, labels)})
    return Dataset(InMemoryTable(table)).select(order)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what torch, safetensors and the system raise on a full or closed disk into one line."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        raise RunError(f"{folder}: cannot be written ({first_line(error)}); make room and run again") from error


def sync(file: Path) -> None:
    """Returns once the file is on the disk, so that a power cut cannot leave a mark beside half a point."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


def arguments(settings: "Settings", points: Path, seed: int) -> SFTConfig:
    """TRL's own settings, its defaults overridden where they cut, log, report or cost."""
    on_cpu = not torch.accelerator.is_available()
    made = SFTConfig(
        output_dir=str(points),
        seed=seed, data_seed=seed,
        use_cpu=on_cpu,
        num_train_epochs=1,
        gradient_accumulation_steps=settings.accumulate,
        max_grad_norm=settings.clip,
        max_length=None,  # checked row by row before; TRL would cut
        dataset_kwargs={"skip_prepare_dataset": True},
        activation_checkpointing=settings.gradient_checkpointing,
        bf16=settings.dtype == "bfloat16",
        save_strategy="steps" if settings.save_steps else "no",
        save_steps=settings.save_steps or 500,
        logging_strategy="no", logging_nan_inf_filter=False,
        eval_strategy="no", report_to="none", disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
    )
    if made.n_gpu > 1:
        made._n_gpu = 1  # one process trains on one device; several are the launcher's business
    return made

