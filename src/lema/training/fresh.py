"""Fresh small models: a Llama checkpoint with random weights and a word-level tokenizer of its own.

One design decision: a fresh model is an ordinary Hugging Face folder, written before any training, so that it is
grown, sampled and served by exactly the code that handles a 70B model. Text goes through its tokenizer without
loss: spaces belong to the piece that follows them, and decoding is plain concatenation.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, model_validator

from lema.errors import ConfigError, DataError, installing
from lema.plugins import Settings

PIECE = r" ?[A-Za-z]+| ?\d+| ?[^\sA-Za-z\d]|\n"
"""A word, a number or a sign, each with the space before it; a line end stands alone."""

PAD, EOS, UNKNOWN = SPECIALS = ("<pad>", "<eos>", "<unk>")


class Shape(Settings):
    """The size of a fresh model. The defaults are about 0.3M parameters, which learn on one core."""

    width: int = Field(96, gt=0)
    layers: int = Field(3, gt=0)
    heads: int = Field(3, gt=0)
    feed_forward: int = Field(256, gt=0)
    positions: int = Field(512, gt=0, description="the longest sequence, in tokens")
    tied: bool = Field(True, description="one matrix reads words in and out")
    embedding_std: float = Field(0.2, gt=0, description="0.2: at 0.02 a small model hardly learns to copy names")
    matrix_std: float = Field(0.02, gt=0, description="spread of every other matrix at the start")

    @model_validator(mode="after")
    def _heads_fit(self) -> "Shape":
        if self.width % self.heads or (self.width // self.heads) % 2:
            raise ValueError(f"width {self.width} must be an even multiple of heads {self.heads}")
        return self


def build(shape: Shape, words: Sequence[str], out: Path, seed: int) -> Path:
    """Writes a fresh checkpoint to `out` and returns it: the same arguments give the same bytes.

    `words` are the tokenizer's entries in the order of their ids (three special ones come first); an entry
    carries its leading space (" has"). DataError names an entry that the tokenizer could never produce.
    """
    check_words(words)
    out.mkdir(parents=True, exist_ok=True)
    _write_tokenizer(words, out, shape.positions)
    _write_model(shape, len(SPECIALS) + len(words), out, seed)
    return out


def check_words(words: Sequence[str]) -> None:
    """Raises DataError unless every entry is one piece and stands once."""
    if len(set(words)) < len(words):
        twice = next(word for number, word in enumerate(words) if word in words[:number])
        raise DataError(f"vocabulary: {twice!r} stands there twice; name every entry once")
    for word in words:
        if not re.fullmatch(PIECE, word):
            raise DataError(f"vocabulary: {word!r} is not one piece of text; an entry is a word, a number, a sign "
                            "(each with or without one space before it) or a line end")


def _write_tokenizer(words: Sequence[str], out: Path, positions: int) -> None:
    try:
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    except ModuleNotFoundError as error:
        raise ConfigError(f"fresh models need {error.name}: {installing('train')}") from None
    vocabulary = {word: number for number, word in enumerate([*SPECIALS, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIALS])
    tokenizer.save(str(out / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,
        "model_max_length": positions,
        "pad_token": PAD, "eos_token": EOS, "unk_token": UNKNOWN,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _write_model(shape: Shape, vocabulary: int, out: Path, seed: int) -> None:
    try:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM
        from transformers.utils import logging
    except ModuleNotFoundError as error:
        raise ConfigError(f"fresh models need {error.name}: {installing('train')}") from None
    logging.disable_progress_bar()
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        tie_word_embeddings=shape.tied,
        initializer_range=shape.matrix_std,
        pad_token_id=SPECIALS.index(PAD), eos_token_id=SPECIALS.index(EOS), bos_token_id=None,
    )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
        model.get_input_embeddings().weight.normal_(0.0, shape.embedding_std)
    model.save_pretrained(out)
