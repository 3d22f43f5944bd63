"""Several answers to one question: estimators against enumeration and simulation, and what a run says of them."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.config import ScoreConfig
from lema.records import ReasoningPath
from lema.report.analyses.answers import answer_tables
from lema.report.tables import in_text
from lema.stages.score import compare, score, votes
from lema.statistics import difference, verdict
from lema.statistics.samples import deviation_of_one_draw, majority, pass_at, tries_shown
from lema.statistics.scores import Score
from tests.stages.desk import context, question


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.data())
def test_pass_at_k_is_the_share_of_all_k_that_could_be_drawn_which_hold_a_right_one(answers, data):
    k = data.draw(st.integers(1, len(answers)))
    drawn = [any(few) for few in combinations(answers, k)]
    assert pass_at([sum(answers)], [len(answers)], k) == pytest.approx(sum(drawn) / len(drawn))


def test_pass_at_k_is_unbiased_where_sampling_k_times_is_what_is_asked():
    draw, chance, k = np.random.default_rng(3), np.array([0.05, 0.2, 0.5, 0.9]), 4
    estimates = [pass_at(draw.binomial(10, chance), np.full(4, 10), k) for _ in range(4_000)]
    assert np.mean(estimates) == pytest.approx((1 - (1 - chance) ** k).mean(), abs=0.004)


def test_more_tries_than_answers_are_refused():
    with pytest.raises(ValueError, match="4 tries of 3 answers"):
        pass_at([1, 2], [8, 3], 4)


@given(st.integers(1, 40))
def test_tries_are_doubled_up_to_all_answers(answers):
    shown = tries_shown(answers)
    assert shown[0] == 1 and shown[-1] == answers and list(shown) == sorted(set(shown))
    assert all(after <= 2 * before for before, after in pairwise(shown))


def test_a_vote_is_won_by_most_and_a_draw_is_divided():
    assert majority(3, [2, 2]) == 1
    assert majority(2, [3]) == 0
    assert majority(2, [2, 1]) == 1 / 2
    assert majority(1, [1, 1, 1]) == 1 / 4
    assert majority(0, []) == 0, "no answer at all is not right"
    assert majority(0, [0]) == 0


def test_the_deviation_of_a_draw_is_that_of_answering_each_question_once():
    draw = np.random.default_rng(5)
    chance = draw.random(60)
    once = [(draw.random(60) < chance).mean() for _ in range(6_000)]
    estimates = [deviation_of_one_draw(draw.binomial(8, chance), np.full(60, 8)) for _ in range(400)]
    assert np.sqrt(np.mean(np.square(estimates))) == pytest.approx(np.std(once), rel=0.04)
    assert deviation_of_one_draw([1, 1], [2, 1]) is None


def test_votes_join_answers_that_are_the_same_and_leave_out_what_has_none():
    made = [("1/2", "wrong"), ("0.5", "wrong"), ("3", "wrong"), (None, "no_answer"), ("7", "truncated"),
            ("9", "right")]
    paths = [ReasoningPath(question="q", model="m", text=str(n), answer=answer, verdict=graded)
             for n, (answer, graded) in enumerate(made)]
    same = {frozenset(("1/2", "0.5"))}
    assert votes(paths, lambda a, b: a == b or frozenset((a, b)) in same) == [2, 1]


QUESTIONS = [question(f"What is {n}?", str(n), level=1 + n % 2, split="test") for n in range(6)]


def _paths(model: str, stated: dict[int, list[str]]) -> list[ReasoningPath]:
    rows = []
    for n, answers in stated.items():
        for index, answer in enumerate(answers):
            graded = "no_answer" if not answer else "right" if answer == str(n) else "wrong"
            rows.append(ReasoningPath(question=QUESTIONS[n].id, model=model, text=f"{index} {answer}", index=index,
                                      answer=answer or None, verdict=graded))
    return rows


def test_a_question_counts_once_however_often_it_is_answered(tmp_path):
    paths = _paths("a-1", {0: ["0", "0", "1", "1"], 1: ["1", "1", "1", "5"], 2: ["9", "8", "7", ""]})
    settings = ScoreConfig(examined=(("a-1", "a", 1),))
    whole, first, second = score(context(tmp_path, score), settings, QUESTIONS, paths)
    assert (whole.questions, whole.texts, whole.no_answer) == (3, 12, 1)
    assert whole.accuracy == pytest.approx((2 / 4 + 3 / 4 + 0) / 3)
    assert whole.pass_at == pytest.approx({1: whole.accuracy, 2: (1 - 1 / 6 + 1 + 0) / 3, 4: 2 / 3})
    assert whole.majority == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert (first.level, first.questions, second.questions) == (1, 2, 1)
    variances = [0.25 * 4 / 3, 3 / 16 * 4 / 3, 0]
    assert whole.draw_deviation == pytest.approx(math.sqrt(sum(variances)) / 3)


def test_one_answer_a_question_is_scored_as_ever(tmp_path):
    paths = _paths("a-1", {0: ["0"], 1: ["1"], 2: ["9"]})
    whole = next(score(context(tmp_path, score), ScoreConfig(examined=(("a-1", "a", 1),)), QUESTIONS, paths))
    assert (whole.right, whole.questions, whole.accuracy) == (2, 3, 2 / 3)
    assert (whole.pass_at, whole.majority, whole.draw_deviation) == ({}, None, None)
    assert [table.name for table in answer_tables([whole], 0.0)] == ["Answers"]


def test_a_comparison_pairs_the_shares_of_questions_not_their_answers(tmp_path):
    paths = (_paths("a-1", {0: ["0", "1"], 1: ["1", "1"], 2: ["2", "2"]})
             + _paths("b-1", {2: ["0", "2"], 0: ["1", "1"], 1: ["1", "1"]}))
    settings = ScoreConfig(examined=(("a-1", "a", 1), ("b-1", "b", 1)), baseline="b")
    (row,) = compare(context(tmp_path, compare), settings, paths)
    assert (row.questions, row.mean) == (3, pytest.approx((1 / 2 + 0 + 1 / 2) / 3))


def test_sixteen_answers_a_question_do_not_make_equal_arms_differ():
    """Every answer a question of its own, sorted, called 44 of 100 equal pairs different."""
    draw, claimed = np.random.default_rng(8), 0
    for _ in range(200):
        chance = np.clip(draw.normal(0.5, 0.3, 120), 0, 1)
        by_arm = np.clip(chance + draw.normal(0, 0.1, (2, 120)), 0, 1)
        shares = [draw.binomial(16, arm)[None, :] / 16 for arm in by_arm]
        claimed += verdict(difference(*shares)) != "no difference shown"
    assert claimed <= 19  # of 200: 5 % are 10, and 19 or more come in one such test of two hundred


def test_the_table_of_samples_shows_what_the_scores_say():
    scores = [Score(arm="a", seed=seed, level=None, questions=10, right=5 + seed, texts=40, no_answer=2,
                    pass_at={1: 0.5, 2: 0.6, 4: 0.7 + seed / 10}, majority=0.6, draw_deviation=0.02)
              for seed in (1, 2)]
    said, samples = answer_tables(scores, 0.7)
    assert said.rows == (("a", 80, 4 / 80, 0.0, 0.0),)
    (row,) = samples.rows
    assert row[0] == "a" and row[1:] == pytest.approx((0.65, 0.02, 0.6, 0.85, 0.6))
    text = "\n".join(in_text(samples))
    assert "4 answers to each question at temperature 0.7" in text and "maj@4" in text
    assert "65.0          2.0    60.0    85.0   60.0" in text
