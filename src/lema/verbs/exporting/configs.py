"""Ready configs for other trainers: TRL, LLaMA-Factory and axolotl, one per arm.

One design decision: they say what lema's own training says (rate, batch, length, method, epochs at the budget,
loss on the completion) as far as the other tool has a word for it, and name what it has not in a comment; keys are
those of TRL 1.16, LLaMA-Factory 0.9.5 and axolotl 0.18.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from lema.config import Config
from lema.records import Account
from lema.runs import Stage
from lema.seams import settings_of
from lema.training.sft import Settings

NO_MODEL = "put-your-model-here"
MESSAGES_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant",
                 "system_tag": "system"}


@dataclass(frozen=True)
class Trained:
    """What all configs have in common: the base checkpoint and the trainer's settings, its defaults without
    one."""

    base: str
    settings: Settings

    @classmethod
    def of(cls, config: Config, stages: dict[str, Stage]) -> "Trained":
        if config.train is None:
            return cls(NO_MODEL, Settings())
        own = config.train.own if config.train.trainer == "sft" else {}
        return cls(_base(config, stages), settings_of(Settings, own, "train"))

    @property
    def rows(self) -> int:
        """Rows of one step; where lema fills steps by tokens, rows of 512 tokens."""
        found = self.settings.batch_size or (self.settings.batch_tokens or 0) // 512
        return found or (32 if not self.settings.batch_tokens else 1)

    @property
    def rate(self) -> float:
        """AdamW's learning rate; where lema trains with another optimizer, the one it gives AdamW beside that."""
        return self.settings.rate if self.settings.optimizer == "adamw" else self.settings.rest_rate

    @property
    def comment(self) -> str:
        """What of the training cannot be said in another tool's words."""
        unsaid = [f"optimizer {self.settings.optimizer}"] if self.settings.optimizer != "adamw" else []
        unsaid += [f"steps of {self.settings.batch_tokens} padded tokens"] if self.settings.batch_tokens else []
        return f"# lema itself trains with {' and '.join(unsaid)}; this file is the nearest.\n" if unsaid else ""


def _base(config: Config, stages: dict[str, Stage]) -> str:
    model = config.models.get(config.train.base)
    if model is None:
        return config.train.base
    grown = stages.get(f"students/{config.train.base}")
    if grown is not None:
        return str((grown.folder / "model").resolve())
    path = str(model.own.get("path", NO_MODEL))
    return str(Path(path).resolve()) if Path(path).is_dir() else path


def write_configs(folder: Path, arms: list[tuple[str, Account | None]], trained: Trained, form: str) -> None:
    """configs/trl-X.yaml, llama-factory-X.yaml, axolotl-X.yaml, and the dataset_info.json that LLaMA-Factory
    reads."""
    folder.mkdir()
    known = {}
    for arm, account in arms:
        epochs = (account.epochs if account else None) or 3.0
        for tool, lines in (("trl", _trl(arm, trained, form, epochs)),
                            ("llama-factory", _llama_factory(arm, trained, form, epochs)),
                            ("axolotl", _axolotl(arm, trained, form, epochs))):
            (folder / f"{tool}-{arm}.yaml").write_text(trained.comment + _yaml(lines), encoding="utf-8")
        known[arm] = {"file_name": f"../{arm}/prompt_completion.jsonl",
                      "columns": {"prompt": "prompt", "response": "completion"}}
        known[f"{arm}-messages"] = {"file_name": f"../{arm}/messages.jsonl", "formatting": "sharegpt",
                                    "columns": {"messages": "messages"}, "tags": MESSAGES_TAGS}
    (folder / "dataset_info.json").write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _trl(arm: str, trained: Trained, form: str, epochs: float) -> dict:
    settings = trained.settings
    lora = {"use_peft": True, "lora_r": settings.lora.r, "lora_alpha": int(settings.lora.alpha),
            "lora_dropout": settings.lora.dropout, "lora_target_modules": "all-linear"}
    loss = {"completion_only_loss": True} if form == "prompt_completion" else {"assistant_only_loss": True}
    return {
        "model_name_or_path": trained.base, "dtype": settings.dtype,
        "datasets": [{"path": "json", "data_files": f"{arm}/{form}.jsonl", "split": "train"}],
        **loss, "max_length": settings.max_length, "packing": False,
        **(lora if settings.method == "lora" else {}), **_shared(trained, epochs),
        "warmup_steps": settings.warmup, "bf16": settings.dtype == "bfloat16", "max_grad_norm": settings.clip,
        "output_dir": f"trained/trl-{arm}", "report_to": "none"}


def _llama_factory(arm: str, trained: Trained, form: str, epochs: float) -> dict:
    """Of the templates without roles, "fewshot" closes a completion with an empty line and the end token; "empty"
    would never teach the end."""
    settings = trained.settings
    lora = {"lora_rank": settings.lora.r, "lora_alpha": int(settings.lora.alpha),
            "lora_dropout": settings.lora.dropout, "lora_target": "all"}
    return {
        "model_name_or_path": trained.base, "stage": "sft", "do_train": True, "finetuning_type": settings.method,
        **(lora if settings.method == "lora" else {}), "dataset_dir": "configs",
        "dataset": arm if form == "prompt_completion" else f"{arm}-messages",
        "template": "fewshot" if form == "prompt_completion" else "put-your-models-template-here",
        "cutoff_len": settings.max_length, **_shared(trained, epochs),
        "warmup_ratio": settings.warmup, "bf16": settings.dtype == "bfloat16", "max_grad_norm": settings.clip,
        "output_dir": f"trained/llama-factory-{arm}", "report_to": "none"}


def _axolotl(arm: str, trained: Trained, form: str, epochs: float) -> dict:
    settings = trained.settings
    lora = {"adapter": "lora", "lora_r": settings.lora.r, "lora_alpha": int(settings.lora.alpha),
            "lora_dropout": settings.lora.dropout, "lora_target_linear": True}
    plain = {"field_instruction": "prompt", "field_output": "completion", "format": "{instruction}",
             "no_input_format": "{instruction}"}
    chat = {"type": "chat_template", "field_messages": "messages", "roles_to_train": ["assistant"]}
    rows = {"type": plain} if form == "prompt_completion" else chat
    shared = _shared(trained, epochs)
    return {
        "base_model": trained.base, **(lora if settings.method == "lora" else {}),
        "datasets": [{"path": f"{arm}/{form}.jsonl", "ds_type": "json", **rows}], "train_on_inputs": False,
        "val_set_size": 0, "sequence_len": settings.max_length, "sample_packing": False,
        "micro_batch_size": shared["per_device_train_batch_size"],
        "gradient_accumulation_steps": shared["gradient_accumulation_steps"], "num_epochs": epochs,
        "learning_rate": trained.rate, "lr_scheduler": settings.schedule, "warmup_ratio": settings.warmup,
        "optimizer": "adamw_torch", "weight_decay": settings.weight_decay, "max_grad_norm": settings.clip,
        "bf16": settings.dtype == "bfloat16", "gradient_checkpointing": settings.gradient_checkpointing,
        "output_dir": f"trained/axolotl-{arm}"}


def _shared(trained: Trained, epochs: float) -> dict:
    """What TRL and LLaMA-Factory both take from transformers' TrainingArguments."""
    settings = trained.settings
    return {"per_device_train_batch_size": max(1, trained.rows // settings.accumulate),
            "gradient_accumulation_steps": settings.accumulate, "num_train_epochs": epochs,
            "learning_rate": trained.rate, "lr_scheduler_type": settings.schedule,
            "weight_decay": settings.weight_decay, "gradient_checkpointing": settings.gradient_checkpointing}


def _yaml(values: dict) -> str:
    """One key per line; every JSON value is a YAML value too."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in values.items())
