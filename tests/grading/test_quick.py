"""The quick way gives the grade of the slow way, or none."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lema.grading import grade_path, same_expression, same_number
from lema.grading.extract import read_expression, read_number
from lema.grading.quick import quick

HEADS = ("", "He has 5.\n", "Q: what?\nThe answer is 7.\n", "It is \\boxed{4} and\n", "x: y\n", "costs $5 and ",
         "The answer is not 3.\n", "<<1+1=2>>2\n", "Problem: z\n\n")
FORMS = ("The answer is {}", "The final answer is: {}", "#### {}", "\nA: {}", "$\\boxed{{{}}}$", "**Answer:** {}",
         "the answer is{}", "Answer: **{}**", "\n####{}")
NUMBERS = ("5", "-5", "1,200", "1200.50", "007", "-0", "$5.50", "5%", "1,2", "5 apples", "5 million", "$5$",
    "5/6", "1.",
           "5 apples and", "5 percent")
TAILS = ("", ".", ".\n", "$.", "\\)", "!", "**", " So there.", "}")


def both(text, gold):
    for read, same in ((read_number, same_number), (read_expression, same_expression)):
        found = quick(text, gold)
        if found is not None:
            assert found == grade_path(text, gold, read=read, same=same), (text, gold)
        yield found is not None


@pytest.mark.parametrize("head", HEADS)
def test_the_quick_way_never_differs_from_the_slow_one(head):
    taken = [one for parts in itertools.product(FORMS, NUMBERS, TAILS)
             for one in both(head + parts[0].format(parts[1]) + parts[2], "5")]
    assert 0.1 < sum(taken) / len(taken) < 0.9 or "Q:" in head


@settings(max_examples=150, deadline=None)
@given(st.text("answer is:#AB.$\n-,0123456789 \\boxed{}*", max_size=60), st.sampled_from(["5", "-5", "1,200",
    "0.5"]),
       st.sampled_from(FORMS))
def test_it_does_not_differ_on_any_text(noise, gold, form):
    list(both(noise + "\n" + form.format(gold), gold))
    list(both(form.format(gold) + noise, gold))


@pytest.mark.parametrize("text", ["The answer is 5.", "#### 5", "So\nA: 5", "Thus $\\boxed{5}$.",
    "The answer is $5"])
def test_common_endings_take_the_quick_way(text):
    assert quick("They had some.\n" + text, "5") is not None
