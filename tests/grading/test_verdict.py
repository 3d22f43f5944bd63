"""Verdicts: `wrong` needs a whole text, a stated answer and a finished comparison."""

import json

import pytest

from lema.grading import GradingTimeout, grade_path, read_number, same_number


def verdict(text, gold="12", finish="stop"):
    return grade_path(text, gold, finish=finish, read=read_number, same=same_number).verdict


def test_a_right_and_a_wrong_answer():
    assert grade_path("The answer is 12.", "12", read=read_number, same=same_number) == (
        "right", "12", "answer sentence")
    assert grade_path("The answer is 13.", "12", read=read_number, same=same_number) == (
        "wrong", "13", "answer sentence")


def test_a_path_that_states_nothing_has_no_answer():
    assert verdict("I do not know.") == "no_answer"


@pytest.mark.parametrize("finish", ["length", "content_filter"])
@pytest.mark.parametrize("text", [
    "", "He has 3 bags of", "First 10 + 2 = 12", "The answer is 1", "#### 1", "\\boxed{1"])
def test_a_truncated_path_is_never_called_wrong(text, finish):
    assert verdict(text, finish=finish) == "truncated"


@pytest.mark.parametrize("text", [
    "The answer is 12.", "The answer is 12.\n\nQuestion: And what is", "So \\boxed{12} and", "#### 12\nNow let us",
    "A: 12\n\nQ"])
def test_a_path_that_was_cut_after_its_answer_is_graded(text):
    assert verdict(text, finish="length") == "right"
    assert verdict(text, gold="13", finish="length") == "wrong"


def test_a_completion_that_never_came_is_ungradable():
    graded = grade_path("The answer is 12.", "12", finish="error: refused", read=read_number, same=same_number)
    assert graded == ("ungradable", None, "error: refused")


def test_a_comparison_without_end_is_ungradable_and_never_wrong():
    def undecided(answer, gold):
        raise GradingTimeout("not decided within 3 s")

    graded = grade_path("The answer is 12.", "12", read=read_number, same=undecided)
    assert graded == ("ungradable", "12", "answer sentence, not decided within 3 s")


def test_every_label_of_real_model_solutions_is_reproduced(shared_data):
    file = shared_data / "grading_outputs/gsm8k_example_model_solutions.jsonl"
    lines = file.read_text("utf-8").strip().split("\n")
    assert len(lines) == 2604
    disagree = []
    for row in map(json.loads, lines):
        gold = row["ground_truth"].rpartition("A:")[2].strip()
        if (verdict(row["solution"], gold) == "right") != row["is_correct"]:
            disagree.append(row["id"])
    assert disagree == []
