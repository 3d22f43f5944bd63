"""What was answered at all, and what several answers to a question make: no answer, cut off, pass@k, maj@k."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from lema.report.tables import Table
from lema.statistics.scores import Score

BEFORE = "(before)"  # the untrained student, in every table


def answer_tables(scores: Iterable[Score], temperature: float, test_set: str = "") -> Iterator[Table]:
    """The shares of answers that say nothing, and with several answers a question what they say together."""
    where = f" on {test_set}" if test_set else ""
    by_arm: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.level is None:
            by_arm[score.arm].append(score)
    if by_arm:
        yield _said_nothing(by_arm, where)
    if any(score.texts > score.questions for several in by_arm.values() for score in several):
        yield _samples(by_arm, temperature, where)


def _said_nothing(by_arm: dict[str, list[Score]], where: str) -> Table:
    rows = []
    for arm, scores in by_arm.items():
        texts = sum(score.texts or score.questions for score in scores)
        shares = [sum(map(attrgetter(what), scores)) / texts for what in ("no_answer", "truncated", "ungradable")]
        rows.append((arm or BEFORE, texts, *shares))
    return Table(
        name=f"Answers{where}", detail=bool(where),
        about="Per cent of all answers that count as not right because they say nothing.",
        columns=(("arm", "text"), ("answers", "count"), ("without an answer", "percent"), ("cut off", "percent"),
                 ("ungradable", "percent")), rows=tuple(rows))


def _samples(by_arm: dict[str, list[Score]], temperature: float, where: str) -> Table:
    every = [score for scores in by_arm.values() for score in scores]
    tries = sorted(set.intersection(*(set(score.pass_at) for score in every)))[1:]
    rows = []
    for arm, scores in by_arm.items():
        rows.append((arm or BEFORE, _mean(scores, lambda score: score.accuracy),
                     _mean(scores, attrgetter("draw_deviation")),
                     *(_mean(scores, lambda score, k=k: score.pass_at[k]) for k in tries),
                     _mean(scores, attrgetter("majority"))))
    most = max(score.texts / score.questions for score in every)
    return Table(
        name=f"Samples{where}", about=(
            f"{most:.0f} answers to each question at temperature {temperature:g}, the mean over seeds, %. "
            "Accuracy is the mean over questions of the share of right answers; ± is the deviation of one answer "
            "a question drawn at this temperature; pass@k is the unbiased chance that one of k is right, maj@k "
            "the accuracy of the most frequent answer."),
        columns=(("arm", "text"), ("accuracy", "percent"), ("± of a draw", "percent"),
                 *((f"pass@{k}", "percent") for k in tries), (f"maj@{most:.0f}", "percent")), rows=tuple(rows))


def _mean(scores: Sequence[Score], figure) -> float | None:
    values = list(map(figure, scores))
    return None if None in values else sum(values) / len(values)
