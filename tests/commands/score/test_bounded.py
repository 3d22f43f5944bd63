"""Bounded arithmetic: Python's values for literals and operators, and nothing else."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lema.commands.score.bounded import NotArithmetic, evaluate
from tests.patience import in_a_moment


def value(text):
    try:
        found = evaluate(text)
    except NotArithmetic:
        return "refused"
    return repr(found)


def python_s(text):
    try:
        return repr(eval(text, {"__builtins__": {}}, {}))
    except Exception:
        return "refused"


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=1500, deadline=None)
@given(st.text(alphabet="0123456789.+-*/()%<>&|^~ \n\t_#'[]", max_size=14))
def test_the_values_are_those_of_python(text):
    assume("**" not in text and "<<" not in text)
    assume("'" not in text or not {"*", "%"} & set(text))
    assert value(text) == python_s(text)


@pytest.mark.parametrize("text", [
    "2**10", "2**-1", "-2**2", "(-8)**0.5", "0**0", "0**-1", "7%3", "-7%3", "7.5%2", "1<<4", "5>3", "1<2<3",
    "1/3*3", "[1+1][0]", "'5'+'3'", "'5'*3", "1_000+1", "007+1", "12+3#note", "(1\n+2)", "1//0", "1/0", "5(3)+1",
    "...+1", "~5^3", "10**400/10**399", "1e5+1", "0x1F+0b1"])
def test_single_forms_have_python_s_value(text):
    assert value(text) == python_s(text)


@pytest.mark.parametrize("text", [
    "9**9**9", "9**9**9**9", "2**99999999", "1<<999999999", "10**10**10//3", "'5'*10**9+'1'", "[1]*10**9",
    "(" * 300 + "1" + ")" * 300, "-" * 5000 + "1", "+".join(["1"] * 3000), "1" * 10_000 + "+1", "\0+1", "\ud800+1",
    "__import__('os')+1", "(1).real+1", "[x for x in (1,2)]+1", "(lambda:1)()+1",
    "'%099999999d'%1", "'\\('+1"])
def test_what_is_too_large_or_no_arithmetic_is_refused_at_once(text):
    with in_a_moment(text[:20]), pytest.raises(NotArithmetic):
        evaluate(text)
