"""Whatever a model writes, there is a verdict within a moment."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lema.grading import grade_path, read_letter, read_number, read_text, same_letter, same_number, same_text

MEGABYTE = 1_000_000
KINDS = ((read_number, same_number), (read_text, same_text), (read_letter, same_letter))


@pytest.mark.parametrize("bait", [
    "1", "1,111", "1 1/", "1 1 ", "1.1", ",", "-", "$", "\\", "#", "#### ", "A: x\n", "Question:\n", " ", "\n",
    "answer ", "answer is ", "the answer: 5 ", "the answer: 5x+ ", "answer:" + " " * 50, "<<1", "{", "}",
    "\\boxed{", "\\boxed{5}", "\0", "\ud800", "\u202e", "٥", "(B", "9**",
])
def test_a_megabyte_of_bait_gets_a_verdict_in_a_moment(bait):
    text = bait * (MEGABYTE // len(bait))
    start = time.perf_counter()
    for read, same in KINDS:
        grade_path(text, "B", read=read, same=same)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize("text", [
    "The answer is 1" + "0" * MEGABYTE, "\\boxed{" * 100_000 + "5" + "}" * 100_000, "The answer is 1e999999999.",
    "The answer is 1e-999999999.", "The answer is " + "about " * 40 + "5.", "The answer is 5 " + "a" * 280,
    "The answer is 9**9**9.", "The answer is __import__('os').system('x').", "\\boxed{\\text{" + "{" * 200 + "}",
])
def test_a_hostile_answer_is_never_right_by_accident(text):
    assert grade_path(text, "6", read=read_number, same=same_number).verdict != "right"


PIECES = st.sampled_from([
    "The answer is ", "\\boxed{", "}", "####", "A:", "Question:", "$", "\\frac{1}{2}", "1,000", "3 1/2", "%",
    "(B)", "\n", " ", "Step 2: ", "<<1+1=2>>", "-", "\0", "\ud800", "e9", "**"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join), st.sampled_from(["stop", "length", "x"]))
def test_any_text_gets_a_verdict_and_a_plain_one_nothing_but_the_truth(text, finish):
    for read, same in KINDS:
        graded = grade_path(text, "1000", finish=finish, read=read, same=same)
        assert graded.verdict in ("right", "wrong", "no_answer", "truncated")
        assert (graded.answer is None) <= (graded.verdict in ("no_answer", "truncated"))
