"""A wrong path and its correction beside each other, step by step, with what changed marked.

One design decision: steps are compared by their words alone, so that what is marked is what a reader would call
changed; both columns hold the whole solution, since half of one says nothing.
"""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from lema.replies import split_steps

WORDS = re.compile(r"\s+|\w+|[^\w\s]")
LONGEST = 4_000  # characters of a step whose words are compared; a longer one is marked as a whole


@dataclass(frozen=True)
class Piece:
    """A piece of a step, and whether the other column has it too."""

    text: str
    changed: bool


@dataclass(frozen=True)
class ShownStep:
    """A step as it stands in its column."""

    number: int
    runs: tuple[Piece, ...]
    state: str  # same | wrong | after | mended


@dataclass(frozen=True)
class SideBySide:
    """Both columns."""

    mistake: tuple[ShownStep, ...]
    corrected: tuple[ShownStep, ...]


def beside(path: str, step: int | None, steps: list[str]) -> SideBySide:
    """The steps of `path`, whose number `step` (1-based; None: none) is called wrong, beside the corrected path:
    those before it and the corrected `steps`."""
    mistakes, first = split_steps(path), step or 1
    left, right = [], []
    for number, text in enumerate(mistakes, 1):
        other = steps[number - first] if 0 <= number - first < len(steps) else ""
        state = "same" if number < first else "wrong" if number == step else "after"
        left.append(ShownStep(number, _marked(text, other) if number >= first else (Piece(text, False),), state))
    for number, text in enumerate(mistakes[:first - 1], 1):
        right.append(ShownStep(number, (Piece(text, False),), "same"))
    for number, text in enumerate(steps, first):
        other = mistakes[number - 1] if number <= len(mistakes) else ""
        state = "same" if text == other else "mended"
        right.append(ShownStep(number, _marked(text, other), state))
    return SideBySide(tuple(left), tuple(right))


def _marked(text: str, other: str) -> tuple[Piece, ...]:
    """The text in pieces, those that `other` lacks marked."""
    if not other or len(text) + len(other) > LONGEST:
        return (Piece(text, text != other),)
    ours, theirs = WORDS.findall(text), WORDS.findall(other)
    runs: list[Piece] = []
    end = 0
    for start, _, length in SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks():
        for piece, changed in ((ours[end:start], True), (ours[start:start + length], False)):
            if piece:
                runs.append(Piece("".join(piece), changed))
        end = start + length
    return tuple(runs)
