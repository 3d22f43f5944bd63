"""The report as one self-contained HTML page.

One design decision: text of models and of users is never trusted. The template runs sandboxed with escaping on
and undefined names as errors, drawings escape what they are given, and the page forbids itself scripts and the
network by its own policy; so a page can be opened from disk or mailed without a second thought.
"""

import re

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lema import figures
from lema.report import PlannedComparison, ReportData, charts, claims, family
from lema.report.price_chart import prices
from lema.report.worth import answer
from lema.statistics import bracket, points, verdict


def render(data: ReportData) -> str:
    """`data` as an HTML page: valid UTF-8 whatever the models wrote, without any external reference."""
    page = page_environment().get_template("report.html.j2").render(
        data=data,
        family=family(data),
        answer=answer(data),
        baseline=next((arm for arm in data.arms if arm.name == data.baseline), None),
        claims=claims(data),
        claimed=_claimed(data),
        levels=sorted({(score.level, score.questions) for arm in data.arms for score in arm.levels}),
    )
    return page.encode("utf-8", "replace").decode()  # half a surrogate pair cannot be written to a file


def _claimed(data: ReportData) -> list[tuple[str, PlannedComparison]]:
    """The comparisons with a panel of their own, each under what was looked up about it."""
    labels = ["The comparison this run was made for, named before it" if data.named else
              "The comparison in the headline", "The control: the same teacher tokens, spent otherwise"]
    labels += ["Also planned, before the run" if data.named else "Also compared"] * len(data.pairs)
    return [(label, each) for label, each in zip(labels, (data.headline, data.control, *data.pairs), strict=True)
            if each]


def page_environment() -> ImmutableSandboxedEnvironment:
    """What every page of ours is set with: sandboxed, escaping, and strict about names."""
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.PackageLoader("lema.report", ""), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(charts=charts, prices=prices)
    environment.filters.update(
        bracket=bracket, points=points, verdict=verdict, tone=charts.tone, percent=figures.percent,
        thin=figures.count, tokens=figures.tokens, p_value=figures.p_value, deviation=figures.deviation,
        unbroken=figures.unbroken, cost=figures.cost, visible=visible)
    return environment


def visible(text: str) -> str:
    """Text with its control characters made visible, so that nothing in it can hide or reorder what is read."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]",
                  lambda match: f"⟨U+{ord(match[0]):04X}⟩", text.replace("\r\n", "\n"))
