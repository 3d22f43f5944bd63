"""Sets of real numbers, families of angles, ratios: compared by what they are, not by how they are written."""

import pytest

from lema.grading import Conventions, same

LINE, NO_ZERO = "(-\\infty,\\infty)", "(-\\infty,0)\\cup(0,\\infty)"
SAME = [
    ("\\mathbb{R}", LINE), ("all real numbers", "\\mathbb{R}"), ("x \\in \\mathbb R", LINE), ("ℝ", LINE),
    ("\\mathbb{R} \\setminus \\{0\\}", NO_ZERO), ("x \\neq 0", NO_ZERO), ("all real numbers except 0", NO_ZERO),
    ("\\{x \\mid x > 3\\}", "(3,\\infty)"), ("\\{x : x \\ge 3\\}", "[3,\\infty)"),
    ("\\{x | 1 \\le x \\le 2\\}", "[1,2]"),
    ("\\{x \\in \\mathbb{R} \\mid -1 < x \\le 4\\}", "(-1,4]"),
    ("\\{ x \\mid x<-2 \\text{ or } x>2 \\}", "|x| > 2"),
    ("|x| < 2", "(-2,2)"), ("|x-3| \\le 5", "[-2,8]"), ("1 \\le |x| \\le 2", "[-2,-1]\\cup[1,2]"),
    ("[1,3]\\cup[3,5]", "[1,5]"), ("(0,2)\\cup(1,3)", "(0,3)"), ("(0,1)\\cup\\{1\\}", "(0,1]"),
    ("[0,4]\\cap[2,6]", "[2,4]"), ("x > 1 \\text{ and } x < 5", "(1,5)"), ("x < 5, x > 1", "1 < x < 5"),
    ("x < 1, x > 5", "(-\\infty,1)\\cup(5,\\infty)"), ("5 > x > 1", "(1,5)"),
    ("(0.6, 2.6667]", "(\\frac35,\\frac83]"),
    ("\\frac{\\pi}{4}+k\\pi, k \\in \\mathbb{Z}", "\\frac{\\pi}{4}+n\\pi"), ("2k\\pi", "2n\\pi"),
    ("-\\frac{3\\pi}{4}+k\\pi", "\\frac{\\pi}{4}+n\\pi"), ("60^\\circ + 360^\\circ k", "60^\\circ + 360^\\circ n"),
    ("1:2:3", "2:4:6"), ("1 : 2 : 3", "1:2:3"), ("a:b:c = 1:2:3", "1:2:3"),
    ("\\sqrt{2}:1:1", "2:\\sqrt{2}:\\sqrt{2}"),
    ("no solution", "\\emptyset"), ("There are no real solutions.", "no solution"),
]
DIFFERENT = [
    ("\\mathbb{R}", "(0,\\infty)"), ("\\mathbb{Z}", "\\mathbb{R}"), ("x \\ne 2", "\\mathbb{R}\\setminus\\{3\\}"),
    ("\\{x \\mid x > 3\\}", "[3,\\infty)"), ("|x| < 2", "[-2,2]"), ("|x| < 2", "x < 2"), ("|x| > 2", "x > 2"),
    ("(1,3)\\cup(3,5)", "(1,5)"), ("x < 1 \\text{ or } x > 5", "(1,5)"), ("[1,3]\\cup[4,5]", "[1,5]"),
    ("[3,1)", "(3,1)"), ("(3,1)", "(1,3)"), ("[1,1)", "(1,1)"), ("f(2) < f(1) < f(4)", "f(2) < f(2) < f(4)"),
    ("2k\\pi", "k\\pi"), ("\\frac{\\pi}{3}+k\\pi", "\\frac{\\pi}{4}+k\\pi"), ("2k", "2n"), ("n+1", "k+1"),
    ("1:2:3", "1:3:2"), ("1:2:3", "1/6"), ("1:2:3", "1:2"), ("2:4:6", "1:2:3"),
    ("no solution", "0"), ("\\emptyset", "\\{0\\}"), ("all real numbers except 2", "\\mathbb{R}"),
]


@pytest.mark.parametrize(("answer", "gold"), SAME)
def test_one_set_in_two_forms_is_the_same(answer, gold):
    assert same(answer, gold)
    assert same(gold, answer, task="expression")


@pytest.mark.parametrize(("answer", "gold"), DIFFERENT)
def test_two_sets_are_not_the_same(answer, gold):
    assert not same(answer, gold)


def test_ends_count_unless_brackets_are_free():
    assert same("(0,1]\\cup[1,2)", "[0,2]", conventions=Conventions(brackets="free"))
    assert not same("(0,1]\\cup[1,2)", "[0,2]")


def test_long_unions_are_compared_or_given_up_in_a_moment():
    many = "\\cup".join(f"({n},{n}.5)" for n in range(40))
    assert same(many, many)
    assert not same(many, "(0,1)")
    assert not same(",".join(f"x \\ne {n}" for n in range(60)), "x > 0")
