"""Overlap: whether a question is there already, word by word, but for its numbers, in long pieces, or nearly.

One design decision: five ways of looking, each named and switched on by itself, because what is contamination for
questions off the web is what all questions of a template have in common. Of a text only hashes are kept, and only
those that its ways need.
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
        self._known: dict[str, dict[int, str]] = {way: {} for way in ways if way != "minhash"}
        self._near = Near() if "minhash" in ways else None

    def learn(self, where: str, texts: Iterable[str]) -> "Overlap":
        """Takes known questions in; of two alike the first counts."""
        for text in texts:
            words = normal(text)
            for way, known in self._known.items():
                for piece in _pieces(words, way):
                    known.setdefault(hash(piece), where)
            if self._near:
                self._near.learn(where, words)
        return self

    def found(self, text: str) -> str:
        """Why the question is none of its own, the surest reason first; empty where it is new."""
        words = normal(text)
        if where := self._sharing(words, "exact", 1):
            return f"already there ({where})"
        if where := self._sharing(words, "masked", 1):
            return f"already there with other numbers ({where})"
        if where := self._sharing(words, "13-gram", 1):
            return f"13 words in a row as there ({where})"
        if where := self._sharing(words, "8-gram", HALF * max(1, len(words) - PIECES["8-gram"] + 1)):
            return f"half of its 8-grams are there ({where})"
        if self._near and (where := self._near.found(words)):
            return f"nearly the same is there ({where})"
        return ""

    def _sharing(self, words: list[str], way: str, least: float) -> str:
        """Where the first shared piece stands, if at least so many are shared."""
        known = self._known.get(way, {})
        shared = [known[mark] for mark in map(hash, _pieces(words, way) if known else ()) if mark in known]
        return shared[0] if shared and len(shared) >= least else ""


def normal(text: str) -> list[str]:
    """The words and numbers of a text without case, punctuation, spaces and thousands separators."""
    return [word.replace(",", "") for word in _WORD.findall(text.lower())]


def masked(words: list[str]) -> list[str]:
    """The same with every number as "#"."""
    return ["#" if word[0].isdigit() else word for word in words]


def _pieces(words: list[str], way: str) -> Iterable[str]:
    """What a way compares: the whole text, or its runs of so many words (a shorter text is one run)."""
    if way in PIECES:
        length = PIECES[way]
        return (" ".join(words[start:start + length]) for start in range(max(1, len(words) - length + 1)))
    return [" ".join(words if way == "exact" else masked(words))]
