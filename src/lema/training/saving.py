"""What a fit leaves behind: weights that are those that were trained, and a tokenizer that asks as it was asked.

One design decision: an adapter is merged into its base in float32, and the sum stays in float32. bfloat16 has
eight bits, so rounding the sum to it takes away what of the update is finer, however exactly it was added. What
merging changed is measured on a probe every time, and kept.
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

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBE = 128
"""Tokens of the row that the merged weights are tried on."""
NOTABLE = 0.01
"""Share of the adapter's own effect from which on a difference made by merging is said aloud."""
ROUNDING = 1e-4
"""Difference of a logit that float32 itself makes; of a tiny effect it may be any share."""
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
