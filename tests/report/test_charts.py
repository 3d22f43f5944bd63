"""The drawings: marks stand where their numbers are."""

import re
from dataclasses import replace

import pytest

from lema.report import charts, claims
from lema.statistics import Interval, difference
from tests.report.examples import answers, report


def numbers(svg: str, pattern: str) -> list[float]:
    return [float(found) for found in re.findall(pattern, svg)]


def test_a_mean_further_right_is_a_better_one():
    arms = report().arms
    places = numbers(charts.accuracies(arms), r'class="mean" x1="([\d.]+)"')
    assert [round(p) for p in sorted(places)] == [
        round(p) for _, p in sorted(zip([arm.accuracy.mean for arm in arms], places, strict=True))]


def test_an_interval_that_holds_zero_crosses_the_zero_line():
    data = report()
    svg = charts.differences(data, claims(data))
    zero = numbers(svg, r'class="zero" x1="([\d.]+)"')[0]
    lows = numbers(svg, r'class="thick \w+" x1="([\d.]+)"')
    highs = numbers(svg, r'class="thick \w+" x1="[\d.]+" y1="[\d.]+" x2="([\d.]+)"')
    crossing = [low <= zero <= high for low, high in zip(lows, highs, strict=True)]
    assert crossing == [each.interval.holds(0.0) for each in data.differences.values()]
    assert re.findall(r'class="thick (\w+)"', svg) == [
        "tie", "tie", "better", "tie", "tie", "worse"]


def test_an_interval_far_wider_than_the_others_is_cut_with_an_arrowhead():
    drawn = answers()
    found = difference(drawn["own_and_steps"], drawn["cot"])
    wide = charts.strip(replace(found, over_seeds=Interval(-0.9, 0.9)), [], "better")
    assert numbers(wide, r'class="thin \w+" x1="([\d.]+)"')[0] == 8.0
    assert wide.count("<polyline") == 2 and all(
        len(points.split()) == 3 for points in re.findall(r'points="([^"]*)"', wide))


@pytest.mark.parametrize("ends", [(0.0, 0.0), (0.3, 0.7), (-0.001, 0.001), (0.999, 1.0), (-1.0, 1.0)])
def test_ticks_are_few_round_and_hold_what_is_drawn(ends):
    ticks = charts.ticks_of(*ends)
    assert 2 <= len(ticks) <= 8 and ticks[0] <= ends[0] + 1e-9 and ticks[-1] >= ends[1] - 1e-9


def test_a_name_is_escaped_and_kept_to_two_lines():
    arm = replace(report().arms[0], name='<b>&"' + " many words" * 12)
    svg = charts.accuracies((arm,))
    assert "<b>" not in svg and "&lt;b&gt;&amp;" in svg
    assert svg.count('class="name"') == 2 and "…" in svg


def test_a_bar_of_nothing_is_empty_and_no_bar_is_longer_than_full():
    assert 'width="0.00%"' in charts.bar(0, 0) and 'width="100.00%"' in charts.bar(9, 3)
