"""Answers of an examination, paired by question."""

from lema.report.answers import by_question


def test_every_model_s_answers_stand_in_the_order_of_the_questions_ids():
    rows = [("a", "q2", True), ("b", "q1", True), ("b", "q2", False), ("a", "q1", False), ("a", "q3", True),
            ("b", "q3", False)]
    assert {model: found.tolist() for model, found in by_question(rows).items()} == {
        "a": [False, True, True], "b": [True, False, False]}


def test_a_question_with_several_answers_counts_once_by_its_share_of_right_ones():
    rows = [("a", "q2", True), ("a", "q1", True), ("a", "q1", False), ("a", "q2", True)]
    assert by_question(rows)["a"].tolist() == [0.5, 1.0]
    assert by_question([]) == {}
