"""The terminal table: its width, its figures, and its words."""

import re
from dataclasses import replace

import pytest

from lema.figures import p_value, percent, tokens
from lema.report import PlannedComparison, ReportData, family
from lema.report.terminal import table
from lema.statistics import bracket, difference, points
from tests.report.examples import answers, report


def test_no_line_is_wider_than_80_columns():
    data = report()
    long = "an arm whose name somebody made far too long to stand beside its own figures in a table of ours " * 2
    for each in (data, replace(data, arms=(*data.arms, replace(data.arms[1], name=long)), baseline=long)):
        assert max(len(line) for line in table(each)) <= 80


def test_the_figures_are_the_datas():
    data = report()
    lines = table(data)
    first, second = lines[:lines.index("")], lines[lines.index("") + 1:]
    rows = {line.split()[0]: line for line in first}
    behind = {line.split()[0]: line for line in second[:second.index("")]}
    every = family(data)
    for arm in data.arms[1:]:
        cells = re.split(r"\s{2,}", rows[arm.name])
        assert cells == [
            arm.name, tokens(arm.trained_tokens), tokens(arm.teacher_tokens),
            f"{percent(arm.accuracy.mean)} ±{100 * arm.accuracy.deviation:.1f}",
            points(arm.difference.mean), bracket(arm.difference.crossed),
            percent(every.detectable(arm.name, data.baseline))]
        assert re.split(r"\s{2,}", behind[arm.name]) == [
            arm.name, f"{arm.examples:,}", bracket(arm.difference.over_questions),
            bracket(arm.difference.over_seeds), p_value(every.p_values[arm.name, data.baseline])]
    assert rows["cot"].endswith("base")


def test_a_name_too_long_for_its_column_keeps_its_figures_aligned():
    data = report()
    name = "own_right_paths_and_corrected_steps"
    lines = table(replace(data, arms=(*data.arms[:2], replace(data.arms[2], name=name))))
    place = lines.index(name)
    assert len(lines[place + 1]) == len(lines[place - 1]) and lines[place + 1].startswith(" " * 16)


def test_wins_ties_and_losses_are_listed_alike():
    text = "\n".join(table(report()))
    assert "Against cot, Holm-corrected for 8 comparisons:" in text
    assert "  better: own_and_steps\n  no difference shown: self_training, lema, random_teacher, evolved\n" in text
    assert "  worse: prose_only\n" in text


@pytest.mark.parametrize("arm", ["evolved", "lema", "own_and_steps", "prose_only"])
def test_the_sentence_says_no_difference_shown_where_the_comparison_bears_none_among_all(arm):
    drawn = answers()
    for baseline in drawn:
        found = difference(drawn[arm], drawn[baseline])
        data = replace(report(), headline=PlannedComparison(arm, baseline, found), control=None)
        lines = table(data)
        start = next(number for number, line in enumerate(lines) if line.startswith(f"{arm} against"))
        sentence = lines[start:lines.index("", start)]
        claim = family(data).claim(arm, baseline)
        assert any("no difference shown" in line for line in sentence) == (claim == "no difference shown")
        assert claim == "no difference shown" or not found.interval.holds(0.0)


def test_the_control_stands_under_the_headline_or_its_absence_does():
    assert any(line.startswith("own_and_steps against random_teacher: no difference") for line in table(report()))
    assert any("No arm spent the same teacher tokens" in line for line in table(replace(report(), control=None)))


def test_one_seed_is_not_given_a_spread():
    lines = table(report(seeds=1))
    assert any("one seed" in line for line in lines) and any("±–" in line for line in lines)
    assert not any("better:" in line for line in lines)


def test_no_arms_is_a_sentence_and_not_a_crash():
    assert table(ReportData(title="", baseline="", arms=())) == ["no arm has been examined yet"]


def test_a_row_for_orientation_does_not_set_the_number_of_seeds():
    data = report()
    before = replace(report(seeds=1).arms[0], name="(before)")
    assert any(line.startswith("600 test questions, 3 seeds.") for line in table(
        replace(data, arms=(before, *data.arms))))
