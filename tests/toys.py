"""A toy language and a toy model for tests: sums of two small numbers, learnt by 30,000 parameters in seconds."""

import random
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


def reader(out: Path) -> Path:
    """A fresh checkpoint of random weights that knows every text: its tokens are bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({sign: number for number, sign in enumerate(["<eos>", *alphabet])}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>", pad_token="<eos>").save_pretrained(out)
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(
        vocab_size=257, hidden_size=32, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
        intermediate_size=32, max_position_embeddings=16_384, eos_token_id=0, pad_token_id=0)).save_pretrained(out)
    return out
