"""The training loop itself: TRL's SFTTrainer, fed with ready batches, resumable at the last whole point.

One design decision: what decides the outcome comes in as a plan of passes, made before; here it is only carried
out, by one process or by several that share every pass out among them and so compute what one would.
"""

import gc
import json
import math
import os
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lema.checkpoints import hushed, load_tokenizer
from lema.errors import ModelError, RunError, installing
from lema.files import write_whole
from lema.training import Progress
from lema.training.optimizers import OPTIMIZERS, share
from lema.training.stream import Passes, shares

try:
    with hushed():
        import torch
        import transformers
        from transformers.trainer_callback import PrinterCallback
        from trl import SFTConfig, SFTTrainer

    from lema.checkpoints.rendering import Tokens
    from lema.training.metrics import FILE, Metrics, tokens_of_steps
    from lema.training.passes import PackedCollator, attention_of, dataset, line_length
    from lema.training.points import last_point, mark, mark_of, writing
    from lema.training.saving import merged, parity, save_tokenizer, whole
    from lema.training.weights import adapter, in_float32, load_model, to_merge_into
except ModuleNotFoundError as missing:
    raise ModelError(f"training needs {missing.name}: {installing('train')}") from None

if TYPE_CHECKING:
    from lema.training.sft import Fit, Settings

class TooLarge(ModelError):
    """A step that does not fit the device."""


class Outcome(NamedTuple):
    """The loss of every step, the seconds they took, and what merging an adapter changes (saving.py)."""

    losses: list[float]
    seconds: float
    merge_difference: float | None


def run(fit: "Fit", plan: Passes, progress: Progress | None) -> Outcome:
    """Trains and writes the result to `fit.out`."""
    base, out = fit.base, fit.out
    loop = _kind_of(fit.settings)(fit, plan, progress)
    point = loop.agreed(lambda: last_point(out / "unfinished", fit.call))
    started = time.monotonic()
    if point:
        whole = mark_of(point)
        loop.losses, loop.started = whole["losses"], started - whole["seconds"]
    loop.begin_metrics()
    too_large = (f"{base}: a training step does not fit the device; set train.accumulate = \"auto\" and "
                 "train.gradient_checkpointing, or train method \"qlora\"")
    try:
        loop.train(resume_from_checkpoint=str(point) if point else None)
    except torch.OutOfMemoryError:
        point = None
    else:
        too_large = ""
    if too_large:  # raised out here, where no frame of the failed step holds its memory any more
        del loop
        gc.collect()
        raise TooLarge(too_large)
    losses = loop.measured()
    for step, loss in enumerate(losses, 1):
        if not math.isfinite(loss):
            raise ModelError(f"{base}: the loss is no number from step {step} on; lower the learning rate")
    return Outcome(losses, time.monotonic() - loop.started, _written(loop, fit))


def _kind_of(settings: "Settings") -> type["Loop"]:
    if settings.parallel == "ddp" or settings.world == 1:
        return Loop
    from lema.training.sharding import ShardedLoop

    return ShardedLoop


def _written(loop: "Loop", fit: "Fit") -> float | None:
    """Writes what was trained, by one of the processes; what merging changes, where there is an adapter."""
    settings, out, difference = fit.settings, fit.out, None
    model, weights = loop.accelerator.unwrap_model(loop.model), loop.gathered()
    if loop.accelerator.is_main_process:
        with writing(out):
            if settings.method == "full":  # under bfloat16 the rounded weights are what was trained
                whole(model, weights).to(getattr(torch, settings.dtype)).save_pretrained(out)
            else:
                model.save_pretrained(out / "adapter", state_dict=weights)
            save_tokenizer(fit.base, out, fit.form)
            used = {**settings.model_dump(mode="json"), "form": fit.form}
            write_whole(out / "training.json", json.dumps(used, indent=1) + "\n")
            os.replace(out / "unfinished" / FILE, out / FILE)
    if settings.saved == "adapter" and (weights is not None or loop.accelerator.is_main_process):
        difference = parity(model, out / "adapter", fit.rows[0])  # of shared weights all compute it together
    if not loop.accelerator.is_main_process:
        return None
    on_cpu = loop.args.device.type == "cpu"
    loop.model = loop.model_wrapped = model = None
    if not on_cpu:
        gc.collect()  # the loop holds itself in cycles, and its weights would stay beside those of the next fit
        torch.cuda.empty_cache()
    if settings.method != "full" and settings.saved == "merged":
        both, difference = merged(lambda: to_merge_into(fit.base, settings), out / "adapter", fit.rows[0])
        with writing(out):
            both.save_pretrained(out)
    return difference


class Loop(SFTTrainer):
    """SFTTrainer with batches, optimiser, rates and points to resume from as the settings say."""

    def __init__(self, fit: "Fit", plan: Passes, progress: Progress | None) -> None:
        self.fit, self.settings, self.plan, self.progress = fit, fit.settings, plan, progress
        self.losses: list[float | torch.Tensor] = []
        self.started, self.metrics = time.monotonic(), None
        tokenizer, several = load_tokenizer(fit.base), fit.settings.world > 1
        with warnings.catch_warnings():
            # PEFT still asks transformers for the old name of activation checkpointing
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
            super().__init__(
                model=load_model(fit.base, fit.settings, attention_of(fit.settings)),
                args=arguments(fit.settings, plan, fit.out, fit.seed),
                train_dataset=dataset([*fit.rows, *[silent(fit.rows[0])] * several]),
                processing_class=tokenizer,
                peft_config=None if fit.settings.method == "full" else adapter(fit.settings),
            )
        if fit.settings.packing:
            self.data_collator = PackedCollator(line_length(fit.settings), tokenizer.pad_token_id)
        if fit.settings.method == "qlora":
            in_float32(self.model)
        self.remove_callback(PrinterCallback)
        self.accelerator.free_memory = lambda *objects: list(objects)  # nothing is there yet, and it takes long
        if self.args.world_size != fit.settings.world:
            raise RunError(f"{self.args.world_size} processes train together, where train.processes and "
                           f"train.nodes ask for {fit.settings.world}; start lema once, it starts them")

    def _send_telemetry(self) -> None:
        """TRL would report to its makers."""

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """A point to resume from needs none."""

    def gathered(self) -> dict[str, torch.Tensor] | None:
        """The trained weights, where no process holds them all; called by all together."""

    def agreed(self, look: Callable[[], Path | None]) -> Path | None:
        """What the first process sees, told to all."""
        seen = [look() if self.accelerator.is_main_process else None]
        if self.args.world_size > 1:
            torch.distributed.broadcast_object_list(seen)
        return seen[0]

    def begin_metrics(self) -> None:
        """From the step on that `losses` end with."""
        if self.accelerator.is_main_process:
            steps = list(tokens_of_steps(self.plan, self.fit.rows))
            self.metrics = Metrics(self.fit.out / "unfinished", steps, len(self.losses))

    def get_train_dataloader(self) -> torch.utils.data.DataLoader:
        several = self.args.world_size > 1
        loader = torch.utils.data.DataLoader(
            self.train_dataset,
            batch_sampler=self._own_share() if several else self.plan.rows,
            collate_fn=self.data_collator,
            generator=torch.Generator(),  # else it would draw from the stream that dropout draws from
            pin_memory=self.args.dataloader_pin_memory,
        )
        return loader if several else self.accelerator.prepare(loader)

    def _own_share(self) -> list[list[int]]:
        """This process's part of every pass; a row of which nothing is learnt where there are fewer rows."""
        lengths = [row.length for row in self.fit.rows]
        own = []
        for rows in self.plan.rows:
            part = shares(rows, lengths, self.args.world_size)[self.args.process_index]
            own.append(part or [len(lengths)])
        return own

    def create_optimizer(self, model: torch.nn.Module | None = None) -> torch.optim.Optimizer:
        settings = self.settings
        self.optimizer = OPTIMIZERS[settings.optimizer](
            model or self.model, settings.rate, settings.rest_rate, settings.weight_decay,
            (settings.beta1, settings.beta2))
        return self.optimizer

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None
                         ) -> torch.optim.lr_scheduler.LRScheduler:
        settings = self.settings
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer,
            lambda step: share(step, num_training_steps, settings.schedule, settings.warmup, settings.final))
        return self.lr_scheduler

    def compute_loss(self, model: torch.nn.Module, inputs: dict, *args: object, **kwargs: object) -> torch.Tensor:
        """On a CPU the model's own loss: the tiles of TRL's loss save memory on a GPU and cost a fifth here."""
        inputs["use_cache"] = False  # with a cache transformers would not look for packed rows
        if self.args.device.type == "cpu":
            return transformers.Trainer.compute_loss(self, model, inputs, *args, **kwargs)
        return super().compute_loss(model, inputs, *args, **kwargs)

    def training_step(self, *args: object, **kwargs: object) -> torch.Tensor:
        rate = self.lr_scheduler.get_last_lr()[0]
        loss = super().training_step(*args, **kwargs)
        whole = self.accelerator.reduce(loss, "mean") if self.args.world_size > 1 else loss
        if self.state.global_step == len(self.losses):
            self.losses.append(whole)
        else:  # a further pass of the same step
            self.losses[-1] = self.losses[-1] + whole
        if self.accelerator.sync_gradients:
            if self.metrics:
                self.metrics.add(len(self.losses), self.losses[-1], rate, time.monotonic() - self.started)
            if self.progress:
                self.progress(self.state.global_step + 1, self.plan.steps)
        return loss

    def measured(self) -> list[float]:
        """The loss per trained token of every step so far."""
        if self.metrics:
            self.metrics.write()
        self.losses = [float(loss) for loss in self.losses]
        return self.losses

    def _save_checkpoint(self, model: torch.nn.Module, trial: object) -> None:
        point = Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}"
        with writing(point.parent):
            super()._save_checkpoint(model, trial)
            losses = self.measured()
            self.accelerator.wait_for_everyone()
            if self.accelerator.is_main_process:
                mark(point, self.fit.call, losses, time.monotonic() - self.started)
            self.accelerator.wait_for_everyone()


def silent(row: Tokens) -> Tokens:
    """A row that a process without rows of its own runs, so that all make the same passes."""
    return Tokens([*row.prompt, *row.completion][:2], [])


def arguments(settings: "Settings", plan: Passes, out: Path, seed: int) -> SFTConfig:
    """TRL's own settings, its defaults overridden where they cut, log, report or cost."""
    on_cpu = not torch.accelerator.is_available()
    if settings.tracker and find_spec(settings.tracker) is None:
        raise ModelError(f"train.tracker: {settings.tracker} is not installed: pip install {settings.tracker}")
    made = SFTConfig(
        output_dir=str(out / "unfinished"), run_name=out.parent.name,
        seed=seed, data_seed=seed,
        use_cpu=on_cpu,
        ddp_backend="gloo" if on_cpu and torch.distributed.is_initialized() else None,
        ddp_find_unused_parameters=False,
        num_train_epochs=1,
        gradient_accumulation_steps=plan.each,
        max_grad_norm=settings.clip,
        max_length=None,  # checked row by row before; TRL would cut
        dataset_kwargs={"skip_prepare_dataset": True},
        activation_checkpointing=settings.gradient_checkpointing,
        bf16=settings.dtype == "bfloat16",
        save_strategy="steps" if settings.save_steps else "no",
        save_steps=settings.save_steps or 500,
        logging_strategy="steps" if settings.tracker else "no", logging_steps=1, logging_nan_inf_filter=False,
        eval_strategy="no", report_to=settings.tracker or "none", disable_tqdm=True,
        dataloader_pin_memory=not on_cpu,
        use_liger_kernel=not on_cpu and transformers.utils.is_liger_kernel_available(),
    )
    if made.n_gpu > 1:
        made._n_gpu = 1  # one process trains on one device; several are the launcher's business
    return made
