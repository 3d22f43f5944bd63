"""Near copies by MinHash, with the library rensa.

One design decision: the library finds candidates and estimates their likeness; a question is near another from
an estimated Jaccard index of `THRESHOLD` over its runs of three words. The seed is fixed, so the same questions
always get the same answer.
"""

from lema.decontamination.words import runs
from lema.errors import ConfigError

PERMUTATIONS = 128
BANDS = 32
THRESHOLD = 0.7
RUN = 3


class Near:
    """An index of known texts, given as their words."""

    def __init__(self) -> None:
        try:
            from rensa import RMinHash, RMinHashLSH
        except ImportError:
            raise ConfigError("minhash: needs the package rensa; pip install rensa, or leave it out") from None
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
