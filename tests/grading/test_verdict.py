"""Verdicts: `wrong` needs a whole text, a stated answer and a finished comparison."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from lema.grading import GradingTimeout, grade, grade_many, grade_path, read, read_number, same, same_number


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


NO_TEXT = (None, {}, {"answer": 12}, b"12", object(), float("nan"), float("inf"), True, [], [None], [[]],
           10 ** 5000)


@pytest.mark.parametrize("kind", ["number", "math", "text", "choice"])
@pytest.mark.parametrize("other", NO_TEXT, ids=lambda value: type(value).__name__)
def test_nothing_raises_whatever_text_gold_and_choices_are(kind, other):
    assert grade("The answer is 12.", other, task=kind).verdict == "ungradable"
    assert grade(other, "12", task=kind).verdict == "ungradable"
    assert grade("The answer is 12.", "12", task=kind, finish=other, choices=other).verdict in (
        "right", "no_answer", "wrong")
    assert not same("12", other, task=kind)
    assert read(other, task=kind).answer is None
    for workers in (0, 1):
        rows = [("The answer is 12.", other), (other, "12"), ("The answer is 12.", other, "stop", ())]
        assert [each.verdict for each in grade_many(rows, task=kind, workers=workers)] == ["ungradable"] * 3


def test_a_list_of_gold_answers_is_a_choice_of_them():
    for golds in (["11", "12"], ("12",), {"11", "12"}, [11, 12], [None, 12]):
        assert grade("The answer is 12.", golds, task="gsm8k").verdict == "right"
        (graded,) = grade_many([("The answer is 12.", golds)], task="gsm8k", workers=1)
        assert graded.verdict == "right"
        assert same("12", golds, task="gsm8k")
    assert grade("The answer is 13.", ["11", "12"], task="gsm8k").verdict == "wrong"
    assert grade("So \\boxed{(1, 2)}.", ["3", "(1,2)"]).verdict == "right"


@pytest.mark.parametrize("gold", [12, 12.0, Decimal("12.00"), Fraction(24, 2)])
def test_a_gold_number_is_its_digits(gold):
    assert grade("The answer is 12.", gold, task="gsm8k").verdict == "right"
    assert grade("The answer is 0.5.", gold / 24, task="gsm8k").verdict == "right"


@pytest.mark.parametrize(("task", "gold"), [
    ("gsm8k", "3 * 4 = <<3*4=12>>12 bags\n#### 12"), ("svamp", "3 + 9 = 12\nThe answer is 12."),
    ("math", "We have $3 \\cdot 4 = \\boxed{12}$, as 4 is even."), ("number", "Step 1: 12 = 12.\n#### 12")])
def test_a_whole_worked_gold_text_is_the_answer_that_it_states(task, gold):
    assert grade("So the answer is 12.", gold, task=task).verdict == "right"
    assert grade("So the answer is 4.", gold, task=task).verdict == "wrong"
    assert same("12", gold, task=task)
