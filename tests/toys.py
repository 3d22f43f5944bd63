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
