"""The statistics against scipy, against simulation, and at the edges where formulas say nothing."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from lema.statistics import (
    Difference,
    Interval,
    accuracy,
    bracket,
    difference,
    disagreement,
    holm,
    points,
    reading,
    t_quantile,
    t_tail,
    verdict,
    wilson,
)
from tests.processes import ended


def drawn(share: float, baseline: float, questions: int, seeds: int, seed: int = 0) -> list[np.ndarray]:
    """Two arms' right answers [seeds, questions]; questions differ in how hard they are for both."""
    random = np.random.default_rng(seed)
    hardness = random.normal(0, 0.25, questions)
    return [(random.random((seeds, questions)) < np.clip(mean + hardness, 0, 1)).astype(int)
            for mean in (share, baseline)]


def one_sided(won: int, questions: int) -> tuple[np.ndarray, np.ndarray]:
    """One seed, `won` questions right in the first arm only, all others wrong in both."""
    right = np.zeros((1, questions))
    right[0, :won] = 1
    return right, np.zeros((1, questions))


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 29, 100, 599, 1318, 4999, 100_000])
def test_t_quantiles_equal_scipys_to_a_billionth(freedom):
    for probability in (0.025, 0.1, 0.5, 0.51, 0.6, 0.75, 0.9, 0.95, 0.975, 0.995, 0.9995):
        expected = stats.t.ppf(probability, freedom)
        assert t_quantile(probability, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("freedom", [1, 2, 5, 30, 599, 4999, 100_000])
def test_t_tails_equal_scipys(freedom):
    for value in (0.0, 0.1, 0.7, 1.0, 1.96, 3.0, 6.0, 20.0):
        assert t_tail(value, freedom) == pytest.approx(stats.t.sf(value, freedom), rel=1e-8)


def test_importing_the_statistics_leaves_mpmath_for_the_first_comparison():
    code = "import sys, lema.statistics; print('mpmath' in sys.modules)"
    assert ended([sys.executable, "-c", code], check=True).stdout.strip() == "False"


@pytest.mark.parametrize("bad", [(0.0, 3), (1.0, 3), (0.975, 0)])
def test_a_quantile_that_does_not_exist_is_refused(bad):
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(*bad)


@settings(deadline=None)
@given(st.integers(1, 3_000), st.floats(0, 1))
def test_wilsons_interval_equals_scipys(questions, share):
    right = round(share * questions)
    expected = stats.binomtest(right, questions).proportion_ci(0.95, method="wilson")
    assert wilson(right, questions) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilsons_interval_keeps_a_width_where_all_are_right_or_wrong():
    assert wilson(0, 20).low == 0 and 0.1 < wilson(0, 20).high < 0.2
    assert wilson(20, 20).high == 1 and 0.8 < wilson(20, 20).low < 0.9
    assert wilson(1, 1).low < 0.25


def test_a_share_of_no_questions_is_refused():
    with pytest.raises(ValueError, match="no share"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="no share"):
        wilson(5, 4)


def test_an_accuracy_is_the_mean_over_seeds_with_each_seeds_own():
    found = accuracy(np.array([[1, 1, 0, 0], [1, 0, 0, 0]]))
    assert (found.mean, found.seeds, found.questions) == (0.375, (0.5, 0.25), 4)
    assert found.interval == wilson(1.5, 4)
    assert found.deviation == pytest.approx(np.std([0.5, 0.25], ddof=1))


def test_the_spread_of_one_seed_is_unknown_and_not_zero():
    assert accuracy(np.array([[1, 0]])).deviation is None


@pytest.mark.parametrize(("questions", "seeds"), [(600, 3), (57, 1), (1319, 5)])
def test_both_intervals_and_the_p_value_equal_scipys_paired_t(questions, seeds):
    right, baseline = drawn(0.6, 0.52, questions, seeds)
    found = difference(right, baseline)
    over_questions = stats.ttest_rel(right.mean(axis=0), baseline.mean(axis=0))
    assert found.mean == pytest.approx(right.mean() - baseline.mean())
    assert found.over_questions == pytest.approx(tuple(over_questions.confidence_interval(0.95)), abs=1e-9)
    assert found.seed_differences == pytest.approx(tuple(right.mean(axis=1) - baseline.mean(axis=1)))
    assert (found.questions, found.seeds) == (questions, seeds)
    if seeds > 1:
        over_seeds = stats.ttest_rel(right.mean(axis=1), baseline.mean(axis=1)).confidence_interval(0.95)
        assert found.over_seeds == pytest.approx(tuple(over_seeds), abs=1e-9)
        both = right - baseline
        squares = np.var(both.mean(axis=0), ddof=1) / questions, np.var(both.mean(axis=1), ddof=1) / seeds
        share = max(squares[1] / sum(squares), 0.5)
        freedom = 1 / (share**2 / (seeds - 1) + (1 - share) ** 2 / (questions - 1))
        error = math.sqrt(sum(squares))
        assert (found.error, found.freedom) == pytest.approx((error, freedom))
        half = stats.t.ppf(0.975, freedom) * error
        assert found.crossed == pytest.approx((found.mean - half, found.mean + half), abs=1e-9)
        assert found.p_value == pytest.approx(2 * stats.t.sf(abs(found.mean) / error, freedom), rel=1e-7)
        shown = (stats.t.ppf(1 - 0.025 / 6, freedom) + stats.t.ppf(0.8, freedom)) * error
        assert found.detectable(6) == pytest.approx(shown)
    else:
        assert found.over_seeds is None and found.crossed is None
        assert found.p_value == pytest.approx(over_questions.pvalue, rel=1e-7)


def test_the_crossed_interval_is_never_narrower_than_that_over_questions():
    for seed in range(40):
        found = difference(*drawn(0.5, 0.45, 80, 2 + seed % 4, seed))
        assert found.crossed.low <= found.over_questions.low and found.over_questions.high <= found.crossed.high


@pytest.mark.parametrize("seeds", [3, 5])
def test_a_table_of_six_equal_arms_claims_something_in_fewer_than_one_run_of_twenty(seeds):
    """Trainings differ by 2 points and questions differ by arm; bench/coverage.py has the whole simulation."""
    random, claimed = np.random.default_rng(seeds), 0
    for _ in range(150):
        easy = random.normal(0, 1.6, 360)
        arms = []
        for _ in range(7):
            chance = 1 / (1 + np.exp(-(easy + random.normal(0, 0.5, 360)))) + random.normal(0, 0.02, (seeds, 1))
            arms.append((random.random((seeds, 360)) < chance).astype(float))
        apart = [difference(arm, arms[0]) for arm in arms[1:]]
        adjusted = holm([each.p_value for each in apart])
        claimed += any(verdict(each, p) != "no difference shown" for each, p in zip(apart, adjusted, strict=True))
    assert claimed <= 12  # of 150: 5 % are 7.5, and more than 12 come in one such test of thirty at 5 %


def test_the_disagreement_of_seeds_is_the_mean_over_their_pairs():
    right = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 1]])
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert disagreement(right) == pytest.approx(np.mean([(right[a] != right[b]).mean() for a, b in pairs]))
    assert disagreement(right[:1]) is None


def test_the_comparison_is_paired_by_question():
    right, baseline = drawn(0.6, 0.55, 600, 3)
    shuffled = baseline[:, np.random.default_rng(1).permutation(600)]
    paired, unpaired = difference(right, baseline), difference(right, shuffled)
    assert paired.mean == pytest.approx(unpaired.mean)
    assert np.ptp(paired.over_questions) < 0.9 * np.ptp(unpaired.over_questions)


def test_turning_the_arms_round_turns_the_difference_round():
    right, baseline = drawn(0.6, 0.52, 300, 3)
    there, back = difference(right, baseline), difference(baseline, right)
    assert there.mean == -back.mean and there.p_value == back.p_value
    assert there.over_questions == pytest.approx((-back.over_questions.high, -back.over_questions.low))


def test_the_interval_over_questions_covers_the_true_difference_95_times_in_100():
    random = np.random.default_rng(20)
    held = 0
    for _ in range(2_000):
        chance = random.beta(1.2, 1.2, 150)  # the same hardness for both arms, one of them 8 points lower
        right, baseline = random.random((3, 150)) < chance, random.random((3, 150)) < np.maximum(0, chance - 0.08)
        held += difference(right, baseline).over_questions.holds(TRUE_DIFFERENCE)
    assert 0.935 < held / 2_000 < 0.965


TRUE_DIFFERENCE = stats.beta(1.2, 1.2).expect(lambda chance: chance - np.maximum(0, chance - 0.08))


def test_the_interval_over_seeds_covers_the_true_difference_95_times_in_100():
    random = np.random.default_rng(21)
    held = 0
    for _ in range(2_000):
        luck = random.normal(0, 0.04, (2, 4, 1))  # each training is better or worse as a whole
        right, baseline = (random.random((4, 100)) < 0.5 + shift + arm for shift, arm in zip(
            (0.08, 0.0), luck, strict=True))
        held += difference(right, baseline).over_seeds.holds(0.08)
    assert 0.935 < held / 2_000 < 0.965


def test_seeds_that_agree_by_chance_get_an_interval_that_covers_too():
    random = np.random.default_rng(23)
    held, of_equal = 0, []
    for _ in range(1_500):
        right, baseline = random.random((2, 20)) < 0.58, random.random((2, 20)) < 0.5
        found = difference(right, baseline)
        held += found.over_seeds.holds(0.08)
        if found.seed_differences[0] == found.seed_differences[1]:
            of_equal.append(found.over_seeds.holds(0.08))
    assert held / 1_500 > 0.95
    assert len(of_equal) > 100 and np.mean(of_equal) > 0.95


def test_equal_seeds_are_as_wide_as_the_questions_on_which_they_differ():
    baseline = np.zeros((2, 20))
    same, other = np.zeros((2, 20)), np.zeros((2, 20))
    same[:, 0] = 1
    other[0, 0] = other[1, 1] = 1
    one_question, two_questions = (difference(right, baseline) for right in (same, other))
    assert one_question.mean == two_questions.mean == 0.05
    assert one_question.over_seeds == pytest.approx((0.05 - 0.3177, 0.05 + 0.3177), abs=1e-4)  # t(1) / 20 / 2
    assert two_questions.over_seeds == pytest.approx((0.05 - 0.4492, 0.05 + 0.4492), abs=1e-4)  # / 20 / sqrt(2)
    assert verdict(one_question) == "no difference shown"


def test_equal_arms_are_never_called_better_more_than_one_time_in_twenty():
    random = np.random.default_rng(22)
    claims = [verdict(difference(*(random.random((2, 1, 40)) < 0.03))) for _ in range(2_000)]
    assert sum(claim != "no difference shown" for claim in claims) / 2_000 < 0.05


def test_two_arms_with_the_same_answers_show_no_difference():
    same = drawn(0.6, 0.5, 200, 3)[0]
    found = difference(same, same)
    assert (found.mean, found.deciding, found.p_value) == (0, 0, 1)
    assert found.over_questions.low < 0 < found.over_questions.high < 0.02
    assert -0.01 < found.over_seeds.low < 0 < found.over_seeds.high < 0.01
    assert reading(found).startswith("no difference shown: 0.0 points")


def test_one_question_shows_nothing():
    found = difference(np.ones((1, 1)), np.zeros((1, 1)))
    assert (found.mean, found.p_value, found.over_questions.high) == (1, 1, 1)
    assert found.over_questions.low < -0.9
    assert verdict(found) == "no difference shown"


@pytest.mark.parametrize("questions", range(1, 12))
def test_arms_that_differ_on_every_question_need_six_questions_to_be_told_apart(questions):
    found = difference(*one_sided(questions, questions))
    assert found.p_value == min(1, stats.binomtest(questions, questions).pvalue)
    assert (verdict(found) == "no difference shown") == (questions < 6) == (found.p_value > 0.05)


@pytest.mark.parametrize("won", range(1, 6))
def test_fewer_than_six_deciding_questions_never_make_a_claim(won):
    found = difference(*one_sided(won, 600))
    assert found.deciding == won and found.over_questions.holds(0.0) and found.p_value > 0.05
    assert verdict(found) == "no difference shown"
    assert verdict(difference(*one_sided(won, 600)[::-1])) == "no difference shown"


def test_intervals_stay_within_what_accuracies_can_differ_by():
    found = difference(np.array([[1, 0], [0, 0]]), np.zeros((2, 2)))
    assert found.over_questions == (-1, 1) and found.over_seeds == (-1, 1)


@pytest.mark.parametrize("bad", [
    (np.zeros((2, 5)), np.zeros((3, 5))), (np.zeros((2, 5)), np.zeros((2, 6))), (np.zeros(5), np.zeros(5)),
    (np.zeros((0, 5)), np.zeros((0, 5))), (np.zeros((1, 0)), np.zeros((1, 0))),
    (np.full((1, 3), 2), np.ones((1, 3))), (np.full((1, 3), math.nan), np.ones((1, 3)))])
def test_what_is_no_pair_of_right_and_wrong_answers_is_refused(bad):
    with pytest.raises(ValueError, match=r"seeds|right"):
        difference(*bad)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holms_correction_equals_statsmodels(p_values):
    expected = multipletests(p_values, method="holm")[1]
    assert holm(p_values) == pytest.approx(tuple(expected), abs=1e-12)


@pytest.mark.parametrize("of", [(0, 20), (7, 20), (600, 1319), (20, 20)])
def test_wilsons_interval_equals_statsmodels(of):
    assert wilson(*of) == pytest.approx(proportion_confint(*of, method="wilson"), abs=1e-9)


@pytest.mark.parametrize(("questions", "seeds"), [(300, 4), (1319, 3)])
def test_the_interval_over_questions_equals_statsmodels_of_the_mean_difference(questions, seeds):
    right, baseline = drawn(0.6, 0.52, questions, seeds)
    described = DescrStatsW((right - baseline).mean(axis=0))
    found = difference(right, baseline)
    assert found.over_questions == pytest.approx(described.tconfint_mean(), abs=1e-9)


def test_holms_correction_of_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    assert holm([0.04]) == (0.04,)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_makes_a_p_value_smaller_nor_changes_the_order(p_values):
    adjusted = holm(p_values)
    assert all(p <= a <= 1 for p, a in zip(p_values, adjusted, strict=True))
    ranked = [adjusted[i] for i in sorted(range(len(p_values)), key=p_values.__getitem__)]
    assert ranked == sorted(ranked)
    assert sorted(holm(p_values[::-1])) == ranked


def made(mean: float, crossed: tuple | None, over_questions: tuple, over_seeds: tuple | None) -> Difference:
    return Difference(
        mean=mean, crossed=crossed and Interval(*crossed), over_questions=Interval(*over_questions),
        over_seeds=over_seeds and Interval(*over_seeds), error=0.01, freedom=16.0,
        seed_differences=(mean,) * (3 if crossed else 1), questions=600, deciding=100, p_value=0.01)


def test_a_reading_rests_on_the_crossed_interval_and_shows_the_others_behind_it():
    assert reading(made(0.061, (0.04, 0.082), (0.049, 0.073), (0.046, 0.076))) == (
        "better by 6.1 points, 95 % interval [+4.0, +8.2] ([+4.9, +7.3] over 600 questions, "
        "[+4.6, +7.6] over 3 seeds)")
    worse = reading(made(-0.061, (-0.08, -0.04), (-0.073, -0.049), (-0.076, -0.046)))
    assert worse.startswith("worse by 6.1 points")
    assert verdict(made(0.02, (-0.001, 0.041), (0.004, 0.036), (0.01, 0.03))) == "no difference shown"


def test_one_seed_never_speaks_for_other_trainings():
    alone = made(-0.02, None, (-0.036, -0.004), None)
    assert verdict(alone) == "worse with this seed"
    assert reading(alone) == ("worse by 2.0 points with this seed, 95 % interval [−3.6, −0.4] over 600 questions, "
                              "one seed: the chance between trainings is not measured")


def test_a_reading_of_an_interval_that_holds_zero_says_what_the_design_detects():
    text = reading(made(0.004, (-0.016, 0.024), (-0.012, 0.02), (0.001, 0.007)))
    assert text.startswith("no difference shown: +0.4 points, 95 % interval [−1.6, +2.4] ([−1.2, +2.0] over 600 ")
    shown = (stats.t.ppf(0.975, 16) + stats.t.ppf(0.8, 16)) * 0.01
    assert text.endswith(f"; the smallest difference that this design detects is {100 * shown:.1f}")


def test_a_reading_takes_the_number_of_comparisons_into_account():
    found = made(0.02, (0.002, 0.038), (0.004, 0.036), (0.01, 0.03))
    assert verdict(found, adjusted_p=0.03) == "better"
    assert verdict(found, adjusted_p=0.07) == "no difference shown"
    assert "corrected for 6 comparisons (Holm p = 0.07)" in reading(found, 0.07, 6)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 4), st.floats(0, 1), st.floats(0, 1))
def test_the_words_no_difference_shown_stand_exactly_where_the_interval_holds_zero(
        seed, questions, seeds, share, baseline):
    found = difference(*drawn(share, baseline, questions, seeds, seed))
    assert ("no difference shown" in reading(found)) == found.interval.holds(0.0)
    assert -1 <= found.over_questions.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.over_questions.high <= 1
    assert 0 <= found.p_value <= 1
    assert (found.p_value < 0.05) == (verdict(found) != "no difference shown") or found.deciding == questions


def test_points_keep_the_side_of_zero_that_they_are_on():
    assert [points(x) for x in (0.0123, -0.0123, 0.0, 0.0001, -0.0001)] == ["+1.2", "−1.2", "0.0", "+0.0", "−0.0"]
    assert bracket(Interval(-0.012, 0.034)) == "[−1.2, +3.4]"
