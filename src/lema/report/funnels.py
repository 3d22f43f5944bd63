"""The funnel of a round, counted from rows: questions → paths → wrong → corrected → verified → trained on, and
beside it paths → critiques → trained on.

One design decision: nothing is counted while a run works; every figure here comes from the rows that stayed,
so that whoever recounts them finds the same. Rows are read one by one, and of those that must be told apart eight
bytes are kept, a hash, so that a run of any size can be shown.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, filterfalse
from operator import attrgetter
from typing import get_args

import numpy as np

from lema.chains import StepCorrection
from lema.config import Config
from lema.examples.take import Sort
from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.replies import split_steps
from lema.report import Funnel, FunnelStage, Loss

SAME_AGAIN = "the same mistake again"
NOT_ASKED = "not asked for (budget, or another model's)"
BY_NO_ARM = "taken by no arm"
"""Losses that are counted over several stages; `lema view` finds the rows behind them by the same words."""


def parents(sets: Iterable[Iterable[Example]]) -> np.ndarray:
    """What the examples of training sets were made of: sorted hashes, which hold for this process."""
    trained_on = filterfalse(attrgetter("rejected"), chain.from_iterable(sets))
    return np.unique(array("q", map(hash, map(attrgetter("parent"), trained_on))))


def funnel(name: str, questions: Iterable[Question], graded: Iterable[ReasoningPath],
           verified: Iterable[Correction], used: np.ndarray, seeds: int = 0) -> Funnel:
    """One round's funnel. `used` are the `parents` of all arms' examples: a kept correction that is none of them
    was left out. `seeds` is how many new questions an evolved round was to write."""
    others, wrong, mistakes = Counter(), array("q"), array("q")
    for path in graded:
        if path.verdict == "wrong":
            wrong.append(hash(path.id))
            mistakes.append(hash((path.question, split_steps(path.text))))
        else:
            others[OTHER_VERDICTS[path.verdict]] += 1
    refused, corrected, kept = Counter(), array("q"), array("q")
    for correction in verified:
        corrected.append(hash(correction.path))
        if correction.verified:
            kept.append(hash(correction.id))
        else:
            refused[correction.rejected] += 1
    sampled = FunnelStage("paths sampled", len(wrong) + others.total())
    stages = [_questions(questions, seeds), sampled, FunnelStage("wrong", len(wrong), _losses(others)),
              _corrected(wrong, np.asarray(mistakes), corrected)]
    if len(corrected) > stages[-1].count:  # several replies to one path: they are what the checks count
        stages.append(FunnelStage("replies", len(corrected)))
    stages += [FunnelStage("verified", len(kept), _losses(refused)), _trained(kept, used)]
    return Funnel(name, tuple(stages))


def one_step_funnel(name: str, graded: Iterable[ReasoningPath], continued: Iterable[StepCorrection],
                    used: np.ndarray) -> Iterator[Funnel]:
    """What became of a round's one-step corrections; nothing where there are none. `used` as for `funnel`."""
    refused, unsolved, kept, begun, students, rows = Counter(), Counter(), array("q"), array("q"), set(), 0
    for row in continued:
        rows += 1
        students.add(row.student)
        begun.append(hash(row.path))
        if row.kept:
            kept.append(hash(row.id))
        else:
            (unsolved if row.continuations else refused)[row.rejected] += 1
    if not rows:
        return
    wrong, mistakes = array("q"), array("q")
    for path in graded:
        if path.verdict == "wrong" and path.model in students:
            wrong.append(hash(path.id))
            mistakes.append(hash((path.question, split_steps(path.text))))
    there = np.isin(wrong, begun)
    repeats = len(np.asarray(mistakes)) - len(np.unique(mistakes))
    lost = Counter({"the same mistake again": repeats, "not begun (budget, or the question is solved)":
                    len(wrong) - int(there.sum()) - repeats})
    yield Funnel(f"{name}: one-step corrections", (
        FunnelStage("wrong", len(wrong)),
        FunnelStage("begun", int(there.sum()), _losses(lost)),
        FunnelStage("steps written anew", rows),
        FunnelStage("gone on from", rows - refused.total(), _losses(refused)),
        FunnelStage("solved: enough continuations agree", len(kept), _losses(unsolved)),
        _trained(kept, used),
    ))


def seeds_of(config: Config, name: str) -> int:
    """How many new questions a round was to write; the task's own questions are none."""
    return config.evolve[name].seeds if name else 0


OTHER_VERDICTS = {"right": "right", "no_answer": "no answer", "truncated": "cut off",
                  "ungradable": "could not be graded"}


def _questions(questions: Iterable[Question], seeds: int) -> FunnelStage:
    reasons = Counter()
    for question in questions:
        if question.split == "train":
            reasons[question.rejected] += 1
    unwritten = max(0, seeds - reasons.total())
    good = reasons.pop("", 0)
    reasons["not written (no kept correction to grow from, or the budget)"] = unwritten
    return FunnelStage("questions", good, _losses(reasons))


def _corrected(wrong: array, mistakes: np.ndarray, corrected: array) -> FunnelStage:
    """How many of the wrong paths were corrected, and how many of the others are no mistakes of their own. All are
    hashes: of the paths, their mistakes, and the paths that were corrected."""
    there = np.isin(wrong, corrected)
    left_out = mistakes[~there]
    fresh = len(np.setdiff1d(left_out, mistakes[there]))
    return FunnelStage("corrected", int(there.sum()), _losses(Counter({
        SAME_AGAIN: len(left_out) - fresh, NOT_ASKED: fresh})))


def _trained(kept: array, used: np.ndarray) -> FunnelStage:
    trained = int(np.isin(kept, used).sum())
    return FunnelStage("trained on", trained, _losses(Counter({BY_NO_ARM: len(kept) - trained})))


def _losses(counted: Counter) -> tuple[Loss, ...]:
    by_size = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Loss(reason, count) for reason, count in by_size if count)


class _Critiqued:
    """The paths of one sort, and their critiques as far as they are counted."""

    def __init__(self) -> None:
        self.paths, self.readable = array("q"), array("q")
        self.count, self.agreeing, self.rejected = 0, 0, Counter()

    def add(self, critique: Critique) -> None:
        self.count += 1
        if critique.rejected:
            self.rejected[critique.rejected] += 1
        else:
            self.readable.append(hash(critique.id))
            self.agreeing += critique.said == critique.verdict


def critique_funnels(name: str, graded: Iterable[ReasoningPath], critiques: Iterable[Critique],
                     used: np.ndarray) -> Iterator[Funnel]:
    """What became of the critiques of a round's paths, one funnel for each sort of path that was judged. Critiques
    of other rounds' paths are passed over. `used` as for `funnel`."""
    critiques = iter(critiques)
    if (first := next(critiques, None)) is None:
        return  # before the paths are read at all
    ids, by_sort = array("q"), {sort: _Critiqued() for sort in get_args(Sort)}
    for path in graded:
        ids.append(hash(path.id))
        if path.verdict in by_sort:
            by_sort[path.verdict].paths.append(hash((path.question, split_steps(path.text))))
    of_round = np.append(np.unique(ids), np.iinfo(np.int64).max)  # a search may end past the last
    for critique in chain([first], critiques):
        mark = hash(critique.path)
        if critique.verdict in by_sort and of_round[of_round.searchsorted(mark)] == mark:
            by_sort[critique.verdict].add(critique)
    for sort, critiqued in by_sort.items():
        if critiqued.count:
            yield _critique_funnel(f"{name}: critiques of {sort} paths", critiqued, used)


def _critique_funnel(name: str, critiqued: _Critiqued, used: np.ndarray) -> Funnel:
    paths, count, readable = len(critiqued.paths), critiqued.count, critiqued.readable
    repeats = paths - len(np.unique(critiqued.paths))
    lost = Counter({"the same path again": repeats,
                    "not asked for (limit, budget, or another model's)": paths - repeats - count})
    return Funnel(name, (
        FunnelStage("paths", paths),
        FunnelStage("critiques", count, _losses(lost)),
        FunnelStage(f"can be read, {critiqued.agreeing:,} of them agreeing with the grader", len(readable),
                    _losses(critiqued.rejected)),
        _trained(readable, used),
    ))
