"""Named sets of training settings: what `[train] preset = "paper"` and `preset = "default"` stand for.

    {"preset": "paper", "batch_size": 32} → {"method": "qlora", "batch_size": 32, "clip": 0.3, …}

One design decision: a preset is replaced by its values before anything reads the table, so that a key beside it
overrides, fingerprints hold what was used and not a name, and a preset that is changed later changes no old run.
"""

from lema.plugins import near_miss

PAPER = {
    "method": "qlora", "lora": {"r": 64, "alpha": 16, "dropout": 0.05}, "optimizer": "paged_adamw",
    "learning_rate": 2e-4, "large_learning_rate": 1e-4, "schedule": "constant", "warmup": 0.0,
    "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.999, "clip": 0.3, "batch_size": 96, "accumulate": "auto",
    "max_length": 1024, "overlong": "drop", "dtype": "bfloat16", "gradient_checkpointing": True,
    "save_steps": 100, "budget": {"steps": 2_000}}
"""An et al. 2023, appendix and training script: NF4 with double quantisation, every linear layer but the head,
source and target of 512 tokens each (here together, and never cut), batches grouped by length. Its first beta is
AdamW's customary one."""
PAPER_FULL = {
    "method": "full", "optimizer": "adamw", "learning_rate": 1e-5, "schedule": "constant", "warmup": 0.0,
    "weight_decay": 0.01, "beta1": 0.9, "beta2": 0.999, "clip": 0.3, "batch_size": 128, "accumulate": "auto",
    "max_length": 1024, "overlong": "drop", "dtype": "bfloat16", "gradient_checkpointing": True,
    "save_steps": 100, "budget": {"epochs": 3}}
"""The paper's full fine-tuning; it names rate, batch and epochs, and the rest is that of its QLoRA."""
DEFAULT = {
    "method": "lora", "lora": {"r": 64, "alpha": 32, "dropout": 0.0}, "optimizer": "adamw", "learning_rate": 2e-4,
    "schedule": "linear", "warmup": 0.03, "weight_decay": 0.0, "beta1": 0.9, "beta2": 0.999, "clip": 1.0,
    "batch_size": 32, "accumulate": "auto", "packing": True, "max_length": 2048, "overlong": "drop",
    "dtype": "bfloat16", "gradient_checkpointing": True, "save_steps": 200, "budget": {"epochs": 3}}
"""What is known to work today: adapters on every linear layer, at ten times the rate of full training."""
DEFAULT_FULL = {key: value for key, value in DEFAULT.items() if key != "lora"} | {
    "method": "full", "learning_rate": 2e-5}
PRESETS = {"paper": (PAPER, PAPER_FULL), "default": (DEFAULT, DEFAULT_FULL)}
"""For adapters, and for method = "full"."""
INSTEAD = {"learning_rate": ("large_learning_rate",), "batch_tokens": ("batch_size",)}
"""What of a preset a key beside it takes the place of."""


def with_preset(table: object) -> object:
    """A table [train] whose preset is replaced by what it stands for. ValueError where there is none of that
    name."""
    if not isinstance(table, dict) or "preset" not in table:
        return table
    name, own = table["preset"], {key: value for key, value in table.items() if key != "preset"}
    if name not in PRESETS:
        raise ValueError(f"preset: no {name!r}{near_miss(str(name), list(PRESETS))}")
    adapters, full = PRESETS[name]
    chosen = dict(full if own.get("method") == "full" else adapters)
    if own.get("method") == "lora" and chosen["optimizer"] == "paged_adamw":
        chosen["optimizer"] = "adamw"  # pages are for what 4-bit weights leave of a small card
    for key in own:
        for replaced in INSTEAD.get(key, ()):
            chosen.pop(replaced, None)
    if isinstance(own.get("lora"), dict) and "lora" in chosen:
        own["lora"] = chosen["lora"] | own["lora"]
    return chosen | own
