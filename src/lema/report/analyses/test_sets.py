"""Several test sets of one model: a column a set, their average where it is wanted, what the differences bear."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter

from lema.config import AnalyseConfig
from lema.report.analyses.answers import BEFORE
from lema.report.tables import Cell, Table
from lema.statistics.average import AVERAGE
from lema.statistics.scores import Comparison, Score

MARK = " *"


def set_tables(settings: AnalyseConfig, own: Iterable[Score], elsewhere: Sequence[Iterable[Score]],
               comparisons: Iterable[Comparison]) -> Iterator[Table]:
    """Nothing where there is one set only, which the comparison itself is about."""
    if not settings.sets:
        return
    sets = {settings.own: own} if settings.own else {}
    sets |= dict(zip(settings.sets, elsewhere, strict=True))
    yield _accuracies(settings, {name: _by_arm(scores) for name, scores in sets.items()})
    yield from _differences(settings, comparisons)


def _by_arm(scores: Iterable[Score]) -> dict[str, list[Score]]:
    by_arm: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        if score.level is None:
            by_arm[score.arm].append(score)
    return by_arm


def _accuracies(settings: AnalyseConfig, sets: dict[str, dict[str, list[Score]]]) -> Table:
    rows = []
    for arm in dict.fromkeys(arm for scores in sets.values() for arm in scores):
        means: list[Cell] = []
        for scores in sets.values():
            means.append(sum(map(attrgetter("accuracy"), scores[arm])) / len(scores[arm]))
        rows.append((arm or BEFORE, *means, *([sum(means) / len(means)] if settings.average else [])))
    heads = [f"{name}{MARK if name in settings.out_of_distribution else ''}" for name in sets]
    counts = [f"{scores[0].questions:,} of {name}" for name, by_arm in sets.items()
              for scores in list(by_arm.values())[:1]]
    about = f"Accuracy in %, the mean over seeds; questions: {', '.join(counts)}."
    if settings.out_of_distribution:
        about += f"{MARK} out of distribution: another task than the arms train on, or said to be by the config."
    return Table(name="Test sets", about=about, rows=tuple(rows), columns=(
        ("arm", "text"), *((head, "percent") for head in heads), *([(AVERAGE, "percent")] * settings.average)))


def _differences(settings: AnalyseConfig, comparisons: Iterable[Comparison]) -> Iterator[Table]:
    """What each arm gains against the baseline on the further sets. All comparisons of the run are one family."""
    rows, total = [], 0
    for row in comparisons:
        total += 1
        if row.test_set:
            low, high = row.crossed or row.over_questions
            name = f"{row.arm} − {row.baseline}, {row.test_set}"
            rows.append((name, row.mean, low, high, row.detectable, row.p_holm, _claim(row)))
    if rows:
        yield Table(
            name="Differences on the test sets", about=(
                f"Percent points, paired; Holm-corrected for all {total} comparisons of the run."),
            columns=(("arms", "text"), ("diff", "points"), ("95 % from", "points"), ("to", "points"),
                     ("least shown", "percent"), ("p (Holm)", "p"), ("reading", "text")), rows=tuple(rows))


def _claim(row: Comparison) -> str:
    """"better", "worse" or "no difference shown", as the comparison's own sentence says it."""
    return "none shown" if row.reading.startswith("no difference") else row.reading.split()[0]
