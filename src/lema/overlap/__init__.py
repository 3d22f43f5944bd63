"""Overlap: whether a question is there already, word by word, but for its numbers, in long pieces, or nearly.

One design decision: five ways of looking, each named and switched on by itself, because what is contamination for
questions off the web is what all questions of a template have in common.
"""

import re
from collections.abc import Collection, Iterable

from lema.overlap.near import Near

PIECES = {"13-gram": 13, "8-gram": 8}
HALF = 0.5
"""Share of a question's 8-grams that must stand in known questions; a single one is a turn of phrase."""

_WORD = re.compile(r"[^\W\d_]+|[0-9]+(?:[.,][0-9]+)*")


class Overlap:
    """Known questions, each with where it stands ("test"); asked of one new question after another."""

    def __init__(self, ways: Collection[str]) -> None:
        self.ways = ways
        self._exact: dict[str, str] = {}
        self._masked: dict[str, str] = {}
        self._pieces: dict[str, dict[str, str]] = {way: {} for way in PIECES if way in ways}
        self._near = Near() if "minhash" in ways else None

    def learn(self, where: str, texts: Iterable[str]) -> "Overlap":
        """Takes known questions in; of two alike the first counts."""
        for text in texts:
            words = normal(text)
            self._exact.setdefault(" ".join(words), where)
            self._masked.setdefault(" ".join(masked(words)), where)
            for way, known in self._pieces.items():
                for piece in _pieces(words, PIECES[way]):
                    known.setdefault(piece, where)
            if self._near:
                self._near.learn(where, words)
        return self

    def found(self, text: str) -> str:
        """Why the question is none of its own, the surest reason first; empty where it is new."""
        words = normal(text)
        if "exact" in self.ways and (where := self._exact.get(" ".join(words))):
            return f"already there ({where})"
        if "masked" in self.ways and (where := self._masked.get(" ".join(masked(words)))):
            return f"already there with other numbers ({where})"
        if "13-gram" in self.ways and (where := self._sharing(words, "13-gram", 1)):
            return f"13 words in a row as there ({where})"
        most = HALF * max(1, len(words) - PIECES["8-gram"] + 1)
        if "8-gram" in self.ways and (where := self._sharing(words, "8-gram", most)):
            return f"half of its 8-grams are there ({where})"
        if self._near and (where := self._near.found(words)):
            return f"nearly the same is there ({where})"
        return ""

    def _sharing(self, words: list[str], way: str, least: float) -> str:
        """Where the first shared piece stands, if at least so many are shared."""
        shared = [self._pieces[way][piece] for piece in _pieces(words, PIECES[way]) if piece in self._pieces[way]]
        return shared[0] if shared and len(shared) >= least else ""


def normal(text: str) -> list[str]:
    """The words and numbers of a text without case, punctuation, spaces and thousands separators."""
    return [word.replace(",", "") for word in _WORD.findall(text.lower())]


def masked(words: list[str]) -> list[str]:
    """The same with every number as "#"."""
    return ["#" if word[0].isdigit() else word for word in words]


def _pieces(words: list[str], length: int) -> Iterable[str]:
    """Runs of `length` words; a shorter text is one piece."""
    for start in range(max(1, len(words) - length + 1)):
        yield " ".join(words[start:start + length])
