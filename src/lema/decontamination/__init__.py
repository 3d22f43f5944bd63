"""Overlap: whether a question is there already, word by word, but for its numbers, in long pieces, or nearly.

One design decision: five ways of looking, each named and switched on by itself, because what is contamination for
questions off the web is what all questions of a template have in common. Of a text only hashes are kept, and only
those that its ways need.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from lema.decontamination.near import Near
from lema.decontamination.words import masked, normal, plain, veiled

PIECES = {"13-gram": 13, "8-gram": 8}
HALF = 0.5
"""Share of the 8-grams of the new or of the known question that both must have; one is a turn of phrase."""


class Overlap:
    """Known questions, each with where it stands ("test"); asked of one new question after another."""

    def __init__(self, ways: Collection[str]) -> None:
        self.ways = ways
        self._exact: dict[int, str] = {}
        self._masked: dict[int, str] = {}
        self._pieces: dict[str, dict[int, list[int]]] = {way: {} for way in PIECES if way in ways}
        self._known: list[tuple[str, int]] = []  # where each stands, and how many 8-grams it has, for the pieces
        self._near = Near() if "minhash" in ways else None

    def learn(self, where: str, texts: Iterable[str]) -> "Overlap":
        """Takes known questions in; of two alike the first counts."""
        for text in texts:
            whole, words = normal(text), plain(text)
            if "exact" in self.ways:
                self._exact.setdefault(hash(" ".join(whole)), where)
            if "masked" in self.ways:
                self._masked.setdefault(hash(" ".join(masked(whole))), where)
            for way, known in self._pieces.items():
                for piece in _pieces(words, PIECES[way]):
                    known.setdefault(piece, []).append(len(self._known))
            if self._pieces:
                self._known.append((where, len(_pieces(words, PIECES["8-gram"]))))
            if self._near:
                self._near.learn(where, veiled(text))
        return self

    def found(self, text: str) -> str:
        """Why the question is none of its own, the surest reason first; empty where it is new."""
        whole, words = normal(text), plain(text)
        if where := self._exact.get(hash(" ".join(whole))):
            return f"already there ({where})"
        if where := self._masked.get(hash(" ".join(masked(whole)))):
            return f"already there with other numbers ({where})"
        if "13-gram" in self.ways and (shared := self._sharing(words, "13-gram")):
            return f"13 words in a row as there ({self._known[min(shared)][0]})"
        if "8-gram" in self.ways and (where := self._half(words)):
            return f"half of its 8-grams are there ({where})"
        if self._near and (where := self._near.found(veiled(text))):
            return f"nearly the same is there ({where})"
        return ""

    def _sharing(self, words: list[str], way: str) -> Counter[int]:
        """How many pieces each known question shares."""
        known = self._pieces[way]
        return Counter(place for piece in _pieces(words, PIECES[way]) for place in known.get(piece, ()))

    def _half(self, words: list[str]) -> str:
        """Where a question stands with which half of the 8-grams of the smaller of both are shared."""
        own = len(_pieces(words, PIECES["8-gram"]))
        return next((self._known[place][0] for place, count in sorted(self._sharing(words, "8-gram").items())
                     if count >= HALF * min(own, self._known[place][1])), "")


def _pieces(words: list[str], length: int) -> set[int]:
    """The runs of `length` words, as hashes; a shorter text is one run."""
    return {hash(" ".join(words[start:start + length])) for start in range(max(1, len(words) - length + 1))}


__all__ = ["Overlap", "masked", "normal"]
