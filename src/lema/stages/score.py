"""Scores: how many answers of each model are right, level by level, and how the arms compare.

    60 × {"model": "lema-1", "verdict": "wrong", …} → {"arm": "lema", "seed": 1, "questions": 60, "right": 3, …}

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
from lema.scratch import by_id
from lema.statistics import difference, holm, reading

VERSION = 4


def scoring(config: Config, trained: Iterable[TrainOneConfig]) -> ScoreConfig:
    """Which examined model is which arm and seed, and what is compared: every arm with the baseline, the headline
    with its control, and the further pairs of the config."""
    baseline, planned = config.report.baseline or next(iter(config.arms)), list(config.report.pairs)
    if config.report.control:
        planned.insert(0, (config.headline, config.report.control))
    pairs = tuple(pair for pair in dict.fromkeys(planned) if pair[1] not in (baseline, pair[0]))
    return ScoreConfig(examined=tuple((f"{each.arm}-{each.seed}", each.arm, each.seed) for each in trained),
                       baseline=baseline, pairs=pairs)


def score(context: StageContext, settings: ScoreConfig, questions: Iterable[Question],
          examined: Iterable[ReasoningPath]) -> Iterator[Score]:
    """For every arm and seed the whole examination (level None), then each level."""
    verdicts: dict[str, dict[int | None, Counter]] = defaultdict(lambda: defaultdict(Counter))
    with by_id(context.folder, Question, questions) as texts:
        for path in examined:
            for level in {None, texts.get(path.question).level}:
                verdicts[path.model][level][path.verdict] += 1
    for model, arm, seed in settings.examined:
        for level in sorted(verdicts[model], key=lambda level: -1 if level is None else level):
            sums = verdicts[model][level]
            yield Score(arm=arm, seed=seed, level=level, questions=sums.total(), right=sums["right"],
                        no_answer=sums["no_answer"], truncated=sums["truncated"], ungradable=sums["ungradable"])


def compare(context: StageContext, settings: ScoreConfig,
            examined: Iterable[ReasoningPath]) -> Iterator[Comparison]:
    """Every arm against the baseline, and the planned pairs, by question and seed; one family for Holm."""
    baseline = settings.baseline
    if baseline is None:
        return
    right = by_question((path.model, path.question, path.verdict == "right") for path in examined)
    models: dict[str, dict[int, str]] = defaultdict(dict)
    for model, arm, seed in settings.examined:
        models[arm][seed] = model
    # Arms are paired by seed, which is what their trainings have in common.
    paired = []
    for arm, other in (*((arm, baseline) for arm in models if arm != baseline), *settings.pairs):
        seeds = tuple(filter(models[other].__contains__, models[arm]))
        pairs = [(right[models[arm][seed]], right[models[other][seed]]) for seed in seeds]
        if seeds:
            paired.append((arm, other, seeds, difference(*map(np.array, zip(*pairs, strict=True)))))
    adjusted = holm([apart.p_value for *_, apart in paired])
    for (arm, other, seeds, apart), p_holm in zip(paired, adjusted, strict=True):
        yield Comparison(
            arm=arm, baseline=other, mean=apart.mean, over_questions=tuple(apart.over_questions),
            crossed=tuple(apart.crossed) if apart.crossed else None,
            over_seeds=tuple(apart.over_seeds) if apart.over_seeds else None,
            seed_differences=apart.seed_differences, questions=apart.questions, seeds=seeds,
            p_value=apart.p_value, p_holm=p_holm, detectable=apart.detectable(len(paired)),
            reading=reading(apart, p_holm, len(paired)))
