"""Answers of an examination, paired by question."""

from lema.report.answers import by_question


def test_every_model_s_answers_stand_in_the_order_of_the_questions_ids():
    rows = [("a", "q2", True), ("b", "q1", True), ("b", "q2", False), ("a", "q1", False), ("a", "q3", True),
            ("b", "q3", False)]
    assert {model: found.tolist() for model, found in by_question(rows).items()} == {
        "a": [False, True, True], "b": [True, False, False]}


def test_several_answers_to_a_question_stand_together_the_wrong_ones_first():
    rows = [("a", "q2", True), ("a", "q1", True), ("a", "q1", False), ("a", "q2", True)]
    assert by_question(rows)["a"].tolist() == [False, True, True, True]
    assert by_question([]) == {}
