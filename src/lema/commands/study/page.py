"""A study as one self-contained HTML page, in the report's dress and under its rules.

One design decision: the drawings are those of the report (inline SVG, no script, no network), and show both
intervals of an effect beside each other, because a claim has to hold over both.
"""

import math
from collections.abc import Sequence

import jinja2
from markupsafe import Markup

from lema.commands.study.money import MoneyEffect
from lema.commands.study.results import Curve, EffectResult, StudyResult
from lema.commands.study.sentences import (
    conclusions,
    curve_title,
    money_in_words,
    money_legend,
    place_in_words,
    price_in_words,
    spent_in_words,
)
from lema.report.charts import Drawing, ticks_of
from lema.report.page import page_environment
from lema.statistics import points

LEFT, RIGHT, TOP, FLOOR, WIDTH, HEIGHT = 52, 16, 12, 178, 480, 214


def render_study(result: StudyResult) -> str:
    """`result` as a page: valid UTF-8 whatever the names hold, without any external reference."""
    environment = page_environment()
    environment.loader = jinja2.ChoiceLoader([environment.loader, jinja2.PackageLoader("lema.commands.study", "")])
    page = environment.get_template("study.html.j2").render(
        result=result, conclusions=conclusions(result), spent=spent_in_words(result),
        place=lambda point: place_in_words(result, point), curves=list(map(_drawn, result.curves)),
        tone=_tone, title=curve_title, price=price_in_words, dollars=money_in_words, money_legend=money_legend)
    return page.encode("utf-8", "replace").decode()


def _tone(each: EffectResult | MoneyEffect) -> str:
    """The colour of what an effect bears."""
    finding = each.effect.finding(each.p_holm)
    return {"better": "better", "worse": "worse", "one replicate": "leaning"}.get(finding, "tie")


def _drawn(curve: Curve) -> tuple[Curve, Markup]:
    """A curve with its drawing: effects with their intervals over the axis, logarithmic where its values are."""
    ends = [0.0]
    for each in curve.effects:
        ends += [*each.over_questions, *(each.over_replicates or ())]
    ticks = ticks_of(max(-1.0, min(ends)), min(1.0, max(ends)))
    low, high = ticks[0], ticks[-1]
    drawing, across = Drawing(), _across(curve.values)

    def up(value: float) -> float:
        return FLOOR - (FLOOR - TOP) * (min(high, max(low, value)) - low) / ((high - low) or 1)

    for tick in ticks:
        drawing.line("zero" if tick == 0 else "grid", LEFT, up(tick), WIDTH - RIGHT, up(tick))
        drawing.text("scale", LEFT - 6, up(tick) + 4, "end", points(tick).removesuffix(".0"))
    for value, x in zip(curve.values, across, strict=True):
        drawing.text("scale", x, FLOOR + 20, "middle", f"{value:,g}")
    for each, x in zip(curve.effects, across, strict=True):
        drawing.line("thick tie", x, up(each.over_questions.low), x, up(each.over_questions.high))
        if each.over_replicates:
            drawing.line("thin tie", x + 5, up(each.over_replicates.low), x + 5, up(each.over_replicates.high))
        for mean in each.replicates:
            drawing.dot("seed", x - 5, up(mean), 2.6)
    drawing.path("front", [(x, up(each.mean)) for each, x in zip(curve.effects, across, strict=True)])
    figures = ", ".join(f"{value:,g}: {points(each.mean)}" for value, each in
                        zip(curve.values, curve.effects, strict=True))
    return curve, drawing.svg(f"{curve_title(curve)}: {figures}", WIDTH, HEIGHT)


def _across(values: Sequence[float]) -> list[float]:
    bent = min(values) > 0 and max(values) / min(values) >= 8
    places = list(map(math.log, values)) if bent else list(values)
    first, last = min(places), max(places)
    return [LEFT + 20 + (WIDTH - RIGHT - LEFT - 40) * (place - first) / ((last - first) or 1) for place in places]
