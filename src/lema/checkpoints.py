"""A checkpoint folder: whether it is one, what names its contents, and how text becomes its tokens.

One design decision: training, sampling and counting turn text into tokens through these few functions and no
others, so that a model is always asked in exactly the tokens that it was trained on.
"""

import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lema.errors import ModelError, installing
from lema.messages import Message
from lema.plugins import file_hash
from lema.records import Example, content_id

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
TOKENIZER = ("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model",
             "chat_template*")
ADAPTER = ("adapter_config.json", "adapter_model.*")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


class Tokens(NamedTuple):
    """An example as the model sees it: all that carries no loss, and the completion with its end token."""

    prompt: Sequence[int]
    completion: Sequence[int]

    @property
    def length(self) -> int:
        return len(self.prompt) + len(self.completion)


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
        raise ModelError(f"{path}: no folder here, and not to be had from the hub ({first_line(error)})") from None
    require_checkpoint(folder)
    return folder


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
    """16 hex digits of its weights alone."""
    return _hash_of(_files(folder, WEIGHTS))


def weights_size(folder: Path) -> int:
    """Bytes of its weights files."""
    return sum(path.stat().st_size for path in _files(folder, WEIGHTS))


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
    files = content_files(Path(path)) if Path(path).is_dir() else []
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
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder}: its tokenizer cannot be loaded ({first_line(error)})") from None
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: its tokenizer names no eos_token, so no text could ever end; set one in "
                         "tokenizer_config.json")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def positions(base: Path) -> int:
    """The longest sequence that a checkpoint's model can take, in tokens."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(base, local_files_only=True).get_text_config()
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{base}: its config.json names no known model ({first_line(error)})") from None
    return getattr(config, "max_position_embeddings", None) or 2**31


def prompt_text(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> str:
    """The messages as one text, up to where the model begins to write: by the tokenizer's chat template where it
    has one, else their contents with an empty line between them. ModelError where the template refuses them."""
    if not tokenizer.chat_template:
        return plain_text(messages)
    from jinja2 import TemplateError

    chat = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        raise ModelError(f"the model's chat template refuses these messages ({first_line(error)})") from None


def plain_text(messages: Sequence[Message]) -> str:
    """The messages as one plain prompt: their contents with an empty line between them."""
    return "\n\n".join(message.content for message in messages)


def form_prompt(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message],
                form: str) -> tuple[str, list[int]]:
    """The messages as text and as tokens; `form` "completions" passes by the chat template."""
    if form == "completions":
        prompt = plain_text(messages)
        return prompt, tokenizer(prompt, verbose=False)["input_ids"]
    prompt = prompt_text(tokenizer, messages)
    return prompt, prompt_ids(tokenizer, prompt)


def prompt_ids(tokenizer: "PreTrainedTokenizerBase", prompt: str) -> list[int]:
    """The tokens of a rendered prompt. A chat template writes the start token itself, else it is added here."""
    return tokenizer(prompt, add_special_tokens=not tokenizer.chat_template, verbose=False)["input_ids"]


def encode(tokenizer: "PreTrainedTokenizerBase", example: Example) -> Tokens:
    """An example's tokens. What stands before the completion is encoded exactly as sampling would: where the
    joint text would melt the two sides into one token, they are encoded apart."""
    context = prompt_text(tokenizer, [Message("user", example.prompt)]) + example.prefix
    before = prompt_ids(tokenizer, context)
    joint = prompt_ids(tokenizer, context + example.completion)
    if joint[:len(before)] == before:
        after = joint[len(before):]
    else:
        after = tokenizer(example.completion, add_special_tokens=False, verbose=False)["input_ids"]
    return Tokens(before, [*after, tokenizer.eos_token_id])


def first_line(error: BaseException) -> str:
    """A library's error as one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
