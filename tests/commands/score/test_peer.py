"""math-verify as the other grader: its own verdicts, in a process that is killed when late."""

import pytest

from lema.commands.score import peer
from tests.patience import in_a_moment

pytestmark = pytest.mark.living


@pytest.mark.parametrize(("text", "gold", "verdict"), [
    ("So it is $\\boxed{\\frac{2}{4}}$.", "\\frac{1}{2}", "right"), ("The answer is 5.", "5", "right"),
    ("The answer is 6.", "5", "wrong"), ("No idea.", "5", "no_answer"), ("", "5", "no_answer"),
])
def test_whole_texts_get_math_verify_s_verdict(text, gold, verdict):
    assert peer.grade(text, gold).verdict == verdict


def test_what_it_does_not_decide_in_time_is_ungradable_and_the_next_text_is_judged():
    with in_a_moment("a text with a limit"):
        assert peer.grade("\\boxed{9^{9^{9^{9^9}}}}", "\\sqrt{2}", limit_s=0.7).verdict in ("ungradable", "wrong")
        assert peer.grade("The answer is 9**9**9**9.", "7", limit_s=0.7).verdict in ("ungradable", "wrong")
    assert peer.grade("The answer is 5.", "5", limit_s=60).verdict == "right"
