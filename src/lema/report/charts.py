"""The page's drawings, as inline SVG.

One design decision: every chart is written by hand, mark by mark, with classes for its colours, so that the page
needs no script and no network, prints, and follows the reader's light or dark. Names pass through Markup.format,
which escapes them.
"""

import math
import textwrap
from collections.abc import Callable, Iterable

from markupsafe import Markup

from lema.figures import percent
from lema.report import Arm
from lema.statistics import Difference, Interval, Verdict, bracket, points, verdict

WIDTH, LABELS, VALUES = 480, 138, 52  # of a chart with rows: all, the names at its left, the figures at its right
ROW, TOP, BOTTOM = 36, 8, 30
Scale = Callable[[float], float]


def accuracies(arms: tuple[Arm, ...]) -> Markup:
    """Each arm's accuracy: its seeds as hollow dots, their mean as a tick, the Wilson interval as a band."""
    low = min(min(arm.accuracy.interval.low, *arm.accuracy.seeds) for arm in arms)
    high = max(max(arm.accuracy.interval.high, *arm.accuracy.seeds) for arm in arms)
    ticks = _ticks(low, high)
    x = _scale(min(low, ticks[0]), max(high, ticks[-1]))
    marks = [_grid(ticks, x, len(arms), percent)]
    for row, arm in enumerate(arms):
        y, found = _middle(row), arm.accuracy
        marks += [_name(arm.name, y), _line("band", x(found.interval.low), y, x(found.interval.high), y)]
        marks += [_dot("seed", x(share), y, 3.6) for share in found.seeds]
        marks += [_line("mean", x(found.mean), y - 9, x(found.mean), y + 9), _value(percent(found.mean), y)]
    return _svg(marks, len(arms), "Accuracy by arm in percent, with each seed and a 95 % interval")


def differences(arms: tuple[Arm, ...], adjusted: dict[str, float]) -> Markup:
    """Each judged arm less the baseline: interval over questions thick, over seeds thin, seeds as hollow dots."""
    shown = [arm.difference for arm in arms if arm.difference]
    ticks, x = difference_scale(shown, LABELS, WIDTH - VALUES)
    marks = [_grid(ticks, x, len(arms), lambda value: points(value).removesuffix(".0")),
             _line("zero", x(0), TOP, x(0), TOP + ROW * len(arms))]
    for row, arm in enumerate(arms):
        y = _middle(row)
        marks.append(_name(arm.name, y))
        if arm.difference is None:
            marks += [_dot("baseline", x(0), y, 4), _value("baseline", y)]
            continue
        claim = tone(verdict(arm.difference, adjusted.get(arm.name)))
        marks += [_span(arm.difference, x, y, claim), _value(points(arm.difference.mean), y)]
    return _svg(marks, len(arms), "Difference from the baseline in percent points, with 95 % intervals")


def difference_scale(shown: list[Difference], left: float, right: float) -> tuple[list[float], Scale]:
    """Ticks and a scale that hold zero, all question intervals and all seeds. An interval over two seeds can be
    many times wider: it is cut at the edge, with an arrowhead, instead of squeezing everything else."""
    ends = [0.0, *(end for one in shown for end in (*one.over_questions, *one.seed_differences))]
    reach = max(max(ends) - min(ends), 0.02)
    low, high = min(ends) - 0.12 * reach, max(ends) + 0.12 * reach
    ticks = [tick for tick in _ticks(low, high) if low <= tick <= high]
    return ticks, _scale(low, high, left, right)


def strip(found: Difference, others: list[Difference]) -> Markup:
    """One difference alone, on the scale that it shares with `others`, for beside the headline."""
    width, y = 380, 18
    ticks, x = difference_scale([found, *others], 8, width - 8)
    marks = [_line("zero", x(0), 4, x(0), 34), _line("axis", 8, 34, width - 8, 34)]
    for tick in ticks:
        marks += [_line("tick", x(tick), 34, x(tick), 38),
                  _text("scale", x(tick), 52, "middle", points(tick).removesuffix(".0"))]
    marks.append(_span(found, x, y, tone(verdict(found))))
    label = f"{points(found.mean)} points, {bracket(found.over_questions)} over questions"
    return Markup('<svg class="chart strip" viewBox="0 0 {} 58" role="img" aria-label="{}">{}</svg>').format(
        width, label, Markup("").join(marks))


def tone(claim: Verdict) -> str:
    """The colour of a verdict: its own for what is sure, a paler one for what holds on these questions only."""
    if claim == "no difference shown":
        return "tie"
    return "leaning" if claim.endswith("on these questions") else claim


def levels(arm: Arm, baseline: Arm | None) -> Markup:
    """An arm's accuracy over the levels, the baseline's dashed behind it; always 0 to 100 %."""
    width, height, left, top, floor = 210, 132, 30, 8, 108
    known = sorted({score.level for score in (*arm.levels, *(baseline.levels if baseline else ()))})
    step = (width - left - 14) / max(1, len(known) - 1)
    place = {level: left + 4 + step * number for number, level in enumerate(known)}

    def y(share: float) -> float:
        return floor - (floor - top) * share

    marks = []
    for share in (0, 0.5, 1):
        marks += [_line("grid", left, y(share), width - 4, y(share)),
                  _text("scale", left - 6, y(share) + 4, "end", f"{100 * share:.0f}")]
    marks += [_text("scale", place[level], floor + 18, "middle", str(level)) for level in known]
    if baseline and baseline is not arm:
        marks.append(_path("behind", [(place[s.level], y(s.accuracy)) for s in baseline.levels]))
    marks.append(_path("front", [(place[s.level], y(s.accuracy)) for s in arm.levels]))
    marks += [_dot("point", place[s.level], y(s.accuracy), 2.8) for s in arm.levels]
    label = f"{arm.name} by level: " + ", ".join(f"{s.level}: {percent(s.accuracy)} %" for s in arm.levels)
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        width, height, label, Markup("").join(marks))


def bar(part: int, whole: int) -> Markup:
    """A stage's share of the largest stage of its funnel."""
    share = 100 * part / whole if whole else 0
    return Markup('<svg class="bar" aria-hidden="true"><rect width="{}%" height="100%"/></svg>').format(
        f"{min(100, share):.2f}")


def _span(found: Difference, x: Scale, y: float, claim: str) -> Markup:
    """The marks of one difference. `claim` is its colour (see `tone`), beside its place."""
    marks = []
    if found.over_seeds:
        marks.append(_whisker(found.over_seeds, x, y, claim))
    marks.append(_line(f"thick {claim}", x(found.over_questions.low), y, x(found.over_questions.high), y))
    marks += [_dot("seed", x(one), y, 3.2) for one in found.seed_differences if found.seeds > 1]
    return Markup("").join([*marks, _dot(f"centre {claim}", x(found.mean), y, 5)])


def _whisker(interval: Interval, x: Scale, y: float, claim: str) -> Markup:
    """A thin line with end ticks; an end beyond the scale gets an arrowhead instead."""
    marks, ends = [], []
    for value, outward in ((interval.low, -1), (interval.high, 1)):
        end = x(value)
        ends.append(end)
        beyond = end == x(outward * 9.0)  # the scale holds every value within its edges
        tip = [(end - outward * 5, y - 4), (end, y), (end - outward * 5, y + 4)] if beyond else [
            (end, y - 5), (end, y + 5)]
        marks.append(_path(f"thin {claim}", tip))
    return Markup("").join([_line(f"thin {claim}", ends[0], y, ends[1], y), *marks])


def _scale(low: float, high: float, left: float = LABELS, right: float = WIDTH - VALUES) -> Scale:
    width = (high - low) or 1.0
    return lambda value: left + (right - left) * min(1.0, max(0.0, (value - low) / width))


def _ticks(low: float, high: float) -> list[float]:
    """Round values from at or below `low` to at or above `high`, three to seven of them."""
    rough = max(high - low, 0.005) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(unit * power for unit in (1, 2, 5, 10) if unit * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def _middle(row: int) -> float:
    return TOP + ROW * (row + 0.5)


def _grid(ticks: list[float], x: Scale, rows: int, label: Callable[[float], str]) -> Markup:
    foot = TOP + ROW * rows
    marks = [_line("axis", LABELS, foot, WIDTH - VALUES, foot)]
    for tick in ticks:
        marks += [_line("grid", x(tick), TOP, x(tick), foot),
                  _text("scale", x(tick), foot + 17, "middle", label(tick).removesuffix(".0"))]
    return Markup("").join(marks)


def _name(name: str, y: float) -> Markup:
    """An arm's name at the left, in at most two lines; its whole is told on hovering."""
    lines = textwrap.wrap(name, 21, max_lines=2, placeholder=" …") or [""]
    first = y + 4.5 - 7.5 * (len(lines) - 1)
    return Markup("<g><title>{}</title>{}</g>").format(name, Markup("").join(
        _text("name", 0, first + 15 * number, "start", line) for number, line in enumerate(lines)))


def _value(text: str, y: float) -> Markup:
    return _text("value", WIDTH, y + 4.5, "end", text)


def _svg(marks: Iterable[Markup], rows: int, label: str) -> Markup:
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, TOP + ROW * rows + BOTTOM, label, Markup("").join(marks))


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x1, y1, x2, y2)


def _dot(kind: str, x: float, y: float, radius: float) -> Markup:
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>').format(kind, x, y, radius)


def _path(kind: str, through: list[tuple[float, float]]) -> Markup:
    return Markup('<polyline class="{}" points="{}"/>').format(
        kind, " ".join(f"{x:.1f},{y:.1f}" for x, y in through))


def _text(kind: str, x: float, y: float, anchor: str, text: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, text)
