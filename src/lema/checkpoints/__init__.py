"""A checkpoint folder: whether it is one, what names its contents, and how its tokenizer is loaded.

One design decision: a checkpoint is somebody else's, so nothing in it is run here and everything in it may fail:
code of its own is refused, its chat template is rendered in a process of its own (templates.py), and a tokenizer
that panics is an error like any other.
"""

import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lema.checkpoints.untrusted import hub_kernel
from lema.errors import ModelError, installing
from lema.plugins import file_hash
from lema.records import content_id

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
TOKENIZER = ("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model",
             "chat_template*")
ADAPTER = ("adapter_config.json", "adapter_model.*")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
OURS_ALONE = {"local_files_only": True, "trust_remote_code": False}
"""How everything of a checkpoint is loaded: without the network, and without code that it brings (`auto_map`),
about which transformers would else ask on the terminal."""


@contextmanager
def hushed() -> Iterator[None]:
    """For the import of PEFT: bitsandbytes, where it is installed, would warn of an optional package that brings a
    faster kernel for 4-bit numbers on CPUs."""
    logger = logging.getLogger("bitsandbytes")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def find_checkpoint(path: str) -> Path:
    """The folder of a checkpoint: `path` itself, or where the hub id org/name was downloaded to."""
    if Path(path).is_dir() or not HUB_ID.fullmatch(path):
        require_checkpoint(Path(path))
        return Path(path)
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise ModelError(f"{path}: downloading needs {error.name}: {installing('train')}") from None
    try:
        folder = Path(snapshot_download(path, allow_patterns=["*.json", *TOKENIZER, *WEIGHTS]))
    except Exception as error:  # the network, the hub and the disk each raise their own
        raise not_to_be_had(path, error) from None
    require_checkpoint(folder)
    return folder


def fetched(hub_id: str, online: bool) -> Path | None:
    """What is on this machine of a checkpoint of the hub, its config and tokenizer at least; None where nothing
    is. `online` fetches these first; ModelError where they are not to be had."""
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        if not online:
            return None
        raise ModelError(f"{hub_id}: downloading needs {error.name}: {installing('train')}") from None
    try:
        return Path(snapshot_download(hub_id, allow_patterns=["*.json", *TOKENIZER], local_files_only=not online))
    except Exception as error:  # the network, the hub and the disk each raise their own
        if not online:
            return None
        raise not_to_be_had(hub_id, error) from None


def not_to_be_had(hub_id: str, error: Exception) -> ModelError:
    """What the hub's refusal is to whoever named the checkpoint."""
    return ModelError(f"{hub_id}: no folder here, and not to be had from the hub ({first_line(error)})")


def require_checkpoint(folder: Path) -> None:
    """Raises ModelError unless `folder` holds a config, weights and a tokenizer in Hugging Face format."""
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; a checkpoint is a folder with config.json, "
                         "model.safetensors and a tokenizer")
    try:
        json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise ModelError(f"{folder}: not a checkpoint, config.json {reason}") from None
    for what, names in (("weights (model.safetensors)", WEIGHTS), ("tokenizer files", TOKENIZER)):
        if not _files(folder, names):
            raise ModelError(f"{folder}: not a checkpoint, it has no {what}")


def content_files(folder: Path) -> list[Path]:
    """The files of a checkpoint that decide what it says: config, stop tokens, tokenizer and weights."""
    return _files(folder, ("config.json", "generation_config.json", *TOKENIZER, *WEIGHTS))


def tokenizer_files(folder: Path) -> list[Path]:
    """The files of its tokenizer, the chat template included."""
    return _files(folder, TOKENIZER)


def content_hash(folder: Path) -> str:
    """16 hex digits that name a checkpoint by its contents, wherever it lies."""
    return _hash_of(content_files(folder))


def weights_hash(folder: Path) -> str:
    """16 hex digits of its weights alone; of its adapter's where a fit left nothing else."""
    return _hash_of(_files(folder, WEIGHTS) or _files(folder / "adapter", ADAPTER))


def training_of(folder: Path) -> dict:
    """How what lies in a folder was trained, by a fit's own account; empty where there is none."""
    try:
        table = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def beside_base(folder: Path) -> dict[str, str]:
    """The table [models.X] of what a fit left in a folder as an adapter alone: its base, quantised and asked as it
    was in training. ModelError where the adapter does not name its base."""
    adapter, trained = find_adapter(str(folder / "adapter")), training_of(folder)
    try:
        named = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        table = {"path": str(named["base_model_name_or_path"]), "adapter": str(adapter)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{adapter}: its adapter_config.json names no base ({first_line(error)})") from None
    if trained.get("method") == "qlora":
        table["quantize"] = "nf4"
    if trained.get("form") == "completions":
        table["form"] = "completions"
    return table


def made_hash(folder: Path) -> str:
    """16 hex digits of all that a training left in its folder: the checkpoint, and the adapter beside it."""
    return _hash_of([*content_files(folder), *_files(folder / "adapter", ADAPTER)])


def weights_size(folder: Path) -> int:
    """Bytes of its weights files."""
    return sum(path.stat().st_size for path in _files(folder, WEIGHTS))


def quantized(base: Path, dtype: object, device: str) -> dict[str, object]:
    """How transformers is told to load weights in NF4: four bits each, at the quantiles of a normal distribution,
    their constants quantised too; products are made in `dtype`."""
    from transformers import BitsAndBytesConfig

    try:
        with hushed():
            import bitsandbytes  # noqa: F401 - else transformers says in its own words what is missing
            config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype,
                                        bnb_4bit_use_double_quant=True)
    except ImportError:
        raise ModelError(f"{base}: weights in NF4 need bitsandbytes: {installing('qlora')}") from None
    return {"quantization_config": config, "device_map": {"": device}}


def as_trained(model: "PreTrainedModel") -> "PreTrainedModel":
    """Some CPUs have a kernel with coarser constants for when nothing is trained, which also refuses many shapes:
    without it a quantised model computes what it computed when it was trained."""
    for module in model.modules():
        if getattr(module, "support_avx512bf16_for_cpu", False):
            module.support_avx512bf16_for_cpu = False
    return model


def find_adapter(path: str) -> Path:
    """The folder of a PEFT adapter. ModelError unless it holds adapter_config.json and its weights."""
    folder = Path(path)
    for name in ADAPTER:
        if not _files(folder, (name,)):
            raise ModelError(f"{path}: not a PEFT adapter, it has no {name}; give the folder that PEFT's "
                             "save_pretrained wrote")
    return folder


def adapter_hash(path: str) -> str:
    """16 hex digits that name an adapter by its contents. ModelError where there is none."""
    return _hash_of(_files(find_adapter(path), ADAPTER))


def files_of(path: str, adapter: str | None) -> tuple[Path, ...]:
    """The files that a model's settings stand for: a local checkpoint's and its adapter's."""
    files = content_files(Path(path)) if os.path.isdir(path) else []  # False for what can be no path, too
    return (*files, *_files(Path(adapter), ADAPTER)) if adapter else tuple(files)


def _files(folder: Path, names: Sequence[str]) -> list[Path]:
    return sorted({path for name in names for path in folder.glob(name) if path.is_file()})


def _hash_of(files: Sequence[Path]) -> str:
    return content_id([(path.name, file_hash(path)) for path in files])


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer of a checkpoint; it pads with its end token where it has no pad token."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads only warn and hinder here
    try:
        from transformers import AutoTokenizer
    except ModuleNotFoundError as error:
        raise ModelError(f"{folder}: loading a checkpoint needs {error.name}: {installing('train')}") from None
    try:
        with panics_as_errors(f"{folder}: its tokenizer"):
            tokenizer = AutoTokenizer.from_pretrained(folder, **OURS_ALONE)
    except ModelError:
        raise
    except Exception as error:  # tokenizers raises bare ones
        raise ModelError(f"{folder}: its tokenizer cannot be loaded ({why_not_loaded(error)})") from None
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: its tokenizer names no eos_token, so no text could ever end; set one in "
                         "tokenizer_config.json")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def positions(base: Path) -> int:
    """The longest sequence that a checkpoint's model can take, in tokens."""
    return getattr(model_config(base).get_text_config(), "max_position_embeddings", None) or 2**31


def model_config(base: Path) -> "PretrainedConfig":
    """A checkpoint's config.json as transformers reads it. ModelError where it names no known model, or one that
    needs code which neither lema nor transformers has."""
    try:
        from transformers import AutoConfig
    except ModuleNotFoundError as error:
        raise ModelError(f"{base}: loading a checkpoint needs {error.name}: {installing('train')}") from None
    try:
        if kernel := hub_kernel(json.loads((base / "config.json").read_bytes())):
            raise ModelError(f"{base}: its config.json wants code from a hub ({kernel!r}), which lema never runs; "
                             "take that out of it")
        return AutoConfig.from_pretrained(base, **OURS_ALONE)
    except ModelError:
        raise
    except Exception as error:  # each kind of model raises its own
        raise ModelError(f"{base}: its config.json names no known model ({why_not_loaded(error)})") from None


def stored_dtype(base: Path) -> str:
    """The numbers that a checkpoint's weights are stored in: "float32" where its config.json does not say."""
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    return config.get("dtype") or config.get("torch_dtype") or "float32"


def why_not_loaded(error: BaseException) -> str:
    """Why transformers did not load a part of a checkpoint, in one line."""
    if "trust_remote_code" in str(error):
        return ("it needs code of its own, named by auto_map, which lema never runs; take a checkpoint of a kind "
                "that transformers knows")
    return first_line(error)


@contextmanager
def panics_as_errors(whose: str) -> Iterator[None]:
    """Turns a panic of a library written in Rust, which no `except Exception` catches, into a ModelError."""
    try:
        yield
    except (Exception, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as panic:
        raise ModelError(f"{whose} fails with a panic ({first_line(panic)}); mend its files") from None


def first_line(error: BaseException) -> str:
    """A library's error as one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
