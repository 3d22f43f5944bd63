"""Equality of answers, kind by kind."""

import json

import pytest

from lema.grading import read_number, same_letter, same_number, same_text


@pytest.mark.parametrize(("answer", "gold"), [
    ("1,200", "1200"), ("$1200.00", "1,200"), ("3.50", "7/2"), ("20%", "20"), ("12 apples", "12"), ("7.", "7"),
    ("10:30", "10:30"), ("**(2, 3)**", "(2, 3)"), ("\\frac{1}{2}", "0.5"),
])
def test_equal_numbers_are_the_same(answer, gold):
    assert same_number(answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [
    ("12", "1200"), ("0.33", "1/3"), ("-5", "5"), ("15.5", "3 1/2"), ("57", "5 to 7"), ("13", "1e3"),
    ("unknown", "0"), ("34", "3*4"),
    ("99999999999999999999999999999999999999", "99999999999999999999999999999999999998"),
])
def test_different_numbers_are_not_the_same(answer, gold):
    assert not same_number(answer, gold)


@pytest.mark.parametrize(("answer", "gold"), [
    ("2\\sqrt{2}", "\\sqrt{8}"), ("3 * 4", "12"), ("x^2 + 2x + 1", "(x+1)^2"),
])
def test_what_is_symbolic_is_compared_as_mathematics(answer, gold):
    assert same_number(answer, gold)
    assert not same_number(answer, "11")


def test_words_and_letters_are_compared_without_their_dress():
    assert same_text('The "Rowing  Boat".', "rowing boat")
    assert not same_text("boat", "rowing boat")
    assert same_letter("(b)", "B")
    assert not same_letter("A", "B")


@pytest.mark.parametrize(("split", "count"), [("train", 7473), ("test", 1319)])
def test_every_gold_answer_of_gsm8k_equals_itself_through_every_form(shared_data, split, count):
    rows = (shared_data / f"questions/gsm8k_{split}.jsonl").read_text("utf-8").strip().split("\n")
    assert len(rows) == count
    for row in rows:
        text = json.loads(row)["answer"]
        gold = text.rpartition("####")[2].strip()
        assert same_number(gold, gold)
        for form in (text, f"The answer is {gold}.", f"\\boxed{{{gold}}}", f"A: {gold}", f"That makes ${gold}."):
            assert same_number(read_number(form).answer, gold), form
