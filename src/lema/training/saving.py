"""What a fit leaves behind: weights that are those that were trained, and a tokenizer that asks as it was asked.

One design decision: an adapter is left beside its base, or merged in float32, and the sum stays in float32.
bfloat16 has eight bits, so rounding the sum to it takes away what of the update is finer, however exactly it was
added. What merging changes is measured on a probe every time, and kept.
"""

import json
import logging
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lema.checkpoints import first_line, hushed, tokenizer_files
from lema.checkpoints.rendering import Form, Tokens
from lema.errors import ModelError

with hushed():
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer
    from peft.utils.integrations import dequantize_module_weight

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBE = 128
"""Tokens of the row that the merged weights are tried on."""
NOTABLE = 0.01
"""Share of the adapter's own effect from which on a difference made by merging is said aloud."""
ROUNDING = 1e-4
"""Difference of a logit that float32 itself makes; of a tiny effect it may be any share."""
ROUNDINGS = 8
"""How many roundings of a coarse type a logit may be off by, having passed through all layers."""
TEMPLATES = ("chat_template",)
"""How the files that hold a chat template begin."""

log = logging.getLogger(__name__)


def merged(base: Callable[[], "PreTrainedModel"], adapter: Path, row: Tokens) -> tuple["PreTrainedModel", float]:
    """The base with an adapter in its weights, in float32 and on the CPU, and how far it then computes something
    else than the two beside each other: the largest difference of a logit on the row's first tokens, as a share of
    the largest that the adapter makes. `base` loads the weights that the adapter was trained on."""
    try:
        with warnings.catch_warnings():  # of its libraries about each other
            warnings.simplefilter("ignore")
            pair = PeftModel.from_pretrained(base(), adapter).to("cpu", torch.float32).eval()
        ids = torch.tensor([[*row.prompt, *row.completion][:PROBE]])
        with torch.no_grad():
            with pair.disable_adapter():
                alone = pair(input_ids=ids).logits
            beside = pair(input_ids=ids).logits
            model = pair.merge_and_unload()
            inside = model(input_ids=ids).logits
    except (RuntimeError, ValueError, MemoryError) as error:
        raise ModelError(f"{adapter}: cannot be merged into its base ({first_line(error)}); merging needs four "
                         "bytes of memory for every weight") from error
    effect = (beside - alone).abs().max().item()
    off = (inside - beside).abs().max().item()
    difference = off / effect if effect else 0.0
    level = logging.WARNING if difference > NOTABLE and off > ROUNDING else logging.INFO
    log.log(level, "%s: merged, it differs by %.2g of what it does", adapter, difference)
    return model, difference


def whole(model: "PreTrainedModel", weights: dict[str, torch.Tensor] | None) -> "PreTrainedModel":
    """The model with these weights, gathered from all processes; itself where it holds its own."""
    if weights is None:
        return model
    with torch.device("meta"):
        empty = type(model).__bases__[-1](model.config)  # FSDP puts a class of its own before the model's
    empty.load_state_dict(weights, assign=True, strict=False)
    empty.tie_weights()
    return empty


def parity(model: "PeftModel", adapter: Path, row: Tokens) -> float:
    """How far an adapter that is examined where it is, beside its base, computes something else than merged in
    float32: the largest difference of a logit on the row's first tokens, as a share of the largest that the
    adapter makes. Merged layers are made one at a time, so that nothing near the size of the base is copied."""
    device = next(model.parameters()).device
    ids = torch.tensor([[*row.prompt, *row.completion][:PROBE]], device=device)
    model.eval()
    with torch.no_grad():
        with model.disable_adapter():
            alone = model(input_ids=ids).logits.float()
        beside = model(input_ids=ids).logits.float()
        hooks = []
        for module in model.modules():
            if isinstance(module, LoraLayer):
                hooks.append(module.register_forward_hook(_as_merged))
        inside = model(input_ids=ids).logits.float()
        for hook in hooks:
            hook.remove()
    effect = (beside - alone).abs().max().item()
    off = (inside - beside).abs().max().item()
    difference = off / effect if effect else 0.0
    rounding = max(ROUNDING, ROUNDINGS * torch.finfo(model.dtype).eps * beside.abs().max().item())
    level = logging.WARNING if difference > NOTABLE and off > rounding else logging.INFO
    log.log(level, "%s: beside its base it differs from merged by %.2g of what it does", adapter, difference)
    return difference


def _as_merged(layer: "LoraLayer", given: tuple, output: torch.Tensor) -> torch.Tensor:
    """What the layer computes with its adapter in its weights, in float32."""
    base = layer.get_base_layer()
    weight = dequantize_module_weight(base).float() + layer.get_delta_weight("default").float()
    bias = None if base.bias is None else base.bias.float()
    return torch.nn.functional.linear(given[0].float(), weight, bias).to(output.dtype)


def save_tokenizer(base: Path, out: Path, form: Form) -> None:
    """The tokenizer and the stop tokens of `base`. What was trained past a chat template gets none: whoever asks
    it would else ask in tokens that it never saw."""
    for file in (*tokenizer_files(base), base / "generation_config.json"):
        if not file.is_file() or (form == "completions" and file.name.startswith(TEMPLATES)):
            continue
        shutil.copyfile(file, out / file.name)
    settings = out / "tokenizer_config.json"
    if form == "completions" and settings.is_file():
        table = json.loads(settings.read_text(encoding="utf-8"))
        if table.pop("chat_template", None) is not None:
            settings.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
