"""Scores: how many answers of each model are right, level by level, and how the arms compare.

One design decision: everything unanswered, truncated or ungradable counts as not right and is shown beside, so
that no denominator is ever smaller than the question set.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

from lema.config import Config, ScoreConfig, TrainOneConfig
from lema.records import Comparison, Question, ReasoningPath, Score
from lema.report.answers import by_question
from lema.runs.context import StageContext
from lema.scratch import ScratchTable
from lema.statistics import difference, holm, reading

VERSION = 2


def scoring(config: Config, trained: Iterable[TrainOneConfig]) -> ScoreConfig:
    """Which examined model is which arm and seed."""
    return ScoreConfig(examined=tuple((f"{one.arm}-{one.seed}", one.arm, one.seed) for one in trained),
                       baseline=config.report.baseline or next(iter(config.arms)))


def score(context: StageContext, settings: ScoreConfig, questions: Iterable[Question],
          examined: Iterable[ReasoningPath]) -> Iterator[Score]:
    """For every arm and seed the whole examination (level None), then each level."""
    verdicts: dict[str, dict[int | None, Counter]] = defaultdict(lambda: defaultdict(Counter))
    with ScratchTable(context.folder, Question) as asked:
        asked.fill((question.id, question) for question in questions)
        for path in examined:
            for level in {None, asked.get(path.question).level}:
                verdicts[path.model][level][path.verdict] += 1
    for model, arm, seed in settings.examined:
        for level in sorted(verdicts[model], key=lambda level: -1 if level is None else level):
            counted = verdicts[model][level]
            yield Score(arm=arm, seed=seed, level=level, questions=counted.total(), right=counted["right"],
                        no_answer=counted["no_answer"], truncated=counted["truncated"],
                        ungradable=counted["ungradable"])


def compare(context: StageContext, settings: ScoreConfig, examined: Iterable[ReasoningPath]) -> Iterator[Comparison]:
    """Every arm against the baseline, paired by question and seed."""
    right = by_question((path.model, path.question, path.verdict == "right") for path in examined)
    baseline = settings.baseline
    if baseline is None:
        return
    models = {(arm, seed): model for model, arm, seed in settings.examined}
    arms = list(dict.fromkeys(arm for _, arm, _ in settings.examined if arm != baseline))
    found = []
    for arm in arms:
        seeds = tuple(seed for _, a, seed in settings.examined if a == arm and (baseline, seed) in models)
        if seeds:
            ours = np.array([right[models[arm, seed]] for seed in seeds])
            theirs = np.array([right[models[baseline, seed]] for seed in seeds])
            found.append((arm, seeds, difference(ours, theirs)))
    adjusted = holm([paired.p_value for _, _, paired in found])
    for (arm, seeds, paired), p_holm in zip(found, adjusted, strict=True):
        yield Comparison(
            arm=arm, baseline=baseline, mean=paired.mean, over_questions=tuple(paired.over_questions),
            over_seeds=tuple(paired.over_seeds) if paired.over_seeds else None,
            seed_differences=paired.seed_differences, questions=paired.questions, seeds=seeds,
            p_value=paired.p_value, p_holm=p_holm, reading=reading(paired, p_holm))
