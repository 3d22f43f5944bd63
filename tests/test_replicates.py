"""Effects over replicates hold what they promise: intervals, claims and where a curve changes its sign."""

import numpy as np
import pytest
from scipy import stats

from lema.statistics.replicates import crossings, effect


def draws(rng, replicates=5, seeds=2, questions=200, gain=0.0, spread=0.0):
    """Differences of answers whose replicates deviate by `spread` from `gain`."""
    made = []
    for _ in range(replicates):
        chance = 0.3 + gain / 2 + rng.normal(0, spread) / 2
        made.append((rng.random((seeds, questions)) < chance).astype(float)
                    - (rng.random((seeds, questions)) < 0.6 - chance))
    return made


def test_over_replicates_is_the_t_interval_of_their_means():
    made = draws(np.random.default_rng(1), gain=0.05, spread=0.03)
    shown, means = effect(made, same_questions=False), [each.mean() for each in made]
    assert shown.over_replicates == pytest.approx(stats.t.interval(0.95, 4, np.mean(means), stats.sem(means)))
    assert shown.mean == pytest.approx(np.mean(means)) and shown.replicates == pytest.approx(means)


def test_over_questions_is_the_t_interval_of_their_means_where_replicates_share_them():
    made = draws(np.random.default_rng(2), gain=0.05)
    per_question = np.mean([each.mean(axis=0) for each in made], axis=0)
    wanted = stats.t.interval(0.95, len(per_question) - 1, per_question.mean(), stats.sem(per_question))
    assert effect(made, same_questions=True).over_questions == pytest.approx(wanted)


def test_own_questions_of_each_replicate_add_their_errors():
    made = draws(np.random.default_rng(3), replicates=4)
    error = np.sqrt(sum(stats.sem(each.mean(axis=0)) ** 2 for each in made)) / 4
    half = stats.t.ppf(0.975, 4 * 199) * error
    shown = effect(made, same_questions=False)
    assert (shown.over_questions.high - shown.over_questions.low) / 2 == pytest.approx(half)


def test_nothing_is_claimed_unless_both_intervals_bear_it():
    rng = np.random.default_rng(4)
    wide = [np.full((1, 400), value) * (rng.random((1, 400)) < 0.5) for value in (1.0, 1.0, -1.0, 1.0)]
    shown = effect(wide, same_questions=False)
    assert not shown.over_questions.holds(0.0) and shown.over_replicates.holds(0.0)
    assert shown.finding(shown.p_value) == "no difference shown"
    alone = effect(wide[:1], same_questions=False)
    assert alone.over_replicates is None and alone.finding(alone.p_value) == "one replicate"
    assert "one replicate says nothing of others" in alone.in_words(alone.p_value)


def test_five_replicates_of_no_effect_are_called_different_in_at_most_one_study_of_twenty():
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(1000):
        shown = effect(draws(rng, questions=60, spread=0.04), same_questions=False)
        wrong += shown.finding(shown.p_value) != "no difference shown"
    assert wrong <= 50


def test_five_replicates_of_a_clear_effect_are_called_so():
    rng = np.random.default_rng(6)
    findings = []
    for _ in range(20):
        shown = effect(draws(rng, gain=0.12, spread=0.02), same_questions=False)
        findings.append(shown.finding(shown.p_value))
    assert findings.count("better") >= 18


def test_a_crossing_lies_where_the_mean_line_meets_zero_and_its_interval_holds_it():
    rng = np.random.default_rng(7)
    curves = np.array([[-0.04, 0.0, 0.04]]) + rng.normal(0, 0.005, (6, 3))
    (met,) = crossings([0.0, 1.0, 2.0], curves)
    assert met.rising and met.low < met.at < met.high and met.low < 1.0 < met.high
    assert met.at == pytest.approx(1.0, abs=0.3)
    (falling,) = crossings([2.0, 1.0, 0.0], curves)  # the same values from the other end
    assert not falling.rising and falling.at == pytest.approx(2.0 - met.at)


def test_a_crossing_over_decades_is_read_on_their_scale():
    curves = np.array([[-0.02, 0.02]] * 3) + np.array([[0.001], [0.0], [-0.001]])
    (met,) = crossings([100.0, 10_000.0], curves)
    assert met.at == pytest.approx(1_000, rel=0.01)


def test_a_crossing_that_is_not_narrowed_down_says_so():
    rng = np.random.default_rng(8)
    curves = np.array([[-0.001, 0.001]]) + rng.normal(0, 0.05, (4, 2))
    curves -= curves.mean(axis=0) - np.array([-0.001, 0.001])
    (met,) = crossings([1.0, 2.0], curves)
    assert (met.low, met.high) == (None, None)
    assert "below the least value to above the largest" in met.in_words()


def test_curves_that_stay_on_one_side_cross_nowhere():
    assert crossings([1.0, 2.0], np.array([[0.1, 0.2], [0.1, 0.3]])) == []
