"""Times, dates and quantities in several units mean what people mean by them."""

import pytest

from lema.grading import grade, same
from lema.grading.quantities import is_quantity, same_quantity

SAME = [
    ("6:30", "6:30 PM"), ("18:30", "6:30 PM"), ("6:30 PM", "6:30 p.m."), ("5 PM", "5:00 p.m."),
    ("12:00 PM", "noon"),
    ("0:30", "12:30 AM"), ("10:15 a.m.", "10:15AM"), ("7:05 in the evening", "19:05"), ("06:30", "6:30"),
    ("March 5th", "5 March"), ("Mar 5", "March 5"), ("Oct", "October"), ("Monday, July 4, 1776", "4 July 1776"),
    ("3 hours and 20 minutes", "200 minutes"), ("3 hours 20 minutes", "200"), ("2 hours 30 minutes", "2.5"),
    ("5 feet 6 inches", "66"), ("5 feet 6 inches", "5.5 feet"), ("2 dollars and 50 cents", "2.5"),
    ("2 pounds, 8 ounces", "40 ounces"), ("3 dozen", "36"), ("3 dozen", "3"), ("2 weeks and 3 days", "17 days"),
    ("1 1/2 hours", "1.5"), ("1 hour 15 min", "75"), ("1.5/2 hours and 15 minutes", "60 minutes"),
]
DIFFERENT = [
    ("6:30 PM", "6:30 AM"), ("15:00", "3:00 AM"), ("12:05", "12:50"), ("6:30", "6.5"), ("5:00", "5"),
    ("March 5", "March 6"), ("July 4, 1776", "July 14, 1776"), ("March", "May"),
    ("3 hours and 20 minutes", "3"), ("3 hours and 20 minutes", "20"), ("3 hours and 20 minutes", "320"),
    ("2 hours 30 minutes", "2.3"), ("5 feet 6 inches", "5.6"), ("5 feet 6 inches", "66 feet"), ("3 dozen", "12"),
]


@pytest.mark.parametrize(("answer", "gold"), SAME)
def test_one_quantity_in_two_forms_is_the_same(answer, gold):
    for task in ("gsm8k", "math"):
        assert same(answer, gold, task=task) and same(gold, answer, task=task)


@pytest.mark.parametrize(("answer", "gold"), DIFFERENT)
def test_two_quantities_are_not_the_same(answer, gold):
    for task in ("gsm8k", "math"):
        assert not same(answer, gold, task=task) and not same(gold, answer, task=task)


def test_a_quantity_in_several_units_is_read_as_a_whole():
    assert grade("The answer is 3 hours and 20 minutes.", "200", task="gsm8k").verdict == "right"
    assert grade("It leaves at 6. The answer is 6:30 PM.", "6", task="gsm8k").verdict == "wrong"
    assert is_quantity("6:30 PM") and is_quantity("2 weeks and 3 days")
    assert not is_quantity("5 km") and not is_quantity("3:2:1") and not is_quantity("5 boys and 3 girls")


@pytest.mark.parametrize(("one", "other"),
[("5", "6"), ("1 hour", "60 minutes"), ("3/0 hours 5 minutes", "x"), ("", "")])
def test_what_is_none_is_left_to_the_numbers(one, other):
    assert same_quantity(one, other) in (None, False)
