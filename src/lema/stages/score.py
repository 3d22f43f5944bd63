"""Scores: how many answers of each model are right, level by level, and how the arms compare.

    60 × {"model": "lema-1", "verdict": "wrong", …} → {"arm": "lema", "seed": 1, "questions": 60, "right": 3, …}

One design decision: everything unanswered, truncated or ungradable counts as not right and is shown beside, so
that no denominator is ever smaller than the question set.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np

from lema.config import Config, EvaluateConfig, ScoreConfig, TrainOneConfig
from lema.records import Question, ReasoningPath
from lema.report.answers import by_question
from lema.runs.context import StageContext
from lema.scratch import by_id
from lema.statistics import Difference, difference, holm, reading
from lema.statistics.average import AVERAGE, average_difference
from lema.statistics.samples import deviation_of_one_draw, majority, pass_at, tries_shown
from lema.statistics.scores import Comparison, Score
from lema.tasks import answers_to

VERSION = 4


def scoring(config: Config, trained: Iterable[TrainOneConfig]) -> ScoreConfig:
    """Which examined model is which arm and seed, and what is compared: every arm with the baseline, the headline
    with its control, and the further pairs of the config."""
    baseline, planned = config.report.baseline or next(iter(config.arms)), list(config.report.pairs)
    if config.report.control:
        planned.insert(0, (config.headline, config.report.control))
    pairs = tuple(pair for pair in dict.fromkeys(planned) if pair[1] not in (baseline, pair[0]))
    examined = tuple((f"{each.arm}-{each.seed}", each.arm, each.seed) for each in trained)
    return ScoreConfig(base=config.train.base, examined=examined, baseline=baseline, pairs=pairs,
                       sets=tuple(config.evaluate.sets), average=config.evaluate.average)


def scoring_of(evaluate: EvaluateConfig) -> ScoreConfig:
    """The same where nothing is trained: every model is an arm of one seed, the first is the baseline."""
    return ScoreConfig(examined=tuple((model, model, 0) for model in evaluate.models), baseline=evaluate.models[0],
                       sets=tuple(evaluate.sets), average=evaluate.average)


def score(context: StageContext, settings: ScoreConfig, questions: Iterable[Question],
          examined: Iterable[ReasoningPath]) -> Iterator[Score]:
    """For the untrained student and every arm and seed the whole examination (level None), then each level."""
    arms = {settings.base: ("", 0)} if settings.base else {}
    arms |= {model: (arm, seed) for model, arm, seed in settings.examined}
    scores: dict[str, list[Score]] = {}
    with by_id(context.folder, Question, questions) as texts:
        for model, paths in groupby(examined, attrgetter("model")):  # one stage asks one model
            answered: dict[str, list[ReasoningPath]] = defaultdict(list)
            for path in paths:
                answered[path.question].append(path)
            if model in arms:
                each = [_Answered.of(context, texts.get(name), several) for name, several in answered.items()]
                scores[model] = list(_by_level(*arms[model], each))
    for model in arms:
        yield from scores.get(model, ())


class _Answered(NamedTuple):
    """One question with what a model made of it."""

    level: int | None
    verdicts: Counter
    vote: float  # the chance that the most frequent answer is right

    @classmethod
    def of(cls, context: StageContext, question: Question, paths: list[ReasoningPath]) -> "_Answered":
        verdicts = Counter(map(attrgetter("verdict"), paths))
        vote = float(verdicts["right"])
        if len(paths) > 1:
            agree = answers_to(context.task, question.choices).agree
            vote = majority(verdicts["right"], votes(paths, agree))
        return cls(question.level, verdicts, vote)


def votes(paths: Iterable[ReasoningPath], agree: Callable[[str, str], bool]) -> list[int]:
    """How many of the paths that are not right state each answer, most often stated first; answers that `agree`
    are one. What states none, or was cut off, has no vote."""
    stated = Counter(path.answer for path in paths
                     if path.answer is not None and path.verdict in ("wrong", "ungradable"))
    classes: dict[str, int] = {}
    for answer, count in stated.most_common():
        same = next((other for other in classes if agree(answer, other)), answer)
        classes[same] = classes.get(same, 0) + count
    return sorted(classes.values(), reverse=True)


def _by_level(arm: str, seed: int, answered: list[_Answered]) -> Iterator[Score]:
    levels = sorted({each.level for each in answered} - {None})
    yield _score(arm, seed, None, answered)
    for level in levels:
        yield _score(arm, seed, level, [each for each in answered if each.level == level])


def _score(arm: str, seed: int, level: int | None, answered: list[_Answered]) -> Score:
    verdicts = [each.verdicts for each in answered]
    right, texts = np.array([v["right"] for v in verdicts]), np.array([v.total() for v in verdicts])
    sums, fewest = sum(verdicts, Counter()), int(texts.min())
    several = int(texts.max()) > 1
    tries = tries_shown(fewest) if several else ()
    return Score(
        arm=arm, seed=seed, level=level, questions=len(answered), right=math.fsum(right / texts),
        no_answer=sums["no_answer"], truncated=sums["truncated"], ungradable=sums["ungradable"],
        texts=sums.total(),
        pass_at={k: pass_at(right, texts, k) for k in tries},
        majority=math.fsum(map(attrgetter("vote"), answered)) / len(answered) if several else None,
        draw_deviation=deviation_of_one_draw(right, texts))


def compare(context: StageContext, settings: ScoreConfig, examined: Iterable[ReasoningPath],
            elsewhere: tuple[Iterable[ReasoningPath], ...] = ()) -> Iterator[Comparison]:
    """Every arm against the baseline, and the planned pairs, by question and seed, on each set of questions and,
    if wanted, on the average of all; one family for Holm."""
    if settings.baseline is None:
        return
    sets = {"": _right(examined), **dict(zip(settings.sets, map(_right, elsewhere), strict=True))}
    by_set = {name: list(_paired(settings, right)) for name, right in sets.items() if right}
    if settings.average:
        by_set[AVERAGE] = list(map(_over_sets, zip(*by_set.values(), strict=True)))
    every = [(name, each, each.difference) for name, several in by_set.items() for each in several]
    adjusted = holm([apart.p_value for *_, apart in every])
    for (name, each, apart), p_holm in zip(every, adjusted, strict=True):
        yield Comparison(
            arm=each.arm, baseline=each.other, test_set=name, mean=apart.mean,
            over_questions=tuple(apart.over_questions), crossed=tuple(apart.crossed) if apart.crossed else None,
            over_seeds=tuple(apart.over_seeds) if apart.over_seeds else None,
            seed_differences=apart.seed_differences, questions=apart.questions, seeds=each.seeds,
            p_value=apart.p_value, p_holm=p_holm, detectable=apart.detectable(len(every)),
            reading=reading(apart, p_holm, len(every)))


class _Pair(NamedTuple):
    """Two arms with the seeds that both were trained with; of each set of questions right answers of both."""

    arm: str
    other: str
    seeds: tuple[int, ...]
    strata: tuple[tuple[np.ndarray, np.ndarray], ...]

    @property
    def difference(self) -> Difference:
        return average_difference(self.strata) if len(self.strata) > 1 else difference(*self.strata[0])


def _over_sets(same: tuple[_Pair, ...]) -> _Pair:
    """Two arms on all sets."""
    return same[0]._replace(strata=tuple(chain.from_iterable(map(attrgetter("strata"), same))))


def _right(examined: Iterable[ReasoningPath]) -> dict[str, np.ndarray]:
    return by_question((path.model, path.question, path.verdict == "right") for path in examined)


def _paired(settings: ScoreConfig, right: dict[str, np.ndarray]) -> Iterator[_Pair]:
    """The comparisons of one set. Arms are paired by seed, which is what their trainings have in common."""
    models: dict[str, dict[int, str]] = defaultdict(dict)
    for model, arm, seed in settings.examined:
        models[arm][seed] = model
    baseline = settings.baseline
    for arm, other in (*((arm, baseline) for arm in models if arm != baseline), *settings.pairs):
        seeds = tuple(filter(models[other].__contains__, models[arm]))
        pairs = [(right[models[arm][seed]], right[models[other][seed]]) for seed in seeds]
        if seeds:
            yield _Pair(arm, other, seeds, (tuple(map(np.array, zip(*pairs, strict=True))),))
