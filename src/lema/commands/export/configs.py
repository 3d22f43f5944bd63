"""Ready configs for other trainers: TRL, LLaMA-Factory and axolotl, one per arm.

One design decision: they say what lema's own training says (rate, batch, length, method, epochs at the budget,
loss on the completion) as far as the other tool has a word for it, and name what it has not in a comment; each was
run by its own tool, TRL 1.16, LLaMA-Factory 0.9.5 and axolotl 0.19 (docs/interop.md).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lema.commands.export.base import NO_MODEL, Base
from lema.config import Config
from lema.plugins import settings_of
from lema.records import Account
from lema.training.sft import Settings

Form = Literal["prompt_completion", "messages", "marked"]
"""What the configs read. marked: plain text with the base's own start, end and chat template around it, so that
every tool trains on the tokens that lema trains on."""
MESSAGES_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
                 "system_tag": "system"}


@dataclass(frozen=True)
class Trained:
    """What all configs have in common: the base checkpoint, the trainer's settings (its defaults without one) and
    a seed."""

    base: Base
    settings: Settings
    seed: int
    form: Form

    @classmethod
    def of(cls, config: Config, base: Base, form: Form) -> "Trained":
        if config.train is None:
            return cls(base, Settings(), 1, form)
        own = config.train.own if config.train.trainer == "sft" else {}
        return cls(base, settings_of(Settings, own, "train"), config.train.seeds[0], form)

    @property
    def rate(self) -> float:
        """AdamW's learning rate; where lema trains with another optimizer, the one it gives AdamW beside that."""
        return self.settings.rest_rate if self.settings.optimizer == "muon" else self.settings.rate

    @property
    def schedule(self) -> str:
        """By the name that transformers gives it: its "constant" leaves a warm-up out."""
        warms = self.settings.schedule == "constant" and self.settings.warmup
        return "constant_with_warmup" if warms else self.settings.schedule

    @property
    def max_length(self) -> int:
        """Tokens of a row; never more than the base has positions for."""
        return min(self.settings.max_length, self.base.positions or self.settings.max_length)

    def file(self, arm: str) -> str:
        """Where the rows of an arm lie in the exported folder."""
        return f"configs/{arm}-marked.jsonl" if self.form == "marked" else f"{arm}/{self.form}.jsonl"

    def rows(self, account: Account | None) -> int:
        """Rows of one step; where lema fills steps by tokens, as many rows of the arm's mean length."""
        if self.settings.batch_size or not self.settings.batch_tokens:
            return self.settings.batch_size or 32
        length = (account.prompt_tokens + account.tokens) / account.examples if account and account.tokens else 512
        return max(1 if self.settings.accumulate == "auto" else self.settings.accumulate,
                   round(self.settings.batch_tokens / length))

    def passes(self, account: Account | None) -> int:
        """Passes of a step; where lema finds out how many fit, passes of four rows, if they divide a step."""
        if self.settings.accumulate != "auto":
            return self.settings.accumulate
        rows = self.rows(account)
        return rows // 4 if rows % 4 == 0 else 1

    def length(self, account: Account | None) -> dict[str, float]:
        """Epochs at the arm's budget, and where they are no whole ones also the steps that show about as many
        examples: the trainers round them differently."""
        epochs = (account.epochs if account else None) or 3.0
        if epochs == round(epochs):
            return {"num_train_epochs": epochs}
        whole, rest = divmod(epochs, 1)
        rows = self.rows(account)
        steps = int(whole) * math.ceil(account.examples / rows) + round(rest * account.examples / rows)
        return {"num_train_epochs": epochs, "max_steps": max(1, steps)}

    @property
    def comment(self) -> str:
        """What of the training cannot be said in another tool's words, and what is left to fill in."""
        settings = self.settings
        unsaid = [f"optimizer {settings.optimizer}"] if settings.optimizer != "adamw" else []
        unsaid += [f"steps of {settings.batch_tokens} padded tokens"] if settings.batch_tokens else []
        unsaid += ["packed rows"] if settings.packing else []
        if settings.optimizer != "muon" and settings.rest_rate != settings.rate:
            unsaid += [f"{settings.rest_rate} as the rate of embeddings, norms and head"]
        unsaid += [f"a rate that ends at {settings.final} of its height"] if settings.final else []
        lines = [f"# lema itself trains with {' and '.join(unsaid)}; this is the nearest.\n"] if unsaid else []
        if self.base.path == NO_MODEL:
            lines += [f"# Put a folder or hub id in the place of {NO_MODEL}.\n"]
        if self.form == "prompt_completion":
            lines += ["# For a model with a chat template export with --form messages.\n"]
        if self.form == "marked":
            lines += [f"# The rows are marked for {self.base.path}; for another model export with --form.\n"]
        return "".join(lines)


def write_configs(folder: Path, arms: Mapping[str, Account | None], trained: Trained) -> None:
    """configs/trl-X.yaml, llama-factory-X.yaml, axolotl-X.yaml, and the dataset_info.json that LLaMA-Factory
    reads."""
    plain = {"prompt": "prompt", "response": "completion"}
    sets = {}
    for arm, account in arms.items():
        for tool, values in (("trl", _trl), ("llama-factory", _llama_factory), ("axolotl", _axolotl)):
            text = trained.comment + _yaml(values(arm, account, trained))
            (folder / f"{tool}-{arm}.yaml").write_text(text, encoding="utf-8")
        sets[arm] = {"file_name": f"../{arm}/prompt_completion.jsonl", "columns": plain}
        sets[f"{arm}-messages"] = {"file_name": f"../{arm}/messages.jsonl", "formatting": "sharegpt",
                                   "columns": {"messages": "messages"}, "tags": MESSAGES_TAGS}
        if trained.base.tokenizer:
            sets[f"{arm}-marked"] = {"file_name": f"{arm}-marked.jsonl", "columns": {**plain, "system": "start"}}
    (folder / "dataset_info.json").write_text(json.dumps(sets, indent=2) + "\n", encoding="utf-8")


def _trl(arm: str, account: Account | None, trained: Trained) -> dict:
    """Of conversations TRL gets the question as the prompt and the answer as the completion: its loss on the
    assistant's turns would need a chat template that marks them, which few have."""
    settings = trained.settings
    lora = {"use_peft": True, "lora_r": settings.lora.r, "lora_alpha": int(settings.lora.alpha),
            "lora_dropout": settings.lora.dropout, "lora_target_modules": "all-linear"}
    if settings.method == "qlora":
        lora |= {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "use_bnb_nested_quant": True}
    file = f"{arm}/chat.jsonl" if trained.form == "messages" else trained.file(arm)
    return {
        "model_name_or_path": trained.base.path, "dtype": settings.dtype,
        "datasets": [{"path": "json", "data_files": file, "split": "train"}],
        "completion_only_loss": True, "max_length": trained.max_length, "packing": False,
        **(lora if settings.method != "full" else {}), **_shared(trained, account),
        "warmup_steps": settings.warmup, "gradient_checkpointing": settings.gradient_checkpointing,
        "output_dir": f"trained/trl-{arm}", "report_to": "none"}


def _llama_factory(arm: str, account: Account | None, trained: Trained) -> dict:
    """To marked rows the template "empty" adds nothing; their start comes as the system's text. For messages
    LLaMA-Factory takes the tokenizer's own template where none is named. To plain rows only "fewshot", of the
    templates without roles, adds an end; it closes each completion with an empty line before that."""
    settings = trained.settings
    lora = {"lora_rank": settings.lora.r, "lora_alpha": int(settings.lora.alpha),
            "lora_dropout": settings.lora.dropout, "lora_target": "all"}
    if settings.method == "qlora":
        lora |= {"quantization_bit": 4, "quantization_method": "bnb", "double_quantization": True}
    rows = {"marked": {"dataset": f"{arm}-marked", "template": "empty"},
            "messages": {"dataset": f"{arm}-messages"},
            "prompt_completion": {"dataset": arm, "template": "fewshot"}}[trained.form]
    return {
        "model_name_or_path": trained.base.path, "stage": "sft", "do_train": True,
        "finetuning_type": "full" if settings.method == "full" else "lora",
        **(lora if settings.method != "full" else {}),
        "dataset_dir": "configs", **rows, "cutoff_len": trained.max_length, **_shared(trained, account),
        **({"warmup_ratio": settings.warmup} if settings.warmup else {}),
        "disable_gradient_checkpointing": not settings.gradient_checkpointing,
        "output_dir": f"trained/llama-factory-{arm}", "report_to": "none"}


def _axolotl(arm: str, account: Account | None, trained: Trained) -> dict:
    """Its own LoRA kernels are off: it switches them on by itself and they run on CUDA alone."""
    settings = trained.settings
    kernels = {f"lora_{part}_kernel": False for part in ("mlp", "qkv", "o")}
    lora = {"adapter": "lora", "lora_r": settings.lora.r, "lora_alpha": int(settings.lora.alpha),
            "lora_dropout": settings.lora.dropout, "lora_target_linear": True, **kernels}
    if settings.method == "qlora":
        lora |= {"adapter": "qlora", "load_in_4bit": True}
    plain = {"field_instruction": "prompt", "field_output": "completion", "format": "{instruction}",
             "no_input_format": "{instruction}"}
    chat = {"type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}
    rows = chat if trained.form == "messages" else {"type": plain}
    shared = _shared(trained, account)
    renamed = {"per_device_train_batch_size": "micro_batch_size", "num_train_epochs": "num_epochs",
               "lr_scheduler_type": "lr_scheduler"}
    return {
        "base_model": trained.base.path, **(lora if settings.method != "full" else {}),
        "datasets": [{"path": trained.file(arm), "ds_type": "json", **rows}],
        "dataset_prepared_path": "trained/axolotl-prepared", "train_on_inputs": False, "val_set_size": 0,
        "sequence_len": trained.max_length, "sample_packing": False,
        **{renamed.get(key, key): value for key, value in shared.items()},
        "warmup_ratio": settings.warmup, "optimizer": "adamw_torch",
        "gradient_checkpointing": settings.gradient_checkpointing, "output_dir": f"trained/axolotl-{arm}"}


def _shared(trained: Trained, account: Account | None) -> dict:
    """What TRL and LLaMA-Factory both take from transformers' TrainingArguments, and axolotl nearly."""
    settings = trained.settings
    return {"per_device_train_batch_size": max(1, trained.rows(account) // trained.passes(account)),
            "gradient_accumulation_steps": trained.passes(account), **trained.length(account),
            "learning_rate": trained.rate, "lr_scheduler_type": trained.schedule,
            "weight_decay": settings.weight_decay, "max_grad_norm": settings.clip,
            "adam_beta1": settings.beta1, "adam_beta2": settings.beta2,
            "bf16": settings.dtype == "bfloat16", "logging_steps": 10, "seed": trained.seed}


def _yaml(values: dict) -> str:
    """One key per line; every JSON value is a YAML value too."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items())
