"""What stands behind the answers: flips between two arms, right answers on wrong paths, mistakes by kind.

One design decision: an answer is judged once, by the task's own review of its steps where it has one and by its
equations elsewhere; every table is counted from these judgements.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lema.config import AnalyseConfig
from lema.records import Question, ReasoningPath
from lema.replies import split_steps
from lema.report.analyses.answers import BEFORE
from lema.report.answers import by_question
from lema.report.tables import Table
from lema.scratch import ScratchTable
from lema.statistics import difference
from lema.tasks import Task, fault_in

SHOWN = 5  # texts of flips of each sort
NOTHING = {"no_answer": "no answer", "truncated": "cut off", "ungradable": "ungradable"}
UNSEEN = "no wrong step is seen"
KINDS = 9  # kinds of mistakes with a row of their own
OTHERS = "any other"


class JudgedAnswer(NamedTuple):
    """One answer: whether it is right, and what is wrong with its path ("" nothing that is seen)."""

    model: str
    question: str
    right: bool
    fault: str


def judged(task: Task, questions: ScratchTable[Question],
           examined: Iterable[ReasoningPath]) -> Iterator[JudgedAnswer]:
    """Every answer in turn."""
    for path in examined:
        fault = NOTHING.get(path.verdict)
        if fault is None:
            fault = fault_in(task, questions.get(path.question), split_steps(path.text))
        yield JudgedAnswer(path.model, path.question, path.verdict == "right", fault)


def path_tables(settings: AnalyseConfig, task: Task, questions: ScratchTable[Question],
                examined: Iterable[ReasoningPath]) -> Iterator[Table]:
    """All of them, for the task's own test questions."""
    answers = list(judged(task, questions, examined))
    if not answers:
        return
    arms = _arms(settings)
    yield _wrong_paths(settings, arms, answers, reviewed=hasattr(task, "fault"))
    yield from _mistakes(settings, arms, answers)
    flips = list(_flips(settings, arms, answers))
    if flips:
        yield _flip_table(flips)
        for flip in flips[:2]:
            yield _texts(flip, arms, questions, examined)


def _arms(settings: AnalyseConfig) -> dict[str, dict[int, str]]:
    """Arm to its models by seed; the student before is arm ""."""
    arms: dict[str, dict[int, str]] = {"": {0: settings.base}} if settings.base else {}
    for model, arm, seed in settings.examined:
        arms.setdefault(arm, {})[seed] = model
    return arms


def _matrix(shares: dict[str, np.ndarray], models: Iterable[str]) -> np.ndarray:
    return np.array(list(map(shares.__getitem__, models)))


def _paired(arms: dict[str, dict[int, str]], arm: str, other: str) -> tuple[list[str], list[str]]:
    seeds = list(filter(arms[other].__contains__, arms[arm]))
    return list(map(arms[arm].__getitem__, seeds)), list(map(arms[other].__getitem__, seeds))


def _wrong_paths(settings: AnalyseConfig, arms: dict[str, dict[int, str]], answers: Sequence[JudgedAnswer], *,
                 reviewed: bool) -> Table:
    right = by_question((each.model, each.question, each.right) for each in answers)
    strict = by_question((each.model, each.question, each.right and not each.fault) for each in answers)
    rows = []
    for arm, models in arms.items():
        plain, sound = _matrix(right, models.values()).mean(), _matrix(strict, models.values()).mean()
        apart = (None, None, None)
        if arm and settings.baseline in arms and arm != settings.baseline:
            ours, theirs = _paired(arms, arm, settings.baseline)
            if ours:
                apart_strictly = difference(_matrix(strict, ours), _matrix(strict, theirs))
                apart = (apart_strictly.mean, *apart_strictly.interval)
        rows.append((arm or BEFORE, plain, (plain - sound) / plain if plain else None, sound, *apart))
    how = ("the task's own review finds a wrong step" if reviewed else
           "an equation of the path is false (a wrong set-up is not seen)")
    return Table(
        name="Right answers on a wrong path", about=(
            f"Per cent of the right answers where {how}; accuracy without them, and its difference from "
            f"{settings.baseline or 'the first'} in points with the 95 % interval (beside the comparison: no "
            "claim rests on it, and no correction is made for it)."),
        columns=(("arm", "text"), ("right", "percent"), ("on a wrong path", "percent"),
                 ("strictly right", "percent"), ("diff", "points"), ("from", "points"), ("to", "points")),
        rows=tuple(rows))


def _mistakes(settings: AnalyseConfig, arms: dict[str, dict[int, str]],
              answers: Sequence[JudgedAnswer]) -> Iterator[Table]:
    """Kinds of mistakes under each arm; and of the headline pairs what was fixed and what was made anew."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    texts: Counter[str] = Counter()
    for each in answers:
        texts[each.model] += 1
        if not each.right:
            counts[each.model][_kind(each)] += 1
    every = sum(counts.values(), Counter())
    kinds = [kind for kind, _ in every.most_common(KINDS)]
    for tally in counts.values() if len(every) > KINDS else ():
        tally[OTHERS] = tally.total() - sum(map(tally.get, filter(tally.__contains__, kinds)))
    kinds += [OTHERS] * (len(every) > KINDS)
    rows = []
    for kind in kinds:
        shares = [sum(counts[model][kind] for model in models.values()) / sum(map(texts.get, models.values()))
                  for models in arms.values()]
        rows.append((kind, *shares))
    if rows:
        yield Table(
            name="Mistakes by kind", detail=True,
            about="Per cent of all answers that are not right, by the first thing that is wrong with them.",
            columns=(("kind", "text"), *((arm or BEFORE, "percent") for arm in arms)), rows=tuple(rows))
    for arm, other in dict.fromkeys([(settings.headline, settings.baseline), *settings.pairs]):
        if rows and arm in arms and other in arms and arm != other:
            yield _mended(arm, other, kinds, _paired(arms, arm, other), answers)


def _mended(arm: str, other: str, kinds: Sequence[str], models: tuple[list[str], list[str]],
            answers: Sequence[JudgedAnswer]) -> Table:
    """Which kinds of the other arm's mistakes this one answers rightly, and which it makes where that is right."""
    of_model: dict[str, dict[str, list[JudgedAnswer]]] = defaultdict(lambda: defaultdict(list))
    for each in answers:
        of_model[each.model][each.question].append(each)
    made: dict[str, Counter[str]] = {"theirs": Counter(), "mended": Counter(), "anew": Counter()}
    for mine, others in zip(*models, strict=True):
        for question, theirs in of_model[others].items():
            for before, after in zip(theirs, of_model[mine][question], strict=False):
                made["theirs"][_row(before, kinds)] += 1
                if before.right != after.right:
                    made["mended" if after.right else "anew"][_row(before if after.right else after, kinds)] += 1
    return Table(
        name=f"Mistakes mended and made: {arm} − {other}", detail=True,
        about=f"Answers of {other} that are not right, by kind, and how many of them {arm} gives rightly with the "
              f"same seed; and the mistakes of {arm} where {other} is right.",
        columns=(("kind", "text"), (other, "count"), ("mended", "count"), ("made anew", "count")),
        rows=tuple((kind, made["theirs"][kind], made["mended"][kind], made["anew"][kind]) for kind in kinds))


def _kind(answer: JudgedAnswer) -> str:
    return "" if answer.right else answer.fault or UNSEEN


def _row(answer: JudgedAnswer, kinds: Sequence[str]) -> str:
    """The row of the kinds in which an answer is counted; "" for a right one."""
    kind = _kind(answer)
    return kind if kind in kinds or not kind else OTHERS


class _Flip(NamedTuple):
    arm: str
    other: str
    change: dict[str, float]  # question -> share of right answers that it gained
    figures: tuple[int, int, int, int]


def _flips(settings: AnalyseConfig, arms: dict[str, dict[int, str]],
           answers: Sequence[JudgedAnswer]) -> Iterator[_Flip]:
    """The planned pairs first, then every arm against the baseline."""
    right: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for each in answers:
        right[each.model][each.question].append(each.right)
    pairs = [*settings.pairs, *((arm, settings.baseline) for arm in arms if arm)]
    for arm, other in dict.fromkeys([(settings.headline, settings.baseline), *pairs]):
        if arm not in arms or other not in arms or arm == other:
            continue
        ours, theirs = _paired(arms, arm, other)
        if ours:
            shares = {name: (_share(right, ours, name), _share(right, theirs, name)) for name in right[ours[0]]}
            sides = Counter((mine > 0.5, others > 0.5) for mine, others in shares.values())
            yield _Flip(arm, other, {name: mine - others for name, (mine, others) in shares.items()},
                        (sides[True, False], sides[False, True], sides[True, True], sides[False, False]))


def _share(right: dict[str, dict[str, list[bool]]], models: Sequence[str], question: str) -> float:
    every = [verdict for model in models for verdict in right[model][question]]
    return sum(every) / len(every)


def _flip_table(flips: Sequence[_Flip]) -> Table:
    return Table(
        name="Flips", about="Questions by whether more than half of an arm's answers (all seeds) are right: fixed "
                            "by the first arm, broken by it, right under both, under neither.",
        columns=(("arms", "text"), ("fixed", "count"), ("broken", "count"), ("both right", "count"),
                 ("neither", "count")),
        rows=tuple((f"{flip.arm} − {flip.other}", *flip.figures) for flip in flips))


def _texts(flip: _Flip, arms: dict[str, dict[int, str]], questions: ScratchTable[Question],
           examined: Iterable[ReasoningPath]) -> Table:
    """The questions that changed most, with what the first seed of each arm answered."""
    ordered = sorted(flip.change, key=lambda name: (-abs(flip.change[name]), name))
    fixed = list(islice((name for name in ordered if flip.change[name] > 0), SHOWN))
    broken = list(islice((name for name in ordered if flip.change[name] < 0), SHOWN))
    ours, theirs = map(itemgetter(0), _paired(arms, flip.arm, flip.other))
    paths: dict[tuple[str, str], str] = {}
    for path in examined:
        if path.model in (ours, theirs) and path.question in (*fixed, *broken):
            paths.setdefault((path.model, path.question), path.text)
    rows = []
    for name in (*fixed, *broken):
        question = questions.get(name)
        rows.append((name, flip.change[name], question.text, question.answer, paths.get((theirs, name), ""),
                     paths.get((ours, name), "")))
    return Table(
        name=f"Flips: {flip.arm} − {flip.other}", detail=True,
        about="Fixed and broken questions that changed most over all seeds, with the answers of the first.",
        columns=(("question", "text"), ("change", "points"), ("its words", "text"), ("gold", "text"),
                 (flip.other, "text"), (flip.arm, "text")), rows=tuple(rows))


def open_questions(folder: Path, questions: Iterable[Question]) -> ScratchTable[Question]:
    """The questions by id."""
    return ScratchTable(folder, Question).fill((question.id, question) for question in questions)
