"""What a study found: read from its cells' answers and accounts, as far as they are done.

One design decision: an effect is made of the answers themselves, paired by question and seed within each
replicate, never of accuracies that somebody rounded; a cell that is not done is left out, and said to be missing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from lema.commands.study.design import Cell, StudyConfig, Value, values_of
from lema.commands.study.money import MoneyEffect, equal_money, listed_prices
from lema.config import Config
from lema.records import Account
from lema.report.answers import by_question
from lema.runs.prices import price_of
from lema.runs.run import Stage
from lema.stages.account import account
from lema.stages.score import scoring
from lema.stages.train import training
from lema.statistics import holm
from lema.statistics.replicates import Crossing, Effect, crossings, effect

Point = tuple[str, ...]
BEFORE = "(before)"


@dataclass(frozen=True)
class ArmResult:
    """An arm at one point, the means over replicates. `dollars` None: a price is not known."""

    point: Point
    arm: str
    accuracies: tuple[float, ...]  # of the replicates
    examples: float = 0.0
    written: float = 0.0  # by teachers
    read: float = 0.0
    sampled: float = 0.0  # of students
    dollars: float | None = None

    @property
    def accuracy(self) -> float:
        return float(np.mean(self.accuracies))

    @property
    def deviation(self) -> float | None:
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None


@dataclass(frozen=True)
class EffectResult:
    """A comparison at one point; `p_holm` is corrected for all that the study shows."""

    point: Point
    arm: str
    other: str
    effect: Effect
    p_holm: float


@dataclass(frozen=True)
class Curve:
    """A comparison along an axis of numbers, the other axes held at `fixed`."""

    axis: str
    fixed: Point
    arm: str
    other: str
    values: tuple[float, ...]
    effects: tuple[Effect, ...]
    crossings: tuple[Crossing, ...]


@dataclass(frozen=True)
class StudyResult:
    """Everything that the page and the table show."""

    study: StudyConfig
    axes: dict[str, list[Value]]
    arms: tuple[ArmResult, ...]
    effects: tuple[EffectResult, ...]
    curves: tuple[Curve, ...]
    headline: tuple[str, str]
    worth: tuple[MoneyEffect, ...]  # the pairs for equal money, where the study names prices
    done: int
    cells: int
    cpu_seconds: float  # of every stage that its cells are made of, each once
    split: str  # which questions were examined


class _CellAnswers:
    """The answers of one finished cell: of each arm 0/1 [seeds, questions]."""

    def __init__(self, cell: Cell, stages: dict[str, Stage]) -> None:
        answers = [(path.model, path.question, path.verdict == "right") for path in stages["examined"]]
        right, self.questions = by_question(answers), frozenset(map(itemgetter(1), answers))
        self.right: dict[str, dict[int, np.ndarray]] = defaultdict(dict)
        for model, arm, seed in scoring(cell.config, training(cell.config)).examined:
            shares = right[model].reshape(len(self.questions), -1)  # of several answers to a question, their mean
            self.right[arm][seed] = shares.mean(axis=1)
        self.before = right.get(cell.config.train.base)
        accounts = next(stage for stage in stages.values() if stage.verb is account)
        self.accounts: dict[str, Account] = {each.arm: each for each in accounts}

    def difference(self, arm: str, other: str) -> np.ndarray:
        """[seeds, questions] of −1, 0 and 1."""
        seeds = [seed for seed in self.right[arm] if seed in self.right[other]]
        rows = [self.right[arm][seed] - self.right[other][seed] for seed in seeds]
        return np.array(rows)


def pairs_of(study: StudyConfig, config: Config) -> tuple[tuple[str, str], ...]:
    """What is compared, the headline first."""
    baseline = config.report.baseline or next(iter(config.arms))
    pairs = list(study.pairs)
    if not pairs:
        if config.report.control:
            pairs.append((config.headline, config.report.control))
        pairs += config.report.pairs
    pairs += [(arm, baseline) for arm in config.arms if arm != baseline]
    return tuple(dict.fromkeys(pairs))


def read_results(study: StudyConfig, cells: Sequence[Cell], stages: dict[str, dict[str, Stage]],
                 done: Sequence[Cell]) -> StudyResult:
    """`done`: the cells that are finished."""
    axes = {name: values_of(name, axis) for name, axis in study.axes.items()}
    answers: dict[Point, dict[int, _CellAnswers]] = defaultdict(dict)
    for cell in done:
        answers[cell.point][cell.replicate] = _CellAnswers(cell, stages[cell.name])
    pairs = pairs_of(study, cells[0].config)
    effects = list(_effects(answers, pairs))
    adjusted = holm([each.p_value for *_, each in effects])
    shown = tuple(EffectResult(*each, p) for each, p in zip(effects, adjusted, strict=True))
    worth = equal_money(list(map(_Line.cells, _lines(axes, answers))), pairs, listed_prices(study.prices))
    config_of = {cell.point: cell.config for cell in cells}
    arms = [result for point, replicates in answers.items()
            for result in _arms(point, config_of[point], list(replicates.values()))]
    return StudyResult(
        study=study, axes=axes, arms=tuple(arms), effects=shown, curves=tuple(_curves(axes, answers, pairs)),
        headline=pairs[0], worth=tuple(worth), done=len(done), cells=len(cells),
        cpu_seconds=cpu_seconds(stages, done), split=cells[0].config.evaluate.split)


def _effects(answers: dict[Point, dict[int, _CellAnswers]], pairs: Sequence[tuple[str, str]]
             ) -> Iterator[tuple[Point, str, str, Effect]]:
    for point, replicates in answers.items():
        for arm, other in pairs:
            both = [each for each in replicates.values() if arm in each.right and other in each.right]
            if both:
                yield point, arm, other, _effect(both, arm, other)


def _effect(cells: Sequence[_CellAnswers], arm: str, other: str) -> Effect:
    same = len({each.questions for each in cells}) == 1
    return effect([each.difference(arm, other) for each in cells], same_questions=same)


def _arms(point: Point, config: Config, cells: Sequence[_CellAnswers]) -> Iterator[ArmResult]:
    if all(each.before is not None for each in cells):
        yield ArmResult(point, BEFORE, tuple(float(each.before.mean()) for each in cells), dollars=0.0)
    for arm in config.arms:
        accounts = [each.accounts[arm] for each in cells]
        read = [sum(tokens for tokens, _ in each.teachers.values()) for each in accounts]
        yield ArmResult(
            point, arm, tuple(float(np.mean(list(each.right[arm].values()))) for each in cells),
            examples=float(np.mean([each.examples for each in accounts])),
            written=float(np.mean([each.teacher_tokens for each in accounts])), read=float(np.mean(read)),
            sampled=float(np.mean([each.student_tokens for each in accounts])), dollars=_dollars(config, accounts))


def _dollars(config: Config, accounts: Sequence[Account]) -> float | None:
    total = 0.0
    for each in accounts:
        for model, tokens in each.teachers.items():
            price = price_of(config, model)
            if price is None:
                return None
            total += price.of(*tokens)
    return total / len(accounts)


def _curves(axes: dict[str, list[Value]], answers: dict[Point, dict[int, _CellAnswers]],
            pairs: Sequence[tuple[str, str]]) -> Iterator[Curve]:
    """Every pair along every axis of numbers."""
    for line, (arm, other) in product(_lines(axes, answers), pairs):
        yield _curve(line.axis, line.fixed, arm, other, list(map(itemgetter(1, 2), line.places)))


class _Line(NamedTuple):
    """The finished points along an axis of numbers."""

    axis: str
    fixed: Point
    places: list[tuple[Point, float, dict[int, _CellAnswers]]]

    def cells(self) -> list[tuple[Point, dict[int, _CellAnswers]]]:
        return list(map(itemgetter(0, 2), self.places))


def _lines(axes: dict[str, list[Value]], answers: dict[Point, dict[int, _CellAnswers]]) -> Iterator[_Line]:
    """Every axis of numbers with at least two finished points, for each setting of the others."""
    for place, (axis, values) in enumerate(axes.items()):
        if len(values) < 2 or any(value.number is None for value in values):
            continue
        others = [[value.label for value in each] for name, each in axes.items() if name != axis]
        for fixed in product(*others):
            places = []
            for value in values:
                point = (*fixed[:place], value.label, *fixed[place:])
                if answers.get(point):
                    places.append((point, value.number, answers[point]))
            if len(places) > 1:
                yield _Line(axis, fixed, places)


def _curve(axis: str, fixed: Point, arm: str, other: str, along: list[tuple[float, dict[int, _CellAnswers]]]
           ) -> Curve:
    numbers = tuple(number for number, _ in along)
    effects = tuple(_effect(list(cells.values()), arm, other) for _, cells in along)
    common = sorted(set.intersection(*(set(cells) for _, cells in along)))
    meets: list[Crossing] = []
    if common:
        meets = crossings(numbers, np.array([
            [cells[replicate].difference(arm, other).mean() for _, cells in along] for replicate in common]))
    return Curve(axis, fixed, arm, other, numbers, effects, tuple(meets))


def cpu_seconds(stages: dict[str, dict[str, Stage]], done: Sequence[Cell]) -> float:
    """What the stages of these cells took of processors, each once however many cells have it."""
    seconds = {}
    for cell in done:
        for stage in stages[cell.name].values():
            record = stage.record() or {}
            made = record.get("taken_from", stage.fingerprint)
            seconds[made] = record.get("cpu_seconds", record.get("seconds", 0.0))
    return sum(seconds.values())
