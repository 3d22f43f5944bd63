"""The funnel of a round, counted from rows: questions → paths → wrong → corrected → verified → trained on, and
beside it paths → critiques → trained on.

One design decision: nothing is counted while a run works; every figure here comes from the rows that stayed,
so that whoever recounts them finds the same. Rows are read one by one, and of those that must be told apart eight
bytes are kept, a hash, so that a run of any size can be shown.
"""

from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from itertools import chain
from typing import get_args

import numpy as np

from lema.config import Config
from lema.examples.take import Sort
from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.replies import split_steps
from lema.report import Funnel, Loss, Stage


def marks(things: Iterable[Hashable]) -> np.ndarray:
    """The different ones of `things`, sorted, as hashes of eight bytes each, which hold for this process."""
    return np.unique(np.frombuffer(array("q", map(hash, things)), np.int64))


def parents(sets: Iterable[Iterable[Example]]) -> np.ndarray:
    """What the examples of training sets were made of."""
    found = marks(())
    for examples in sets:
        found = np.union1d(found, marks(example.parent for example in examples))
    return found


def funnel(name: str, questions: Iterable[Question], graded: Iterable[ReasoningPath],
           verified: Iterable[Correction], used: np.ndarray, seeds: int = 0) -> Funnel:
    """One round's funnel. `used` are the `parents` of all arms' examples: a kept correction that is none of them
    was left out. `seeds` is how many new questions an evolved round was to write."""
    verdicts, wrong, mistakes = Counter(), array("q"), array("q")
    for path in graded:
        verdicts[path.verdict] += 1
        if path.verdict == "wrong":
            wrong.append(hash(path.id))
            mistakes.append(hash((path.question, split_steps(path.text))))
    refused, asked, kept = Counter(), array("q"), array("q")
    for correction in verified:
        asked.append(hash(correction.path))
        if correction.verified:
            kept.append(hash(correction.id))
        else:
            refused[correction.rejected] += 1
    corrected, again, fresh = _corrected(*(np.frombuffer(each, np.int64) for each in (wrong, mistakes, asked)))
    trained = int(np.isin(np.frombuffer(kept, np.int64), used).sum())
    return Funnel(name, (
        _questions((question for question in questions if question.split == "train"), seeds),
        Stage("paths sampled", verdicts.total()),
        Stage("wrong", len(wrong), _losses(Counter({_WORDS[v]: n for v, n in verdicts.items() if v != "wrong"}))),
        Stage("corrected", corrected, _losses(Counter({
            "the same mistake again": again, "not asked for (budget, or another model's)": fresh}))),
        *((Stage("replies", len(asked)),) if len(asked) > corrected else ()),
        Stage("verified", len(kept), _losses(refused)),
        Stage("trained on", trained, _losses(Counter({"taken by no arm": len(kept) - trained}))),
    ))


def seeds_of(config: Config, name: str) -> int:
    """How many new questions a round was to write; the task's own questions are none."""
    return config.evolve[name].seeds if name else 0


_WORDS = {"right": "right", "no_answer": "no answer", "truncated": "cut off", "ungradable": "could not be graded"}


def _corrected(wrong: np.ndarray, mistakes: np.ndarray, asked: np.ndarray) -> tuple[int, int, int]:
    """Of the wrong paths: how many were corrected, how many of the others repeat a mistake, and how many are
    mistakes of their own. All are hashes: of the paths, their mistakes, and the paths that were corrected."""
    there = np.isin(wrong, asked)
    others = mistakes[~there]
    fresh = len(np.setdiff1d(others, mistakes[there]))
    return int(there.sum()), len(others) - fresh, fresh


def _questions(questions: Iterable[Question], seeds: int) -> Stage:
    every = Counter(question.rejected for question in questions)
    unwritten = max(0, seeds - every.total())
    good = every.pop("", 0)
    every["not written (no kept correction to grow from, or the budget)"] = unwritten
    return Stage("questions", good, _losses(every))


def _losses(counted: Counter) -> tuple[Loss, ...]:
    return tuple(Loss(reason, count) for reason, count in sorted(counted.items(), key=lambda i: (-i[1], i[0]))
                 if count)


class _Judged:
    """The critiques of one sort of path, as far as they are counted."""

    def __init__(self) -> None:
        self.count, self.agreeing, self.rejected, self.read = 0, 0, Counter(), array("q")

    def add(self, row: Critique) -> None:
        self.count += 1
        if row.rejected:
            self.rejected[row.rejected] += 1
        else:
            self.read.append(hash(row.id))
            self.agreeing += row.said == row.verdict


def critique_funnels(name: str, graded: Iterable[ReasoningPath], critiques: Iterable[Critique],
                     used: np.ndarray) -> Iterator[Funnel]:
    """What became of the critiques of a round's paths, one funnel for each sort of path that was judged. Critiques
    of other rounds' paths are passed over. `used` as for `funnel`."""
    critiques = iter(critiques)
    if (first := next(critiques, None)) is None:
        return
    ids, alike = array("q"), {sort: array("q") for sort in get_args(Sort)}
    for path in graded:
        ids.append(hash(path.id))
        if path.verdict in alike:
            alike[path.verdict].append(hash((path.question, split_steps(path.text))))
    known = np.append(np.unique(np.frombuffer(ids, np.int64)), np.iinfo(np.int64).max)
    found = {sort: _Judged() for sort in alike}
    for row in chain([first], critiques):
        mark = hash(row.path)
        if row.verdict in found and known[known.searchsorted(mark)] == mark:
            found[row.verdict].add(row)
    for sort, judged in found.items():
        if judged.count:
            yield _critiques(f"{name}: critiques of {sort} paths", alike[sort], judged, used)


def _critiques(name: str, paths: array, judged: _Judged, used: np.ndarray) -> Funnel:
    repeats = len(paths) - len(np.unique(np.frombuffer(paths, np.int64)))
    trained = int(np.isin(np.frombuffer(judged.read, np.int64), used).sum())
    return Funnel(name, (
        Stage("paths", len(paths)),
        Stage("critiques", judged.count, _losses(Counter({
            "the same path again": repeats,
            "not asked for (limit, budget, or another model's)": len(paths) - repeats - judged.count}))),
        Stage(f"can be read, {judged.agreeing:,} of them agreeing with the grader", len(judged.read),
              _losses(judged.rejected)),
        Stage("trained on", trained, _losses(Counter({"taken by no arm": len(judged.read) - trained}))),
    ))
