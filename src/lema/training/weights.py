"""The weights that a fit begins with, in the numbers that it asks for, and the adapter trained beside them.

One design decision: what is frozen may be coarse (bfloat16, NF4), what is trained is float32 always: a step is
often smaller than what bfloat16 can add to a weight.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import torch
import transformers

from lema.checkpoints import (
    OURS_ALONE,
    as_trained,
    hushed,
    model_config,
    quantized,
    why_not_loaded,
)
from lema.checkpoints.untrusted import require_whole
from lema.errors import ModelError

with hushed():
    from peft import LoraConfig

if TYPE_CHECKING:
    from lema.training.sft import Settings


def load_model(base: Path, settings: "Settings", attention: str | None = None) -> transformers.PreTrainedModel:
    """The weights to train: where they are frozen in bfloat16 or NF4 if that is asked for, else in float32."""
    transformers.utils.logging.disable_progress_bar()
    coarse = settings.method != "full" and settings.dtype == "bfloat16"
    how = {"dtype": torch.bfloat16 if coarse else torch.float32, "attn_implementation": attention, **OURS_ALONE}
    if settings.method == "qlora":
        how |= quantized(base, how["dtype"], device())
    model_config(base)
    try:
        model, loaded = transformers.AutoModelForCausalLM.from_pretrained(base, output_loading_info=True, **how)
        require_whole(base, loaded)
        return as_trained(model)
    except ModelError:
        raise
    except Exception as error:  # safetensors, torch and transformers each raise their own
        raise ModelError(f"{base}: its weights cannot be loaded ({why_not_loaded(error)})") from None


def to_merge_into(base: Path, settings: "Settings") -> transformers.PreTrainedModel:
    """The weights that an adapter was trained on, quantised ones at the values that they stand for."""
    model = load_model(base, settings)
    if settings.method != "qlora":
        return model
    before = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()  # it would say so aloud
    try:
        return model.dequantize()
    finally:
        transformers.utils.logging.set_verbosity(before)


def device() -> str:
    """Where quantised weights are put as they are loaded."""
    return f"cuda:{torch.cuda.current_device()}" if torch.cuda.is_available() else "cpu"


def adapter(settings: "Settings") -> LoraConfig:
    """LoRA on every linear layer but the head."""
    lora = settings.lora
    return LoraConfig(r=lora.r, lora_alpha=lora.alpha, lora_dropout=lora.dropout, bias="none",
                      target_modules="all-linear", task_type="CAUSAL_LM")


def in_float32(model: torch.nn.Module) -> None:
    """TRL rounds the adapters of quantised weights to bfloat16; they are trained in float32."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
