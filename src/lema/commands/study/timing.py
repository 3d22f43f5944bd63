"""How long a study will take, said before it starts.

One design decision: the stages of a study that are done are the best guess for those that are not; where there are
none, figures measured for the lab's student stand in, and the estimate says so.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple

from lema.commands.study.schedule import Agenda, SharedStage
from lema.figures import duration
from lema.plugins import find
from lema.runs.run import Stage
from lema.stages.continue_ import continue_steps
from lema.stages.grow import grow
from lema.stages.sample import sample
from lema.stages.train import train

LAB = {grow: 68e-6, train: 75e-6, sample: 5e-3, continue_steps: 8e-4}
"""Seconds of one core for a unit (`_units`): a student of 0.3M parameters, one thread of an EPYC with AVX-512."""
ELSE = 0.3  # seconds of any other stage


class Estimate(NamedTuple):
    seconds: float  # of the clock
    stages: int
    learnt: int  # of how many finished stages it was made; 0: from the lab's figures
    served: tuple[str, ...]  # models that are asked elsewhere: what they cost is not in here

    def times(self, factor: float) -> "Estimate":
        """Of so many times as many cells, which is the most, as cells have stages in common."""
        return self._replace(seconds=self.seconds * factor, stages=round(self.stages * factor))

    def in_words(self, cells: int, workers: int) -> str:
        """One line."""
        basis = f"by {self.learnt:,} finished stages like them" if self.learnt else (
            "by figures of the lab's student of 0.3M parameters; the first cells will tell better")
        paid = f"; `lema estimate` says what {', '.join(self.served)} will cost a cell" if self.served else ""
        return (f"{cells:,} cells, {self.stages:,} different stages to do, about {duration(self.seconds)} on "
                f"{workers} worker{'s' * (workers > 1)} ({basis}){paid}")


def estimate(agenda: Agenda, workers: int) -> Estimate:
    """The time of what is left to do."""
    waiting = agenda.waiting
    rates, learnt = _rates(task.finished for task in agenda.tasks.values() if task.finished is not None)
    seconds = sum(_seconds(task.places[0], rates) for task in waiting)
    served = {name for task in waiting for name in _served(task)}
    return Estimate(seconds / min(workers, max(1, len(waiting))), len(waiting), learnt, tuple(sorted(served)))


def _seconds(stage: Stage, rates: dict[Callable, float]) -> float:
    return rates.get(stage.verb, LAB.get(stage.verb, ELSE)) * _units(stage)


def _rates(finished: Iterable[Stage]) -> tuple[dict[Callable, float], int]:
    """Seconds a unit, by verb; the median of the stages that are done."""
    by_verb = defaultdict(list)
    for stage in finished:
        record = stage.record() or {}
        if units := _units(stage):
            by_verb[stage.verb].append(record.get("seconds", 0.0) / units)
    return {verb: median(rates) for verb, rates in by_verb.items()}, sum(map(len, by_verb.values()))


def _units(stage: Stage) -> float:
    """What a stage's time grows with: tokens that are trained on or paid for, paths; 1 where nobody knows."""
    settings = stage.settings
    if stage.verb is train:
        return settings.budget.tokens or 120_000
    if stage.verb is grow:
        return settings.tokens
    if stage.verb is continue_steps:
        return settings.tokens or 20_000
    if stage.verb is sample:
        table = stage.sources[0].settings if stage.sources else None
        questions = getattr(table, settings.split, None)
        return settings.paths * min(questions if isinstance(questions, int) else 1000, settings.limit or 10**9)
    return 1


def _served(task: SharedStage) -> Iterable[str]:
    for name in task.places[0].models:
        table = task.cell.config.models.get(name)
        if table is not None and not table.grow:
            model = find("models", table.backend, "Model").Model
            if not getattr(model, "runs_here", False) and table.backend != "recorded":
                yield name
