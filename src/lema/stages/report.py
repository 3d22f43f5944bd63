"""The report: what the run found, as one page and as one table.

    all rows → report.html, table.txt, table.md and {"arm": "step", "baseline": "cot", "mean": -0.0056, …}

One design decision: everything shown is read from the rows of earlier stages; this stage computes no score of
its own but the paired differences that the statistics room defines.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest
from operator import attrgetter
from pathlib import Path

import numpy as np

from lema.chains import StepCorrection
from lema.config import Config, ReportOneConfig, ScoreConfig
from lema.records import Account, Checkpoint, Correction, Critique, Question, ReasoningPath
from lema.report import Arm, Funnel, LevelScore, PlannedComparison, ReportData, ShownCorrection
from lema.report.answers import by_question
from lema.report.curves import training_curves
from lema.report.funnels import critique_funnels, funnel, one_step_funnel, parents
from lema.report.gallery import gallery
from lema.report.page import render
from lema.report.sets import dollars_for, read_for, too_long
from lema.report.tables import Table
from lema.report.terminal import table
from lema.report.worth import markdown
from lema.runs.beginnings import look, said_of_looks
from lema.runs.context import StageContext
from lema.runs.machine import machine
from lema.runs.prices import Prices
from lema.runs.ratings import MEANING, agreements, by_corrector, ratings_mark, ratings_of
from lema.runs.versions import versions
from lema.statistics import accuracy, difference, disagreement
from lema.statistics.scores import Comparison, Score
from lema.tasks import answers_to

VERSION = 10

FIRST = "The questions of the task"
NOTES = (  # what holds of every run of this pipeline
    "Arms are compared at the end of their budget: no checkpoint was chosen.",
    "Teacher tokens of an arm are everything that the teacher wrote on the way to it, rejected replies included.",
    "Unanswered, cut off and ungradable answers count as not right.",
)


def reporting(config: Config, scores: ScoreConfig, run: Path) -> ReportOneConfig:
    """What the report shows: the config's headline, else the last arm, against the baseline; and what people rated
    in the run's folder."""
    return ReportOneConfig(
        **scores.model_dump(), title=config.name, control=config.report.control,
        split=config.evaluate.split, headline=config.headline, rounds=("", *config.evolve),
        about={arm: table.about for arm, table in config.arms.items()}, prices=config.model_dump()["prices"],
        seeds={name: table.seeds for name, table in config.evolve.items()}, checks=config.verify.checks,
        ratings=ratings_mark(run))


def report(context: StageContext, settings: ReportOneConfig, questions: tuple[Iterable[Question], ...],
           graded: tuple[Iterable[ReasoningPath], ...], verified: tuple[Iterable[Correction], ...],
           sets: tuple[Iterable, ...], accounts: Iterable[Account], trained: tuple[Iterable[Checkpoint], ...],
           examined: Iterable[ReasoningPath], scores: Iterable[Score], comparisons: Iterable[Comparison],
           tables: Iterable[Table], critiques: tuple[Iterable[Critique], ...],
           continued: tuple[Iterable[StepCorrection], ...] = ()) -> Iterator[Comparison]:
    """Writes `report.html` and `table.txt`; the rows are the comparisons that the headline is made of."""
    right, used = _right(settings, examined), parents(sets)
    named, beginning = context.beginning()
    data = ReportData(
        title=settings.title, baseline=settings.baseline, versions=tuple(versions().items()), bill=context.bill(),
        arms=tuple(_arms(settings, right, accounts, trained, list(scores), context.price)),
        headline=_compared(right, settings.headline, settings.baseline),
        control=_compared(right, settings.headline, settings.control),
        pairs=tuple(_compared(right, *pair) for pair in settings.pairs
                    if pair != (settings.headline, settings.control)),
        disagreement=_disagreement(right),
        funnels=tuple(funnels(settings, questions, graded, verified, used, critiques, continued)),
        gallery=_gallery(context, questions[0], graded[0], verified[0]) if verified else (),
        made=_made(context),
        elsewhere=tuple(row.p_value for row in comparisons if row.test_set),
        tables=(*tables, *rating_tables(context.run_folder)),
        curves=tuple(training_curves(context.run_folder, settings.examined)),
        config=(context.run_folder / "config.toml").read_text(encoding="utf-8"),
        named=named, checked=(beginning, *_looks(context, settings.split)), notes=(*NOTES, *_overlong(accounts),
               *_hinted(filter(attrgetter("verified"), chain.from_iterable(verified)))))
    (context.folder / "report.html").write_text(render(data), encoding="utf-8")
    (context.folder / "table.md").write_text(markdown(data), encoding="utf-8")
    (context.folder / "table.txt").write_text("\n".join(table(data)) + "\n", encoding="utf-8")
    planned = {(settings.headline, settings.baseline), *settings.pairs}
    for comparison in comparisons:
        if not comparison.test_set and (comparison.arm, comparison.baseline) in planned:
            yield comparison


def funnels(settings: ReportOneConfig, questions: tuple[Iterable[Question], ...],
            graded: tuple[Iterable[ReasoningPath], ...], verified: tuple[Iterable[Correction], ...],
            used: np.ndarray, critiques: tuple[Iterable[Critique], ...],
            continued: tuple[Iterable[StepCorrection], ...]) -> Iterator[Funnel]:
    """Round by round; rounds without corrections come last."""
    rounds = zip_longest(settings.rounds, questions, graded, verified, continued, fillvalue=())
    for name, new, paths, corrections, steps in rounds:
        yield funnel(name or FIRST, new, paths, corrections, used, settings.seeds.get(name, 0))
        yield from one_step_funnel(name or FIRST, paths, steps, used)
        yield from critique_funnels(name or FIRST, paths, chain.from_iterable(critiques), used)


def _looks(context: StageContext, split: str) -> Iterator[str]:
    """How often the questions of the examination were looked at before, by what the run's folder holds."""
    if split != "test":
        yield f"The questions are of the {split} split: settings may be chosen on them, and no claim made."
        return
    yield said_of_looks(context.run_folder, look(context.run_folder, context.examined_as()))


def _overlong(accounts: Iterable[Account]) -> Iterator[str]:
    """What must be said where rows were left out."""
    for line in too_long(accounts):
        yield f"Rows {line}."


def _hinted(kept: Iterable[Correction]) -> Iterator[str]:
    """What must be said where the corrector was told gold answers."""
    hints = Counter(map(attrgetter("hint"), kept))
    if hints["answer"]:
        yield (f"On a second try the corrector was told the gold answer: {hints['answer']:,} of the "
               f"{hints.total():,} kept corrections come from such a try.")


def _right(settings: ReportOneConfig, examined: Iterable[ReasoningPath]) -> dict[str, np.ndarray]:
    """Arm to 0/1 [seeds, questions], the questions in the order of their ids; the student before under "" ."""
    answers = by_question((path.model, path.question, path.verdict == "right") for path in examined)
    by_arm: dict[str, list[np.ndarray]] = defaultdict(list)
    for model, arm, _ in (*settings.examined, (settings.base, "", 0)):
        by_arm[arm].append(answers.get(model, np.zeros(0, bool)))
    return {arm: np.array(rows) for arm, rows in by_arm.items()}


def _arms(settings: ReportOneConfig, right: dict[str, np.ndarray], accounts: Iterable[Account],
          trained: tuple[Iterable[Checkpoint], ...], scores: list[Score], price: Prices) -> Iterator[Arm]:
    yield Arm(name="(before)", description=f"{settings.base}, as every arm finds it", accuracy=accuracy(right[""]))
    by_name = {checkpoint.name: checkpoint for checkpoint in chain.from_iterable(trained)}
    for account in accounts:
        seeds = [by_name[model] for model, arm, _ in settings.examined if arm == account.arm]
        yield Arm(
            name=account.arm, description=settings.about.get(account.arm, ""), examples=account.examples,
            unique_questions=account.questions, prompt_tokens=account.prompt_tokens,
            trained_tokens=round(sum(map(attrgetter("tokens"), seeds)) / len(seeds)),
            epochs=sum(map(attrgetter("examples"), seeds)) / len(seeds) / account.examples,
            teacher_tokens=account.teacher_tokens, teacher_prompt_tokens=read_for(account),
            student_tokens=account.student_tokens, shared=account.shared,
            dollars=dollars_for(account, price, cached=False),
            accuracy=accuracy(right[account.arm]), levels=_levels(account.arm, scores),
            difference=None if account.arm == settings.baseline else
            difference(right[account.arm], right[settings.baseline]))


def _levels(arm: str, scores: list[Score]) -> tuple[LevelScore, ...]:
    of_level: dict[int, list[Score]] = defaultdict(list)
    for score in scores:
        if score.arm == arm and score.level is not None:
            of_level[score.level].append(score)
    levels = []
    for level, several in sorted(of_level.items()):
        mean = sum(map(attrgetter("accuracy"), several)) / len(several)
        levels.append(LevelScore(level, several[0].questions, mean))
    return tuple(levels)


def _compared(right: dict[str, np.ndarray], arm: str | None, other: str | None) -> PlannedComparison | None:
    if arm is None or other is None or arm == other:
        return None
    return PlannedComparison(arm, other, difference(right[arm], right[other]))


def _disagreement(right: dict[str, np.ndarray]) -> float | None:
    """On how many questions two seeds of one arm disagree, the mean over the arms; None with one seed."""
    shares = [disagreement(rows) for arm, rows in right.items() if arm and len(rows) > 1]
    return sum(shares) / len(shares) if shares else None


def _gallery(context: StageContext, questions: Iterable[Question], graded: Iterable[ReasoningPath],
             verified: Iterable[Correction]) -> tuple[ShownCorrection, ...]:
    def answers_of(question: Question) -> object:
        return answers_to(context.task, question.choices)

    return gallery(context.folder, answers_of, questions, graded, verified)


def _made(context: StageContext) -> tuple[str, ...]:
    """When the report was made, how long its stages took, and where."""
    seconds = sum((stage.record() or {}).get("seconds", 0.0) for stage in context.before)
    minutes = f"{seconds / 60:,.0f} minutes" if seconds >= 90 else f"{seconds:,.0f} seconds"
    return time.strftime("%Y-%m-%d", time.gmtime()), f"{minutes} of work in its stages", machine()


def rating_tables(run: Path) -> Iterator[Table]:
    """What people think of the corrections, by corrector, and how far they agree."""
    ratings = ratings_of(run)
    if not ratings:
        return
    rows = tuple((f"{row.corrector} (by {row.rater})", row.excellent, row.good, row.poor,
                  row.excellent / row.total, row.poor / row.total) for row in by_corrector(ratings) if row.total)
    remarks = tuple(
        f"{' and '.join(row.raters)} rated {row.both:,} alike in {row.same:,} cases"
        + ("." if row.kappa is None else f"; Cohen's kappa {row.kappa:.2f}.") for row in agreements(ratings))
    rejected = len({row.correction for row in ratings if row.rejected})
    if rejected:
        remarks += (f"{rejected:,} corrections were rejected by hand and are trained on by no arm.",)
    if rows:
        yield Table(name="What people think of the corrections", rows=rows, remarks=remarks,
                    about="; ".join(f"{name}: {words}" for name, words in MEANING.items()),
                    columns=(("corrector", "text"), ("excellent", "count"), ("good", "count"), ("poor", "count"),
                             ("excellent, %", "percent"), ("poor, %", "percent")))
