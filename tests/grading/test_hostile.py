"""Whatever a model writes, there is a verdict within a moment."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lema.grading import GradingTimeout, grade, same
from tests.patience import in_a_moment

MEGABYTE = 1_000_000
KINDS = ("number", "math", "text", "choice")


@pytest.mark.parametrize("bait", [
    "1", "1,111", "1 1/", "1 1 ", "1.1", ",", "-", "$", "\\", "#", "#### ", "A: x\n", "Question:\n", " ", "\n",
    "answer ", "answer is ", "the answer: 5 ", "the answer: 5x+ ", "answer:" + " " * 50, "<<1", "{", "}",
    "\\boxed{", "\\boxed{5}", "\0", "\ud800", "\u202e", "٥", "(B", "9**",
    "**1**", "** ", "$1", "$x$ and ", "$5 and ", "\\(", "\\( x \\)", "\\[", "$$", "Q:", "\nQ", "<|",
    "\\text{", "\\frac", "^",
    "_{", "answer>", "</answer>", "Ans:", "|", "\\left(", "and ", "=", "½", "²", "0.\\overline{3}",
    "percent ", "1'000",
    "one ", "hundred and ", "is $", "\\pm", "答案是", "réponse: ", "it is B ", ": ",
    "<think>", "</think>", "[INST]", "\n### Instruction:\n", "#### Step 2\n", "A: x\nB: y\n", "B is correct. ",
    "the answer can't be ", "for a b c d 5", "5 or 6 ", "\nNote: 5", "{\"answer\": \"",
])
def test_a_megabyte_of_bait_gets_a_verdict_in_a_moment(bait):
    text = bait * (MEGABYTE // len(bait))
    with in_a_moment(f"a megabyte of {bait!r}"):
        for kind in KINDS:
            assert grade(text, "B", task=kind).verdict in ("right", "wrong", "no_answer", "truncated")


@pytest.mark.parametrize("text", [
    "The answer is 1" + "0" * MEGABYTE, "\\boxed{" * 100_000 + "5" + "}" * 100_000, "The answer is 1e999999999.",
    "The answer is 1e-999999999.", "The answer is " + "about " * 40 + "5.", "The answer is 5 " + "a" * 280,
    "The answer is 9**9**9.", "The answer is __import__('os').system('x').", "\\boxed{\\text{" + "{" * 200 + "}",
])
def test_a_hostile_answer_is_never_right_by_accident(text):
    assert grade(text, "6", task="number").verdict != "right"
    assert grade(text, "6", task="math").verdict != "right"


PIECES = st.sampled_from([
    "The answer is ", "\\boxed{", "}", "####", "A:", "Question:", "$", "\\frac{1}{2}", "1,000", "3 1/2", "%",
    "(B)", "\n", " ", "Step 2: ", "<<1+1=2>>", "-", "\0", "\ud800", "e9", "**"])


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join), st.sampled_from(["stop", "length", "x"]))
def test_any_text_gets_a_verdict_and_a_plain_one_nothing_but_the_truth(text, finish):
    for kind in KINDS:
        graded = grade(text, "1000", task=kind, finish=finish)
        assert graded.verdict in ("right", "wrong", "no_answer", "truncated")
        assert (graded.answer is None) <= (graded.verdict in ("no_answer", "truncated"))


TOWERS = ("9^{9^{9^9}}", "9**9**9", "3000!!!", "(10^{9})!", "2^{1000000}", "1e999999999",
    "e^{e^{e^{e^{e}}}}", "x^{99999}",
          "\\sin(9^{9^9})", "\\binom{1000000}{500000}", "\\sqrt[1000000]{2}", "(x+y+z)^{100000}")


@pytest.mark.parametrize("tower", TOWERS)
def test_a_tower_is_equal_to_itself_and_never_to_five(tower):
    assert same(tower, tower)
    assert same(f"\\left( {tower} \\right)", f"({tower})")
    with in_a_moment(tower):
        graded = grade(f"The answer is ${tower}$.", "\\text{five}")
    assert graded.verdict in ("wrong", "ungradable")


def test_what_cannot_be_decided_in_time_is_ungradable_and_never_wrong():
    graded = grade("So we get $\\boxed{9^{9^{9^9}}}$.", "5")
    assert graded.verdict == "ungradable" and graded.how.startswith("boxed, ")
    with pytest.raises(GradingTimeout):
        same("9^{9^{9^9}}", "5")


@pytest.mark.parametrize("deep", [
    "{" * 100_000, "\\boxed{" * 300 + "5" + "}" * 300, "(" * 200 + "1" + ")" * 200, "\\sqrt{" * 80 + "2" + "}"
    * 80,
    "-" * 300 + "5", "2" + "^2" * 250, "x" + "'" * 300, "+".join("1" * 250), "\\pm" * 150 + "1",
    "1" + "\\pm 1" * 90,
    "|" * 250, "|(|)|{}|", "|()|" * 20, "\\cot 0", "(-1)!", "⑺", "5_0", "\\log_1 5"
    "1," * 150, "(1,2)," * 80, "\\frac{" * 90, "9" * 500, "1" + "0" * 10_000, "a_{" * 100, "\\left"
    * 90,
])
def test_deep_and_long_formulas_end(deep):
    with in_a_moment(deep[:20]):
        assert grade(f"\\boxed{{{deep}}}", "6").verdict != "right"
        assert grade("\\boxed{6}", deep).verdict != "right"


def test_nothing_that_is_graded_is_executed(tmp_path):
    trace = tmp_path / "trace"
    for code in (f"__import__('os').system('touch {trace}')", f"open('{trace}','w')", "exit()", "Symbol('x')",
                 f"exec('open(\"{trace}\",\"w\")')", "lambda: 1", "S.Infinity", "integrate(x,(x,0,1))"):
        for kind in KINDS:
            assert grade(f"The answer is {code}.", "5", task=kind).verdict != "right"
            assert grade(f"\\boxed{{{code}}}", "5", task=kind).verdict != "right"
    assert not trace.exists()


FORMULAS = st.recursive(
    st.sampled_from(["1", "2", "x", "y", "\\pi", "0.5", "e", "i", "10", "\\infty", "n"]),
    lambda part: st.one_of(
        st.tuples(part, part).map(lambda both: f"\\frac{{{both[0]}}}{{{both[1]}}}"),
        st.tuples(part, st.sampled_from(["+", "-", "\\cdot ", "^", "=", "<", ",", "\\pm ", "\\cup "]), part).map(
            lambda three: f"{three[0]}{three[1]}{{{three[2]}}}"),
        part.map(lambda one: f"\\sqrt{{{one}}}"), part.map(lambda one: f"({one})"), part.map(lambda one:
        f"{one}!"),
        part.map(lambda one: f"\\{{{one}\\}}"), part.map(lambda one: f"\\sin {{{one}}}")), max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(FORMULAS, FORMULAS)
def test_any_formula_equals_itself_and_equality_has_two_sides(one, other):
    assert same(one, one)
    assert same(f"\\left({one}\\right)", f"({one})")
    if len(one) + len(other) < 40 and "!" not in one + other:
        with contextlib.suppress(GradingTimeout):
            assert same(one, other, task="expression") == same(other, one, task="expression")
