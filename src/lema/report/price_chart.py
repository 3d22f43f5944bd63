"""The picture that people come for: how good each arm is over what it cost, as inline SVG.

One design decision: every arm has its dot, and names stand where there is room for them; of very many arms those
are named that no cheaper one reaches.
"""

import textwrap
from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from lema.figures import money, percent, tokens
from lema.report import Arm
from lema.report.charts import Drawing, scale, ticks_of

NAMED = 14  # arms whose names fit beside their dots


def prices(arms: tuple[Arm, ...], axis: str = "tokens") -> Markup:
    """Accuracy over what the teacher wrote, or over `axis` "dollars": a dot for each arm with its interval, named
    beside it; of many arms those that no cheaper one reaches."""
    width, height, left, right, top, floor = 560, 300, 44, 96, 12, 258
    priced = [arm for arm in arms if axis == "tokens" or arm.dollars is not None or not arm.teacher_tokens]
    spent = {arm.name: arm.teacher_tokens if axis == "tokens" else arm.paid for arm in priced}
    most = max(spent.values()) or 1
    ends: list[float] = []
    for arm in priced:
        ends += arm.accuracy.interval
    ticks = ticks_of(min(ends), max(ends))
    x, y = scale(0, most, left + 10, width - right), scale(ticks[0], ticks[-1], floor, top)
    drawing = Drawing()
    for tick in ticks:
        drawing.line("grid", left, y(tick), width - right, y(tick))
        drawing.text("scale", left - 6, y(tick) + 4, "end", percent(tick).removesuffix(".0"))
    for amount in (0, most / 2, most):
        label = tokens(round(amount)) if axis == "tokens" else money(amount)
        drawing.text("scale", x(amount), floor + 20, "middle", label)
    title = "teacher tokens" if axis == "tokens" else "dollars paid to the teacher"
    drawing.text("scale", (left + width - right) / 2, floor + 38, "middle", title)
    for arm in priced:  # below all dots
        place, interval = x(spent[arm.name]), arm.accuracy.interval
        drawing.line("band thin", place, y(interval.low), place, y(interval.high))
    for arm in priced:
        drawing.dot("point", x(spent[arm.name]), y(arm.accuracy.mean), 4)
    lowest = _names(drawing, _worth_naming(priced, spent), lambda arm: x(spent[arm.name]),
                    lambda arm: y(arm.accuracy.mean))
    label = f"Accuracy in percent over {title}, by arm"
    return drawing.svg(label, width, max(height, round(lowest) + 46), "chart price")


def _worth_naming(arms: Sequence[Arm], spent: Mapping[str, float]) -> list[Arm]:
    """All of a few; of many those that are better than every cheaper one, best first."""
    ordered = sorted(arms, key=lambda arm: (spent[arm.name], -arm.accuracy.mean))
    if len(ordered) > NAMED:
        best: list[Arm] = []
        for arm in ordered:
            if not best or arm.accuracy.mean > best[-1].accuracy.mean:
                best.append(arm)
        ordered = best[-NAMED:]
    return sorted(ordered, key=lambda arm: -arm.accuracy.mean)


def _names(drawing: Drawing, arms: Sequence[Arm], x: Callable[[Arm], float], y: Callable[[Arm], float]) -> float:
    """Each arm's name at the right of its dot, below those that would lie over it; how far down they reach."""
    taken: list[tuple[float, float, float]] = []
    for arm in arms:
        name = textwrap.shorten(arm.name, 15, placeholder="…")
        start, end, height = x(arm) + 9, x(arm) + 15 + 7.5 * len(name), y(arm)
        for left, right, other in sorted(taken, key=lambda place: place[2]):
            if start < right and left < end and abs(height - other) < 15:
                height = other + 15
        taken.append((start, end, height))
        if height > y(arm) + 2:
            drawing.line("tick", x(arm) + 4, y(arm) + 2, start - 1, height)
        drawing.text("name", start, height + 4.5, "start", name)
    return max((height for _, _, height in taken), default=0.0)
