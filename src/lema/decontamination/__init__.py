"""Whether a question is there already: word by word, but for its numbers, in long pieces, or nearly.

One design decision: five ways of looking, each named and switched on by itself, because what is contamination for
questions off the web is what all questions of a template have in common. Of a text only hashes are kept, and only
those that its ways need.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from lema.decontamination.words import masked, normal, plain, runs, veiled

PIECES = {"13-gram": 13, "8-gram": 8}
HALF = 0.5
"""Share of the 8-grams of the new or of the learnt question that both must have; one is a turn of phrase."""

PERMUTATIONS, BANDS, RUN = 128, 32, 3
THRESHOLD = 0.7  # from which estimated likeness on a question is nearly another


class Overlap:
    """Known questions, each with where it stands ("test"); asked of one new question after another."""

    def __init__(self, ways: Collection[str]) -> None:
        self.ways = ways
        self._exact: dict[int, str] = {}
        self._masked: dict[int, str] = {}
        self._holders: dict[str, dict[int, list[int]]] = {way: {} for way in PIECES if way in ways}
        self._learnt: list[tuple[str, int]] = []  # where each stands, and how many 8-grams it has, for the pieces
        self._near = Near() if "minhash" in ways else None

    def learn(self, where: str, texts: Iterable[str]) -> "Overlap":
        """Takes known questions in; of two alike the first counts."""
        for text in texts:
            whole, words = normal(text), plain(text)
            if "exact" in self.ways:
                self._exact.setdefault(hash(" ".join(whole)), where)
            if "masked" in self.ways:
                self._masked.setdefault(hash(" ".join(masked(whole))), where)
            for way, holders in self._holders.items():
                for piece in _pieces(words, PIECES[way]):
                    holders.setdefault(piece, []).append(len(self._learnt))
            if self._holders:
                self._learnt.append((where, len(_pieces(words, PIECES["8-gram"]))))
            if self._near:
                self._near.learn(where, veiled(text))
        return self

    def reason(self, text: str) -> str:
        """Why the question is none of its own, the surest reason first; empty where it is new."""
        whole, words = normal(text), plain(text)
        if where := self._exact.get(hash(" ".join(whole))):
            return f"already there ({where})"
        if where := self._masked.get(hash(" ".join(masked(whole)))):
            return f"already there with other numbers ({where})"
        if "13-gram" in self.ways and (shared := self._sharing(words, "13-gram")):
            return f"13 words in a row as there ({self._learnt[min(shared)][0]})"
        if "8-gram" in self.ways and (where := self._half(words)):
            return f"half of its 8-grams are there ({where})"
        if self._near and (where := self._near.nearest(veiled(text))):
            return f"nearly the same is there ({where})"
        return ""

    def _sharing(self, words: list[str], way: str) -> Counter[int]:
        """How many pieces each learnt question shares."""
        shared = Counter()
        for piece in _pieces(words, PIECES[way]):
            shared.update(self._holders[way].get(piece, ()))
        return shared

    def _half(self, words: list[str]) -> str:
        """Where a question stands with which half of the 8-grams of the smaller of both are shared."""
        own = len(_pieces(words, PIECES["8-gram"]))
        for place, count in sorted(self._sharing(words, "8-gram").items()):
            where, pieces = self._learnt[place]
            if count >= HALF * min(own, pieces):
                return where
        return ""


class Near:
    """Near copies by MinHash: the library rensa finds candidates and estimates their likeness, the Jaccard index
    over runs of three words. Its seed is fixed, so the same questions always get the same answer."""

    def __init__(self) -> None:
        from rensa import RMinHash, RMinHashLSH

        self._new = RMinHash
        self._index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
        self._learnt: list[tuple[str, object]] = []

    def learn(self, where: str, words: list[str]) -> None:
        sketch = self._sketch(words)
        self._index.insert(len(self._learnt), sketch)
        self._learnt.append((where, sketch))

    def nearest(self, words: list[str]) -> str:
        """Where the most alike of the known texts stands; empty where none is near."""
        sketch = self._sketch(words)
        near = [(sketch.jaccard(self._learnt[place][1]), -place) for place in self._index.query(sketch)]
        likeness, place = max(near, default=(0.0, 0))
        return self._learnt[-place][0] if likeness >= THRESHOLD else ""

    def _sketch(self, words: list[str]):
        sketch = self._new(num_perm=PERMUTATIONS, seed=1)
        sketch.update(runs(words, RUN))
        return sketch


def _pieces(words: list[str], length: int) -> set[int]:
    """The runs of `length` words, as hashes; a shorter text is one run."""
    return set(map(hash, runs(words, length)))
