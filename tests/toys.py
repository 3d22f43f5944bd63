"""A toy language and a toy model for tests: sums of two small numbers, learnt by 30,000 parameters in seconds."""

import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from lema.records import Example
from lema.training.fresh import Shape, build

SHAPE = Shape(width=32, layers=2, heads=1, feed_forward=64, positions=64)
WORDS = ("Leo", " Leo", "Sam", " Sam", " has", " and", "The", " sum", " is", ".", ":", "?", "\n",
         *(f" {number}" for number in range(20)))


def model(out: Path, seed: int = 0) -> Path:
    """A fresh toy checkpoint."""
    return build(SHAPE, WORDS, out, seed)


def sums(count: int, seed: int = 0) -> list[Example]:
    """Examples of differing lengths; the numbers are drawn from `seed`."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        a, b = rng.randint(0, 9), rng.randint(0, 9)
        more = " and".join(["", " Sam"] * rng.randint(0, 3)) if rng.random() < 0.5 else ""
        rows.append(Example(kind="cot", source="worked", question=f"q{number}", tokens=6,
                            prompt=f"Leo{more} has {a} and {b}.\n", completion=f"The sum is {a + b}."))
    return rows


CHATML = ("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
          "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
MARKS = ("<s>", "<eos>", "<|im_start|>", "<|im_end|>", "<|start|>", "<|end|>", "<|eot|>")


def chatty(out: Path, template: str | None = None, width: int = 16) -> Path:
    """A fresh tiny checkpoint that knows every text, by subwords; before a plain text it puts a start token."""
    import torch
    from tokenizers import processors
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    texts = ["Leo has 15 pens.\n\nSolution:\nThe sum is 3.\n\n", "Step 1: Leo.\nStep 2: 15."]
    tokenizer = subwords(texts * 20, 300)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="<eos>")
    wrapped.chat_template = template
    wrapped.save_pretrained(out)
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=width, num_hidden_layers=1, num_attention_heads=1,
        num_key_value_heads=1, intermediate_size=width, max_position_embeddings=4096, bos_token_id=0,
        eos_token_id=1, pad_token_id=1)).save_pretrained(out)
    return out


PANICKING = {"post_processor": {
    "type": "TemplateProcessing", "special_tokens": {},
    "single": [{"SpecialToken": {"id": "nowhere", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}]}}
"""In a tokenizer.json: the library panics at every text."""


def with_tokenizer(checkpoint: Path, folder: Path, **changes: object) -> Path:
    """A copy of the checkpoint with something else in its tokenizer.json."""
    shutil.copytree(checkpoint, folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | changes))
    return folder


def subwords(texts: Iterable[str], size: int):
    """A byte-level BPE tokenizer trained on these texts, digits apart; marks of common templates come first."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.Split(Regex(r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+"), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(MARKS), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False))
    return tokenizer


def reader(out: Path, texts: Iterable[str] = (), positions: int = 16_384) -> Path:
    """A fresh checkpoint of random weights that knows every text: its tokens are bytes, or the subwords of
    `texts`."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = subwords(texts, 4_000) if texts else single_bytes()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>")
    wrapped.save_pretrained(out)
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=len(wrapped), hidden_size=32, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
        intermediate_size=32, max_position_embeddings=positions, eos_token_id=wrapped.eos_token_id,
        pad_token_id=wrapped.eos_token_id)).save_pretrained(out)
    return out


def single_bytes():
    """A tokenizer whose tokens are bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({sign: number for number, sign in enumerate(["<eos>", *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
