"""What a fit needs of a device's memory and of the disk, reckoned from the shapes of its base, and how many tokens
a forward pass may have.

    memory(Shapes(parameters=6.7e9, …), qlora settings, tokens=1024) → {"weights": 3.9e9, "trained": 2.5e9, …}

One design decision: it is reckoned and never tried, from config.json alone, so that it can be said before the
weights are downloaded; what is too small a guess costs a step that is tried again in smaller passes.
"""

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lema.checkpoints import first_line, model_config
from lema.errors import ModelError, installing

if TYPE_CHECKING:
    from lema.training.sft import Settings

LARGE = 34e9
"""Parameters from which on `large_learning_rate` counts."""
NF4_BYTES = 0.5 + 0.127 / 8
"""Bytes of a weight in NF4 with double quantisation: four bits, and 0.127 bits of constants (QLoRA, section 3)."""
SPARE = 1 << 30
"""Bytes of a card for the library itself, its kernels and what falls between blocks."""
MOST_TOKENS = 1 << 15
"""Tokens of a pass beyond which none gets faster."""
SHARE = 0.85
"""Of the free memory that is reckoned with."""
HOW = ("weights by their type (NF4: 0.516 bytes), gradients and AdamW 12 bytes a trained weight, per token and "
       "layer 10 × width + 4 × feed-forward numbers (of all layers, or with gradient_checkpointing of one, and "
       "width of every other), logits 10 bytes × vocabulary on a CPU, 1 GiB to spare on a card; with parallel = "
       "\"fsdp\" each process its share of weights and of what is trained, and a block and both ends whole")
"""How memory is reckoned, in one sentence."""


class Shapes(NamedTuple):
    """The sizes of a model, in numbers."""

    parameters: int
    linear: int  # parameters of linear layers but the head: what is quantised, and gets adapters
    ends: int  # inputs plus outputs of these layers, summed: times a rank it is what adapters have
    layers: int
    width: int
    feed_forward: int
    vocabulary: int


@cache
def shapes_of(folder: Path) -> Shapes:
    """The shapes of a checkpoint, by its config.json; no weights are read or made. ModelError where that names no
    known model."""
    try:
        import torch
        from transformers import AutoModelForCausalLM
    except ModuleNotFoundError as error:
        raise ModelError(f"{folder}: its shapes need {error.name}: {installing('train')}") from None
    config = model_config(folder)
    try:
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except Exception as error:  # each kind of model raises its own
        raise ModelError(f"{folder}: its config.json names no known model ({first_line(error)})") from None
    head, linear, ends = model.get_output_embeddings(), 0, 0
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            linear += module.weight.numel()
            ends += module.in_features + module.out_features
    text = config.get_text_config()
    every = sum(parameter.numel() for parameter in model.parameters())
    return Shapes(every, linear, ends, text.num_hidden_layers, text.hidden_size,
                  getattr(text, "intermediate_size", None) or 4 * text.hidden_size, text.vocab_size)


def memory(shapes: Shapes, settings: "Settings", tokens: int, on_cpu: bool) -> dict[str, float]:
    """Bytes that a fit needs with passes of so many tokens, by what they are for (`HOW`)."""
    trained = trained_parameters(shapes, settings)
    state = 8 if settings.optimizer != "muon" else 4 + 4 * (1 - shapes.linear / shapes.parameters)
    own = 0 if settings.method == "full" else 4
    weights, processes = _weights(shapes, settings), 1
    if settings.parallel == "fsdp" and settings.world > 1:
        processes = settings.world
        ends = 2 * shapes.vocabulary * shapes.width * (2 if settings.dtype == "bfloat16" else 4)
        weights = weights / processes + weights / shapes.layers + ends  # a block, and both ends, are there whole
    return {"weights": weights, "trained": trained * (own + 4 + state) / processes,
            "activations": tokens * _per_token(shapes, settings, on_cpu), "spare": 0 if on_cpu else SPARE}


def trained_parameters(shapes: Shapes, settings: "Settings") -> int:
    """How many numbers a fit trains."""
    return shapes.parameters if settings.method == "full" else settings.lora.r * shapes.ends


def disk(shapes: Shapes, settings: "Settings") -> dict[str, float]:
    """Bytes that a fit leaves on the disk, and that it needs there while it runs besides."""
    trained = trained_parameters(shapes, settings)
    whole = shapes.parameters * (2 if settings.dtype == "bfloat16" and settings.method == "full" else 4)
    adapter = 0 if settings.method == "full" else 4 * trained
    left = adapter + (whole if settings.method == "full" or settings.saved == "merged" else 0)
    points = 2 * 12 * trained if settings.save_steps else 0  # a new point is whole before the old one goes
    return {"left": left, "meanwhile": points}


def tokens_that_fit(shapes: Shapes, settings: "Settings", room: float, on_cpu: bool) -> int:
    """The most tokens of a pass in `room` bytes; 0 where not even the weights fit."""
    fixed = sum(memory(shapes, settings, 0, on_cpu).values())
    return max(0, min(MOST_TOKENS, int((room - fixed) / _per_token(shapes, settings, on_cpu))))


def room() -> tuple[float, bool]:
    """Bytes that may be used on the device that a fit would take, and whether that is the CPU."""
    import torch

    if torch.cuda.is_available():
        return SHARE * torch.cuda.mem_get_info()[0], False
    return SHARE * free_memory(), True


def free_memory() -> float:
    """Bytes of the machine's memory that are to be had."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except OSError:
        pass
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES"))


def _weights(shapes: Shapes, settings: "Settings") -> float:
    coarse = 2 if settings.dtype == "bfloat16" else 4
    if settings.method == "full":  # float32, and under bfloat16 a rounded copy of every matrix beside it
        return shapes.parameters * (4 + 2 * (coarse == 2))
    if settings.method == "qlora":
        return shapes.linear * NF4_BYTES + (shapes.parameters - shapes.linear) * coarse
    return shapes.parameters * coarse


def _per_token(shapes: Shapes, settings: "Settings", on_cpu: bool) -> float:
    """Bytes of a token of a pass."""
    number = 2 if settings.dtype == "bfloat16" else 4
    layer = number * (10 * shapes.width + 4 * shapes.feed_forward)
    if settings.method != "full":  # what goes into an adapter is kept in float32
        layer += 4 * (6 * shapes.width + shapes.feed_forward)
    layers = shapes.layers * layer
    if settings.gradient_checkpointing:
        layers = layer + shapes.layers * number * shapes.width
    return layers + (10 * shapes.vocabulary if on_cpu else 2 * shapes.width)
