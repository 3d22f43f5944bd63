"""The weights behind the transformers backend: where they go, in which numbers, and with which adapter.

One design decision: what is chosen by the hardware (`dtype = "fastest"`) is worked out here from the device and
the size of the weights alone, before anything is loaded, so that the journal key can say what was chosen.
"""

import warnings
from pathlib import Path

from lema.checkpoints import (
    OURS_ALONE,
    as_trained,
    first_line,
    hushed,
    model_config,
    quantized,
    weights_size,
    why_not_loaded,
)
from lema.checkpoints.untrusted import require_whole
from lema.errors import ModelError, installing

try:
    import torch
    from transformers import AutoModelForCausalLM, PreTrainedModel
    from transformers.utils import logging
except ModuleNotFoundError as missing:
    raise ModelError(f"the transformers backend needs {missing.name}: {installing('train')}") from None

SMALL = 4_000_000
"""Bytes of weights below which bfloat16 gains little or loses (docs/lab-log.md, 21 November 2026)."""


def device_of(device: str) -> str:
    """The device that "auto" stands for: an accelerator where there is one."""
    if device != "auto":
        return device
    return str(torch.accelerator.current_accelerator()) if torch.accelerator.is_available() else "cpu"


def fastest(folder: Path, device: str) -> str:
    """bfloat16 where the device multiplies it in hardware and the weights are not tiny, else float32."""
    device = device_of(device)
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device == "cpu" and torch.cpu._is_amx_tile_supported()
    return "bfloat16" if fast and weights_size(folder) >= SMALL else "float32"


def load_model(folder: Path, dtype: str, attn: str | None, device: str, nf4: bool = False) -> PreTrainedModel:
    """The checkpoint's weights on `device`, in NF4 where asked for. ModelError where they cannot be loaded."""
    logging.disable_progress_bar()
    how = {"dtype": dtype, "attn_implementation": attn, **OURS_ALONE}
    if nf4:
        how |= quantized(folder, _products(folder, dtype), device_of(device))
    model_config(folder)
    try:
        model, loaded = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, **how)
        require_whole(folder, loaded)
        if nf4:  # it lies where it was quantised
            return as_trained(model).eval()
        return model.to(device_of(device)).eval()
    except ModelError:
        raise
    except Exception as error:  # safetensors, torch and transformers each raise their own
        raise ModelError(f"{folder}: its weights cannot be loaded ({why_not_loaded(error)})") from None


def _products(folder: Path, dtype: str) -> torch.dtype:
    """The type that quantised weights are multiplied in."""
    if dtype == "auto":
        return model_config(folder).get_text_config().dtype or torch.float32
    return getattr(torch, dtype)


def with_adapter(model: PreTrainedModel, adapter: Path, how: str) -> PreTrainedModel:
    """The model with a PEFT adapter: "merged" into its weights, or "loaded" beside them, which keeps a quantised
    model as it is and costs a little at every token; "auto" merges where that is exact. ModelError where the
    adapter does not fit."""
    try:
        with hushed():
            from peft import PeftModel
    except ModuleNotFoundError as missing:
        raise ModelError(f"{adapter}: an adapter needs {missing.name}: {installing('train')}") from None
    try:
        with warnings.catch_warnings():  # of its libraries about each other
            warnings.simplefilter("ignore")
            adapted = PeftModel.from_pretrained(model, adapter, local_files_only=True)
    except Exception as error:  # peft, safetensors and torch each raise their own
        raise ModelError(f"{adapter}: the adapter does not fit these weights ({first_line(error)})") from None
    coarse = model.dtype != torch.float32 or getattr(model, "is_quantized", False)
    if how == "merged" or (how == "auto" and not coarse):
        return adapted.merge_and_unload().eval()
    return adapted.eval().base_model.model

