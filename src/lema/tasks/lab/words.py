"""The words of the lab's little world, and how its text falls into tokens.

One design decision: few words, each of them a whole token, so that a model of a third of a million parameters
can read every one of them after two million tokens. Adding a name costs learning time; adding a thing hardly any.
"""

import re
from dataclasses import dataclass

NAMES = ("Ada", "Ben", "Cora", "Dan", "Eva", "Finn", "Ida", "Leo", "Mia", "Noah", "Ruth", "Sam")

TOKEN = re.compile(r" ?[A-Za-z]+| ?\d+| ?[^\sA-Za-z\d]|\n")
"""Lossless on the lab's text: the pieces joined give it back."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a story happens and what it counts: "On the beach Leo finds 15 shells."""

    place: str  # "" for a story that happens nowhere in particular
    verb: str  # finds
    plain: str  # find
    thing: str  # shells


_SOMEWHERE = (
    Scene("On the beach", "finds", "find", "shells"), Scene("On the beach", "finds", "find", "stones"),
    Scene("In the garden", "picks", "pick", "plums"), Scene("In the garden", "picks", "pick", "pears"),
    Scene("At the market", "buys", "buy", "eggs"), Scene("At the market", "buys", "buy", "buns"),
    Scene("In the park", "sees", "see", "birds"), Scene("In the park", "sees", "see", "dogs"),
    Scene("At the fair", "wins", "win", "coins"), Scene("At the fair", "wins", "win", "cards"),
    Scene("At school", "reads", "read", "books"), Scene("At school", "reads", "read", "poems"))
SCENES = (*_SOMEWHERE, *(Scene("", "has", "have", scene.thing) for scene in _SOMEWHERE))


def tokens(text: str) -> list[str]:
    """The pieces of `text`: a word, number or sign with the space before it, or a line end."""
    return TOKEN.findall(text)
