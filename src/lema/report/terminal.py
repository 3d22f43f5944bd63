"""The comparison as fixed-width text: for the terminal, the README and mails.

One design decision: the lines are plain text of at most 80 columns with the reading under the figures, so that
whoever copies the table copies its honesty with it.
"""

import textwrap
from itertools import chain, groupby

from lema.figures import deviation, p_value, percent, tokens, unbroken
from lema.report import Arm, Family, ReportData, claims, family
from lema.report.sets import alike
from lema.report.tables import all_in_text
from lema.statistics import bracket, points

WIDTH = 80
NAME = 16  # a longer name gets a line of its own
WIDTHS = (8, 8, 9, 6, 15, 6)  # of the columns behind it
BEHIND = (8, 15, 15, 9)  # of the second table's
ORDER = ("better", "better with this seed", "no difference shown", "worse with this seed", "worse")


def table(data: ReportData) -> list[str]:
    """The table, what its columns mean, the reading of every row, the headline and its control."""
    if not data.arms:
        return ["no arm has been examined yet"]
    every = family(data)
    lines = [_line(("", "tokens", "teacher", "%", "", "", "least")), _line(
        ("arm", "trained", "tokens", "± seeds", "diff", "95 % interval", "shown"))]
    lines.append("-" * len(lines[-1]))
    for arm in data.arms:
        lines += _row(arm, data.baseline, every)
    behind = [_line(("behind it", "examples", "over questions", "over seeds", "p (Holm)"), BEHIND)]
    behind.append("-" * len(behind[-1]))
    for arm in data.judged:
        behind += _row_behind(arm, data.baseline, every)
    same = alike({arm.name: (arm.examples, arm.shared) for arm in data.arms})
    return [*lines, "", *behind, "", *_legend(data), *chain.from_iterable(map(_wrap, same)), *_readings(data),
            *_headline(data, every), *all_in_text([each for each in data.tables if not each.detail])]


def _row(arm: Arm, baseline: str, every: Family) -> list[str]:
    spread = f"{percent(arm.accuracy.mean)} ±{deviation(arm.accuracy.deviation)}"
    cells = [tokens(arm.trained_tokens), tokens(arm.teacher_tokens), spread]
    if arm.difference is None:
        cells += ["base" if arm.name == baseline else "–", "", ""]
    else:
        interval = bracket(arm.difference.crossed) if arm.difference.crossed else "one seed"
        cells += [points(arm.difference.mean), interval, percent(every.detectable(arm.name, baseline))]
    return _named(arm.name, cells, WIDTHS)


def _row_behind(arm: Arm, baseline: str, every: Family) -> list[str]:
    cells = [f"{arm.examples:,}"]
    if arm.difference is None:
        cells += ["", "", ""]
    else:
        over_seeds = bracket(arm.difference.over_seeds) if arm.difference.over_seeds else "one seed"
        cells += [bracket(arm.difference.over_questions), over_seeds, p_value(every.p_values[arm.name, baseline])]
    return _named(arm.name, cells, BEHIND)


def _named(name: str, cells: list[str], widths: tuple[int, ...]) -> list[str]:
    return [_line([name, *cells], widths)] if len(name) <= NAME else [*_wrap(name), _line(["", *cells], widths)]


def _line(cells: list[str] | tuple[str, ...], widths: tuple[int, ...] = WIDTHS) -> str:
    return "  ".join([cells[0].ljust(NAME), *map(str.rjust, cells[1:], widths)]).rstrip()


def _wrap(text: str, indent: str = "") -> list[str]:
    """Lines of at most 80 columns; intervals and "no difference shown" are never broken apart."""
    whole = unbroken(text).replace("no difference shown", "no\xa0difference\xa0shown")
    lines = textwrap.wrap(
        whole, WIDTH, initial_indent=indent, subsequent_indent=2 * indent, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def _legend(data: ReportData) -> list[str]:
    seeds = "one seed" if data.seeds == 1 else f"{data.seeds} seeds"
    text = (f"{data.arms[0].accuracy.questions:,} test questions, {seeds}. Differences are percent points against "
            f"{data.baseline}, paired, questions and seeds both drawn at random; behind it the same with only one "
            "of the two; ± is the standard deviation over seeds. Least shown: the smallest true difference that "
            "this design shows in four runs of five.")
    if data.disagreement is not None:
        text += f" Two seeds of one arm disagree on {percent(data.disagreement)} % of the questions."
    if data.seeds < 5:
        text += " With so few seeds the chance between trainings is known badly."
    return _wrap(text)


def _readings(data: ReportData) -> list[str]:
    """The arms by what can be said of them; losses and ties stand as plainly as wins."""
    by_arm = claims(data)
    names = sorted(by_arm, key=lambda name: ORDER.index(by_arm[name]))
    lines = []
    for claim, group in groupby(names, key=by_arm.__getitem__):
        lines += _wrap(f"{claim}: {', '.join(group)}", indent="  ")
    if not lines:
        return []
    total = family(data).total
    several = f", Holm-corrected for {total} comparisons" if total > 1 else ""
    return [*_wrap(f"Against {data.baseline}{several}:"), *lines]


def _headline(data: ReportData, every: Family) -> list[str]:
    lines = []
    for comparison in filter(None, (data.headline, data.control, *data.pairs)):
        lines += ["", *_wrap(every.sentence(comparison.arm, comparison.baseline))]
    if data.headline and not data.control:
        lines += ["", "No arm spent the same teacher tokens otherwise: what they would buy is not known."]
    return lines
