"""The page's drawings, as inline SVG.

One design decision: every chart is written by hand, mark by mark, with classes for its colours, so that the page
needs no script and no network, prints, and follows the reader's light or dark. Names pass through Markup.format,
which escapes them.
"""

import math
import textwrap
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import starmap

from markupsafe import Markup

from lema.figures import percent
from lema.report import Arm, LevelScore, ReportData
from lema.report.curves import LossCurve
from lema.statistics import Difference, Interval, Verdict, bracket, points

WIDTH, LABELS, VALUES = 480, 138, 52  # of a chart with rows: all, the names at its left, the figures at its right
ROW, TOP, BOTTOM = 36, 8, 30
Scale = Callable[[float], float]


class Drawing:
    """The marks of one drawing, in the order in which they lie above each other."""

    def __init__(self) -> None:
        self._marks: list[Markup] = []

    def line(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        self._add('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>', kind, x1, y1, x2, y2)

    def dot(self, kind: str, x: float, y: float, radius: float) -> None:
        self._add('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{}"/>', kind, x, y, radius)

    def path(self, kind: str, through: Iterable[tuple[float, float]]) -> None:
        self._add('<polyline class="{}" points="{}"/>', kind, " ".join(starmap("{:.1f},{:.1f}".format, through)))

    def text(self, kind: str, x: float, y: float, anchor: str, text: str) -> None:
        self._add('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>', kind, x, y, anchor, text)

    def name(self, name: str, y: float) -> None:
        """An arm's name at the left of its row, in at most two lines; its whole is shown on hovering."""
        lines = textwrap.wrap(name, 21, max_lines=2, placeholder=" …") or [""]
        first = y + 4.5 - 7.5 * (len(lines) - 1)
        self._add("<g><title>{}</title>", name)
        for number, line in enumerate(lines):
            self.text("name", 0, first + 15 * number, "start", line)
        self._add("</g>")

    def figure(self, text: str, y: float) -> None:
        """What stands at the right of a row."""
        self.text("value", WIDTH, y + 4.5, "end", text)

    def svg(self, label: str, width: int, height: int, kind: str = "chart") -> Markup:
        return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
            kind, width, height, label, Markup("").join(self._marks))

    def svg_of_rows(self, label: str, rows: int) -> Markup:
        return self.svg(label, WIDTH, TOP + ROW * rows + BOTTOM)

    def _add(self, mark: str, *values: object) -> None:
        self._marks.append(Markup(mark).format(*values))  # which escapes them


def accuracies(arms: tuple[Arm, ...]) -> Markup:
    """Each arm's accuracy: its seeds as hollow dots, their mean as a tick, the Wilson interval as a band."""
    ends: list[float] = []
    for arm in arms:
        ends += [*arm.accuracy.interval, *arm.accuracy.seeds]
    ticks = ticks_of(min(ends), max(ends))
    x = scale(min(*ends, ticks[0]), max(*ends, ticks[-1]))
    drawing = Drawing()
    _grid(drawing, ticks, x, len(arms), percent)
    for row, arm in enumerate(arms):
        y, mean, interval = _middle(row), arm.accuracy.mean, arm.accuracy.interval
        drawing.name(arm.name, y)
        drawing.line("band", x(interval.low), y, x(interval.high), y)
        for share, aside in zip(arm.accuracy.seeds, _apart(list(map(x, arm.accuracy.seeds))), strict=True):
            drawing.dot("seed", x(share), y + aside, 3.2)
        drawing.line("mean", x(mean), y - 9, x(mean), y + 9)
        drawing.figure(percent(mean), y)
    return drawing.svg_of_rows("Accuracy by arm in percent, with each seed and a 95 % interval", len(arms))


def differences(data: ReportData, claims: dict[str, Verdict]) -> Markup:
    """Each judged arm less the baseline: its interval thick, that over seeds thin, seeds as hollow dots."""
    arms = data.judged
    ticks, x = differencescale(data.differences.values(), LABELS, WIDTH - VALUES)
    drawing = Drawing()
    _grid(drawing, ticks, x, len(arms), points)
    drawing.line("zero", x(0), TOP, x(0), TOP + ROW * len(arms))
    for row, arm in enumerate(arms):
        y = _middle(row)
        drawing.name(arm.name, y)
        if arm.difference is None:
            drawing.dot("baseline", x(0), y, 4)
            drawing.figure("baseline", y)
            continue
        _span(drawing, arm.difference, x, y, tone(claims[arm.name]))
        drawing.figure(points(arm.difference.mean), y)
    return drawing.svg_of_rows("Difference from the baseline in percent points, with 95 % intervals", len(arms))


def differencescale(shown: Iterable[Difference], left: float, right: float) -> tuple[list[float], Scale]:
    """Ticks and a scale that hold zero, all intervals and all seeds. An interval over two seeds can be
    many times wider: it is cut at the edge, with an arrowhead, instead of squeezing everything else."""
    ends = [0.0]
    for difference in shown:
        ends += [*difference.interval, *difference.seed_differences]
    reach = max(max(ends) - min(ends), 0.02)
    low, high = min(ends) - 0.12 * reach, max(ends) + 0.12 * reach
    ticks = [tick for tick in ticks_of(low, high) if low <= tick <= high]
    return ticks, scale(low, high, left, right)


def strip(difference: Difference, others: list[Difference], claim: Verdict) -> Markup:
    """One difference alone, on the scale that it shares with `others`, for beside the headline."""
    width, y = 380, 18
    ticks, x = differencescale([difference, *others], 8, width - 8)
    drawing = Drawing()
    drawing.line("zero", x(0), 4, x(0), 34)
    drawing.line("axis", 8, 34, width - 8, 34)
    for tick in ticks:
        drawing.line("tick", x(tick), 34, x(tick), 38)
        drawing.text("scale", x(tick), 52, "middle", points(tick).removesuffix(".0"))
    _span(drawing, difference, x, y, tone(claim))
    label = f"{points(difference.mean)} points, 95 % interval {bracket(difference.interval)}"
    return drawing.svg(label, width, 58, "chart strip")


def tone(claim: Verdict) -> str:
    """The colour of a verdict: its own for what is sure, a paler one for what one seed says."""
    if claim == "no difference shown":
        return "tie"
    return "leaning" if claim.endswith("with this seed") else claim


def levels(arm: Arm, baseline: Arm | None) -> Markup:
    """An arm's accuracy over the levels, the baseline's dashed behind it; always 0 to 100 %."""
    width, height, left, top, floor = 210, 132, 30, 8, 108
    behind = baseline.levels if baseline else ()
    shown = sorted({score.level for score in (*arm.levels, *behind)})
    step = (width - left - 14) / max(1, len(shown) - 1)

    def curve(scores: tuple[LevelScore, ...]) -> list[tuple[float, float]]:
        return [(left + 4 + step * shown.index(score.level), floor - (floor - top) * score.accuracy)
                for score in scores]

    drawing = Drawing()
    for share in (0, 0.5, 1):
        y = floor - (floor - top) * share
        drawing.line("grid", left, y, width - 4, y)
        drawing.text("scale", left - 6, y + 4, "end", f"{100 * share:.0f}")
    for number, level in enumerate(shown):
        drawing.text("scale", left + 4 + step * number, floor + 18, "middle", str(level))
    if baseline and baseline is not arm:
        drawing.path("behind", curve(behind))
    drawing.path("front", curve(arm.levels))
    for x, y in curve(arm.levels):
        drawing.dot("point", x, y, 2.8)
    figures = ", ".join(f"{score.level}: {percent(score.accuracy)} %" for score in arm.levels)
    return drawing.svg(f"{arm.name} by level: {figures}", width, height)


def losses(curve: LossCurve) -> Markup:
    """An arm's loss over its steps, a line for each seed, from nothing to its highest."""
    width, height, left, top, floor = 210, 132, 34, 8, 108
    highest = max(map(max, curve.losses)) or 1.0
    drawing = Drawing()
    for share in (0, 0.5, 1):
        y = floor - (floor - top) * share
        drawing.line("grid", left, y, width - 4, y)
        drawing.text("scale", left - 6, y + 4, "end", f"{highest * share:.2g}")
    drawing.text("scale", left + 4, floor + 18, "start", "1")
    drawing.text("scale", width - 4, floor + 18, "end", f"{curve.steps:,}")
    for line in curve.losses:
        step = (width - left - 8) / max(1, len(line) - 1)
        drawing.path("front", [(left + 4 + step * number, floor - (floor - top) * loss / highest)
                               for number, loss in enumerate(line)])
    ends = ", ".join(f"{line[-1]:.3g}" for line in curve.losses)
    return drawing.svg(f"{curve.arm}: the loss ends at {ends}", width, height)


def bar(part: int, whole: int) -> Markup:
    """A stage's share of the largest stage of its funnel."""
    share = 100 * part / whole if whole else 0
    return Markup('<svg class="bar" aria-hidden="true"><rect width="{}%" height="100%"/></svg>').format(
        f"{min(100, share):.2f}")


def _span(drawing: Drawing, difference: Difference, x: Scale, y: float, colour: str) -> None:
    """The marks of one difference; `colour` as by `tone`."""
    interval = difference.interval
    if difference.over_seeds:
        _whisker(drawing, difference.over_seeds, x, y, f"thin {colour}")
    drawing.line(f"thick {colour}", x(interval.low), y, x(interval.high), y)
    if difference.seeds > 1:
        for mean, aside in zip(difference.seed_differences, _apart(list(map(x, difference.seed_differences))),
                               strict=True):
            drawing.dot("seed", x(mean), y + aside, 2.8)
    drawing.dot(f"centre {colour}", x(difference.mean), y, 5)


def _apart(places: Sequence[float]) -> list[float]:
    """How far above or below its row each seed is drawn, so that none hides another: as near as there is room."""
    taken: list[tuple[float, float]] = []
    for place in places:
        room = (aside for aside in (0.0, -6.5, 6.5, -11.0, 11.0)
                if all(abs(place - other) > 6.5 or abs(aside - beside) > 4.0 for other, beside in taken))
        taken.append((place, next(room, 0.0)))
    return [aside for _, aside in taken]


def _whisker(drawing: Drawing, interval: Interval, x: Scale, y: float, kind: str) -> None:
    """A thin line with end ticks; an end beyond the scale gets an arrowhead instead."""
    drawing.line(kind, x(interval.low), y, x(interval.high), y)
    for end, outward in ((x(interval.low), -1), (x(interval.high), 1)):
        if end == x(outward * 9.0):  # the scale holds every value within its edges, so this end lies on one
            drawing.path(kind, [(end - outward * 5, y - 4), (end, y), (end - outward * 5, y + 4)])
        else:
            drawing.path(kind, [(end, y - 5), (end, y + 5)])


def scale(low: float, high: float, left: float = LABELS, right: float = WIDTH - VALUES) -> Scale:
    """Where a value lies between two edges; what is beyond them lies on them."""
    width = (high - low) or 1.0
    return lambda value: left + (right - left) * min(1.0, max(0.0, (value - low) / width))


def ticks_of(low: float, high: float) -> list[float]:
    """Round values from at or below `low` to at or above `high`, three to seven of them."""
    rough = max(high - low, 0.005) / 4
    power = 10 ** math.floor(math.log10(rough))
    steps = (power, 2 * power, 5 * power, 10 * power)
    step = steps[bisect_left(steps, rough * 0.999)]
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def _middle(row: int) -> float:
    return TOP + ROW * (row + 0.5)


def _grid(drawing: Drawing, ticks: list[float], x: Scale, rows: int, label: Callable[[float], str]) -> None:
    foot = TOP + ROW * rows
    drawing.line("axis", LABELS, foot, WIDTH - VALUES, foot)
    for tick in ticks:
        drawing.line("grid", x(tick), TOP, x(tick), foot)
        drawing.text("scale", x(tick), foot + 17, "middle", label(tick).removesuffix(".0"))
