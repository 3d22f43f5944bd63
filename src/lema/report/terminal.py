"""The comparison as fixed-width text: for the terminal, the README and mails.

One design decision: the lines are plain text of at most 100 columns with the reading under the figures, so that
whoever copies the table copies its honesty with it.
"""

import textwrap
from itertools import groupby

from lema.figures import deviation, percent, tokens, unbroken
from lema.report import Arm, ReportData, claims
from lema.statistics import bracket, points

WIDTH = 100
NAME = 20  # a longer name gets a line of its own
WIDTHS = (8, 7, 7, 9, 6, 14, 14)  # of the columns behind it
ORDER = ("better", "better on these questions", "no difference shown", "worse on these questions", "worse")


def table(data: ReportData) -> list[str]:
    """The table, what its columns mean, the reading of every row, the headline and its control."""
    if not data.arms:
        return ["no arm has been examined yet"]
    lines = [_line(("", "", "tokens", "tokens", "%", "", "95 %", "95 %")), _line(
        ("arm", "examples", "trained", "teacher", "± seeds", "diff", "over questions", "over seeds"))]
    lines.append("-" * len(lines[-1]))
    for arm in data.arms:
        lines += _row(arm, data.baseline)
    return [*lines, "", *_legend(data), *_readings(data), *_headline(data)]


def _row(arm: Arm, baseline: str) -> list[str]:
    spread = f"{percent(arm.accuracy.mean)} ±{deviation(arm.accuracy.deviation)}"
    cells = [arm.name, f"{arm.examples:,}", tokens(arm.trained_tokens), tokens(arm.teacher_tokens), spread]
    difference = arm.difference
    if difference is None:
        cells += ["base" if arm.name == baseline else "–", "", ""]
    else:
        over_seeds = bracket(difference.over_seeds) if difference.over_seeds else "one seed"
        cells += [points(difference.mean), bracket(difference.over_questions), over_seeds]
    if len(arm.name) <= NAME:
        return [_line(cells)]
    return [*_wrap(arm.name), _line(["", *cells[1:]])]


def _line(cells: list[str] | tuple[str, ...]) -> str:
    line = cells[0].ljust(NAME)
    for cell, width in zip(cells[1:], WIDTHS, strict=True):
        line += "  " + cell.rjust(width)
    return line.rstrip()


def _wrap(text: str, indent: str = "") -> list[str]:
    """Lines of at most 100 columns; intervals and "no difference shown" are never broken apart."""
    whole = unbroken(text).replace("no difference shown", "no\xa0difference\xa0shown")
    lines = textwrap.wrap(
        whole, WIDTH, initial_indent=indent, subsequent_indent=2 * indent, break_on_hyphens=False)
    return [line.replace("\xa0", " ") for line in lines]


def _legend(data: ReportData) -> list[str]:
    seeds = "one seed" if data.seeds == 1 else f"{data.seeds} seeds"
    return _wrap(
        f"{data.arms[0].accuracy.questions:,} test questions, {seeds}. Differences are percent points against "
        f"{data.baseline}, paired; ± is the standard deviation over seeds.")


def _readings(data: ReportData) -> list[str]:
    """The arms by what can be said of them; losses and ties stand as plainly as wins."""
    by_arm = claims(data)
    names = sorted(by_arm, key=lambda name: ORDER.index(by_arm[name]))
    lines = []
    for claim, group in groupby(names, key=by_arm.__getitem__):
        lines += _wrap(f"{claim}: {', '.join(group)}", indent="  ")
    if not lines:
        return []
    several = f", Holm-corrected for {len(by_arm)} comparisons" if len(by_arm) > 1 else ""
    return [*_wrap(f"Against {data.baseline}{several}:"), *lines]


def _headline(data: ReportData) -> list[str]:
    lines = []
    for comparison in (data.headline, data.control):
        if comparison:
            lines += ["", *_wrap(comparison.sentence)]
    if data.headline and not data.control:
        lines += ["", "No arm spent the same teacher tokens otherwise: what they would buy is not known."]
    return lines
