"""A reply may be as long as it likes: reading and checking it takes a work that grows with its length, no faster.

Work is counted in lines of Python that are executed, so that no clock decides.
"""

import sys
import time

import pytest

from lema.checks import CHECK, Checked
from lema.records import Correction
from lema.replies import parse_correction
from lema.replies.opened import LONGEST

MISTAKE = ("We have 3 + 4 = 7 apples.", "So 7 * 2 = 14 apples remain.", "The answer is 14.")
QUESTION = "Tom has 3 apples and buys 4 more. He then doubles them. How many?"
SHAPES = {  # an explanation and a corrected step, of about so many characters
    "one word": lambda size: ("apples " * size, "apples " * size),
    "two words": lambda size: ("1 2 " * size, "1 2 " * size),
    "words in turn": lambda size: (_counted("apples", 7, size), _counted("apples", 7, size)),
    "words of its own": lambda size: (_counted("zq", 10**6, size), _counted("wy", 10**6, size)),
    "short words": lambda size: (_counted("q", 10**6, size).replace(" ", ""), _counted("w", 10**6, size)),
    "equations": lambda size: ("It is wrong.", " ".join(f"a{n} = {n} + 1 = {n + 1}." for n in range(size // 20))),
    "a chain": lambda size: ("It adds wrongly.", " = ".join(f"{n} + 1" for n in range(size // 9))),
    "steps": lambda size: ("It errs.", "\n".join(f"Step {n}: {n} + 1 = {n + 1}." for n in range(3, size // 25))),
    "brackets": lambda size: ("It adds wrongly.", "(" * (size // 2) + ")" * (size // 2)),
}


def _counted(word: str, different: int, size: int) -> str:
    return " ".join(f"{word} {n % different}" for n in range(size // (len(word) + 3)))


def _checked(shape: str, size: int) -> None:
    explanation, solution = SHAPES[shape](size)
    parsed = parse_correction(f" Step 2.\nExplanation: {explanation[:size // 2]}\nCorrect Solution:\n{{\n...\n"
                              f"Step 2: {solution[:size]}\nThe answer is 15.\n}}")
    correction = Correction(
        question="q", path="p", model="m", reply="r", step=parsed.step, explanation=parsed.explanation,
        steps=parsed.steps, first_number=parsed.first_number, quote=parsed.quote)
    checked = Checked(correction, MISTAKE, QUESTION, "15", True)
    for check in CHECK.values():
        check.passes(checked)


def _work(shape: str, size: int) -> int:
    """How many lines are executed."""
    lines = 0

    def trace(frame, event, argument):
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        _checked(shape, size)
    finally:
        sys.settrace(before)
    return lines


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_reply_is_no_more_than_twice_the_work(shape):
    _checked(shape, 500)  # what is made once is made now
    less, more = _work(shape, 4_000), _work(shape, 8_000)
    assert more < 2.3 * less + 500, f"{less:,} lines, then {more:,}"


def test_the_longest_reply_is_checked_in_little_time():
    """It was 13 to 50 seconds on an idle machine, and is a tenth of one: the bound leaves room for a busy one."""
    begun = time.process_time()
    for shape in SHAPES:
        _checked(shape, LONGEST * 3 // 5)
    assert time.process_time() - begun < 10
