"""Which two answers are one: every rule of the comparison with a case of our own."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.grading import Conventions, same

SAME = [
    (r"\text{(B)}", "B"), ("x=5", "5"), (r"5 \text{ cm}^2", "5"), (r"\$5.50", "5.50"), (r"50\%", "50"),
    ("3:2", r"\frac{3}{2}"), (r"\frac{-1}{2}", "-0.5"), (r"2\sqrt{2}", r"\sqrt{8}"), ("1+x^2", "x^2+1"),
    ("2x+1", "y = 2x+1"), ("y=2x+1", "2x - y + 1 = 0"), (r"\{1, 2, 3\}", "1,2,3"), ("x=1, x=2", "1,2"),
    (r"x = 1 \text{ or } x = 2", "1,2"), (r"x \le 3", r"(-\infty, 3]"), (r"\text{no solution}", "no solution"),
    (r"\langle 1,2,3\rangle", "(1,2,3)"), (r"45 \text{ degrees}", r"45^\circ"), ("1011_{2}", "1011_2"),
    (r"2\frac{1}{3}", "7/3"), ("1 million", "1{,}000{,}000"), (r"1\,000\,000", "1000000"),
    (r"\frac{1}{2} \text{ square units}", "1/2"), (r"5\pi \text{ cm}^3", r"5\pi"),
    (r"12 \, \mathrm{m/s}", "12"), ("1.5e-3", "0.0015"), ("10^{-3}", ".001"),
    (r"6.02 \times 10^{23}", "602000000000000000000000"), (r"0.\overline{3}", "1/3"),
    (r"\frac{137}{111}", r"1.\overline{234}"), (r"\arctan 2", r"\tan^{-1}(2)"),
    (r"\frac{\ln 3}{\ln 2}", r"\log_2 3"), ("2^{1/3}", r"\sqrt[3]{2}"),
    (r"f^{-1}(x) = \frac{x-1}{2}", r"\frac{x-1}{2}"), ("3", r"x \equiv 3 \pmod{7}"), ("x/2", r"\frac{1}{2}x"),
    (r"\pm 2", "2,-2"), (r"x = \pm 2", r"\pm 2"), ("17th", "17"), (r"17\text{th}", "17"), ("fifteen", "15"),
    (r"\approx 3.14", "3.14"), ("3.14159...", r"\pi"), (r"\frac{1}{2} \text{ or } 0.5", "0.5"),
    (r"\text{East}", "east"), (r"3\text{ hours}", "3"), ("(3, 4)", "(3,4)"), ("a=2, b=3", "(2,3)"),
    (r"8 \text{ and } 6", "6,8"), (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}"), ("(x+1)(x-1)", "x^2-1"),
    ("[2, 5)", r"2 \le x < 5"), (r"x<-1 \text{ or } x>1", r"(-\infty,-1)\cup(1,\infty)"),
    (r"(1,\infty)\cup(-\infty,-1)", r"(-\infty,-1)\cup(1,\infty)"), ("e^{2}", "e^2"), ("2i+1", "1+2i"),
    ("|x|", r"\sqrt{x^2}"), ("n(n+1)/2", r"\frac{n^2+n}{2}"), (r"\binom{5}{2}", "10"),
    ("-2 < x < 3", r"x \in (-2,3)"), (r"\dfrac{3}{4}", "0.75"), ("1,000", "1000"),
    (r"\begin{bmatrix}1\\2\end{bmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"), ("2^{10}", "1024"),
    (r"\sin 30^\circ", r"\frac12"), (r"\frac{\pi}{6}", r"30^\circ"), (r"\$12 \text{ per hour}", "12"),
    ("12 dollars", r"\$12"), ("3/4", r"\frac{3}{4} \text{ cup}"), (r"10 \text{ minutes}", "10"),
    (r"\emptyset", r"\varnothing"), ("∅", r"\{\}"), (r"6:00\text{ p.m.}", "6:00 PM"),
    (r"\mathbb{R}", r"\mathbb{R}"), (r"36\sqrt{3}\text{ units}^2", r"36\sqrt3"),
    ("y = x^2 - 4x + 3", "x^2-4x+3"), (r"\frac{x^2}{4}+y^2=1", "x^2+4y^2=4"), ("2,3,5", "{2,3,5}"),
    (r"-\frac{\sqrt{2}}{2}", r"-\frac{1}{\sqrt{2}}"), (r"14^{\text{th}}", "14"), (r"6 \text{ units}", "6"),
    (r"5,\!040", "5040"), (r"\text{Monday}", "Monday"), (r"\frac{7}{12}\,", "7/12"),
    (r"12\frac{1}{2}\%", r"12.5\%"), ("12.5", r"12\frac{1}{2}"), (r"75^{\circ}", "75"),
    (r"\cos\theta", r"\cos(\theta)"), ("3x^2y", "3yx^2"), (r"\sqrt{x}\sqrt{y}", r"\sqrt{xy}"),
    ("t = 4 seconds", "4"), ("(p,q) = (1,2)", "p=1,q=2"), (r"4 \times 10^{-2}", "0.04"), ("4:30", "4:30"),
    ("4{:}30", "4:30"), (r"m\angle A = 30^{\circ}", "30"), (r"\triangle ABC = 12", "12"), (r"\boxed{12}", "12"),
    ("A", "(A)"), (r"2 \text{ or } 3", "3,2"), (r"120 \text{ sq. ft.}", "120"), ("90 sq cm", "90"),
    (r"0.5\text{ m}", "0.5"), (r"\frac{3}{2}\pi", r"\frac{3\pi}{2}"), ("1.0", "1"), ("x > 3", "3 < x"),
    (r"\left(\frac{1}{2}, -3\right)", "(0.5,-3)"), (r"\text{{5}}", "5"), ("5x", "5 x"),
    (r"11\sqrt{2}", r"11 \sqrt 2"), (r"\frac{n}{n+1}", r"1-\frac{1}{n+1}"), ("(-1)^n", "(-1)^{n}"),
    (r"\text{not possible}", "Not possible"), (r"\infty", r"\infty"), (r"(0,\infty)", "x>0"),
    (r"\mathbf{(A)}", "A"), (r"2.5 \times 10^3", "2500"), (r"k\pi", r"\pi k"),
    (r"12\text{ hours and }30\text{ minutes}", r"12\text{ hours and }30\text{ minutes}"),
    (r"\frac{1}{3},\ \frac{2}{3}", r"\frac13, \frac23"), (r"-3,\,3", r"\pm 3"), (r"3\,\text{cm}", "3"),
    ("e", "e"), ("65,536", "65536"), ("f(x) = 2x", "2x"), ("x+y=4", "y = 4 - x"), ("2:3", "2:3"), ("4!", "24"),
    ("{5}", "5"), (r"\{5\}", "5"), ("C", r"\text{C}"), (r"\sqrt{2}/2", r"\frac{\sqrt2}{2}"), ("3 - 2i", "3-2i"),
    (r"\log 100", "2"), (r"7.0\%", r"7\%"), (r"$\frac{5}{6}$ of an hour", r"\frac56"),
    (r"12\text{ m/s}^2", "12"), (r"12^\circ\text{C}", "12"), (r"\nicefrac{1}{2}", "0.5"),
    (r"\lvert x\rvert", "|x|"),
    (r"\color{red}{5}", "5"), (r"5\checkmark", "5"), (r"\Rightarrow 5", "5"), ("0.(3)", "1/3"),
    (r"0.3\dot{6}", "11/30"),
    ("2.718281828", "e"), ("3.14159", r"\pi"), (r"+/- 5", r"\pm 5"), (r"x \equiv 3 \pmod 7", r"3 \pmod{7}"),
    (r"413_{\text{five}}", "413_5"), (r"2\operatorname{cis} 60^\circ", r"1+i\sqrt{3}"), ("∛8", "2"),
    ("C(6,2)", "15"),
    (r"{}_{10}C_3", "120"), ("P(1,2)", "(1,2)"), ("y=3, x=2", "(2,3)"), ("x_1 = 2, x_2 = 3", "3, 2"),
    (r"\begin{cases} x = 1 \\ y = 2 \end{cases}", "x=1, y=2"),
    ("[[1,2],[3,4]]", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    (r"2\hat{i} + 3\hat{j} - \hat{k}", r"\langle 2,3,-1\rangle"), (r"36\pi \approx 113.1", "113.1"),
    ("3 to 2", "3:2"),
    ("3 out of 5", r"\frac35"), ("12 of the 30 students", "12"), ("two thirds", r"\frac23"), ("twice", "2"),
    ("m+n=5", "5"), ("|AB| = 5", "5"), ("[ABC] = 12", "12"), ("-20%", "-20"), ("option A", "(A)"),
    (r"\arcsin(1/2)", r"30^\circ"), ("DNE", r"\text{does not exist}"), ("infinitely many", r"\infty"),
    ("Yes, it is.", "yes"),
    (r"\textbf{(A) } 5", "5"),
]
DIFFERENT = [
    (r"\sqrt{2}", r"\{\sqrt{\infty}\}"), (r"\{\sqrt{\infty}\}", r"\sqrt{2}"),
    ("6:00 p.m.", "6:00 a.m."), (r"\emptyset", "0"), (r"\emptyset", r"\{0\}"),
    ("2x", "2"), ("5", "-5"), ("(1,2)", "(2,1)"), ("[1,2]", "(1,2)"), ("1,2", "1,2,3"), ("x>3", r"x\ge 3"),
    (r"\sqrt{2}", "1.41"), ("x", "|x|"), ("3.14", r"\pi"), (r"10\%", "1"), (r"0.1\%", "10"),
    (r"\frac{1}{2}", "2"), ("x=5", "y=5"), ("(1,2),(3,4)", "(1,2),(4,3)"),
    (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}2&1\end{pmatrix}"), ("A", "B"),
    ("2^{100}", "2^{101}"), ("10^{12}+1", "10^{12}"), (r"\sqrt{10^{12}+1}", "10^6"), ("x^2", "x^3"),
    ("a+b", "a-b"), (r"5 \text{ and } 6", "5"), ("yes", "no"), ("1:2", "2:1"), (r"\sin x", r"\cos x"),
    ("east", "west"), ("12", "12x"), ("1.5", "15"), ("1,5", "15"), (r"\frac{2}{4}", r"\frac12"),
    ("(-1)^n", "1"), ("n", "n+1"), ("x<3", "x>3"), ("1011_2", "1011_3"), (r"\{1,2\}", r"\{1,2,3\}"),
    (r"\ln 100", "2"), ("4:30", "5:30"), ("2x=6", "6"), ("2x=6", "3"), (r"\pi", "3.1416x"),
    (r"\lceil x\rceil", r"\lfloor x\rfloor + 1"), ("ABCD", "ABDC"), ("m + n = 5", "6"), ("x + 1 = 5", "5"),
    ("5!", "5"), ("5 or more", "5"), (r"\not= 3", "3"), ("3.1417", r"\pi"), ("between 5 and 7", "6"),
    ("5 to 7", "5"),
    (r"x \equiv 3 \pmod{7}", r"x \equiv 3 \pmod{8}"), ("25_{-6}", "25_{6}"), ("P(1,2)", "(2,1)"), ("A(1, 2)", "2"),
    ("x=2, y=3", "(3,2)"), (r"2\mathbf{i} + 3\mathbf{j}", "(3,2)"), ("one half", "2"), ("(A) 5", "(B)"),
    ("No, never", "yes"),
    (r"\frac{1}{3} \approx 0.333", "0.33"), ("12 of the 30 students", "30"), ("Bob", "Bobby"),
    ("does not exist", "undefined"),
]


@pytest.mark.parametrize(("answer", "gold"), SAME)
def test_one_answer_in_two_forms_is_the_same(answer, gold):
    assert same(answer, gold)
    assert same(f"$\\boxed{{{answer}}}$" if "$" not in answer else answer, gold)


@pytest.mark.parametrize(("answer", "gold"), DIFFERENT)
def test_two_answers_are_not_the_same(answer, gold):
    assert not same(answer, gold)


def test_equality_does_not_depend_on_which_side_is_gold():
    unreduced = {("\\frac{2}{4}", "\\frac12")}
    for answer, gold in SAME:
        assert same(gold, answer, task="expression"), (gold, answer)
    for answer, gold in DIFFERENT:
        if (answer, gold) not in unreduced:
            assert not same(gold, answer, task="expression"), (gold, answer)


@pytest.mark.parametrize(("setting", "answer", "gold", "default", "then"), [
    ({"percent": "number"}, "0.1", "10\\%", True, False),
    ({"percent": "number"}, "10", "10\\%", True, True),
    ({"percent": "share"}, "10", "10\\%", True, False),
    ({"percent": "share"}, "0.1", "10\\%", True, True),
    ({"fractions": "reduced"}, "\\frac{6}{8}", "\\frac34", True, False),
    ({"fractions": "reduced"}, "6/8", "0.75", True, True),
    ({"order": "fixed"}, "2, 1", "1, 2", True, False),
    ({"order": "fixed"}, "1, 2", "1, 2", True, True),
    ({"brackets": "free"}, "(1,2)", "\\{1,2\\}", False, True),
    ({"brackets": "free"}, "(0,1)", "[0,1]", False, True),
    ({"decimals": 2}, "0.333", "\\frac13", False, True),
    ({"decimals": 2}, "2.344", "2.336", False, True),
    ({"rounded": None}, "0.33333", "\\frac13", True, False),
    ({"rounded": 2}, "0.33", "\\frac13", False, True),
    ({"units": "must match"}, "5 km", "5 m", True, False),
    ({"units": "must match"}, "5 km", "5 \\text{ km}", True, True),
    ({"units": "must match"}, "5", "5 km", True, False),
])
def test_each_convention_changes_what_it_says(setting, answer, gold, default, then):
    assert same(answer, gold, task="expression") == default
    assert same(answer, gold, task="expression", conventions=Conventions(**setting)) == then


def test_tasks_bring_their_own_conventions():
    assert same("0.6667", "0.67", task="svamp") and same("0.6667", "0.67", task="asdiv")
    assert not same("0.6667", "0.67", task="gsm8k")
    assert same("\\frac{2}{4}", "\\frac{1}{2}", task="expression")
    assert not same("\\frac{2}{4}", "\\frac{1}{2}", task="math")


CHANGED = ("12", "-3", r"\frac{5}{7}", "3x^2+2x", "(1,-4)", "[2,9)", r"\{3,8\}", r"2\sqrt{13}", "6:45 PM", "4:9",
"17 cm",
           r"(-\infty,3)\cup(8,\infty)", "x < 6", "y=3x-8", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "62\\%",
           "3+5i", "2, 9",
           r"\log_3 7", r"\frac{3\pi}{8}", "231_4", "2^{15}", "$18.50", "19 \\text{ units}")
"""Answers that are other answers once one of their digits, signs or brackets is changed."""


@pytest.mark.parametrize("gold", CHANGED)
def test_an_answer_with_one_sign_changed_is_another_answer(gold):
    changed = [gold[:place] + str((int(sign) + 1) % 10) + gold[place + 1:] for place, sign in enumerate(gold)
               if sign.isdigit()]
    swaps = (("(", "["), ("[", "("), ("<", ">"), ("+", "-"), ("x^2", "x^3"), ("\\sqrt", ""), ("\\cup", "\\cap"),
             ("PM", "AM"), ("-", ""), ("{pmatrix}1&2", "{pmatrix}2&1"))
    changed += [gold.replace(old, new, 1) for old, new in swaps if old in gold]
    for one in changed:
        if not (gold.startswith("\\frac") and one.startswith("\\frac{0}")):
            assert not same(one, gold), (one, gold)


NUMBERS = st.fractions(max_denominator=10**6).filter(lambda value: abs(value) < 10**12)


@given(NUMBERS, NUMBERS)
def test_rational_answers_are_the_same_exactly_when_they_are_equal(one, other):
    def forms(value: Fraction):
        yield str(value)
        yield f"\\frac{{{value.numerator}}}{{{value.denominator}}}"
        yield f"{value.numerator}\\cdot{value.denominator}^{{-1}}"

    for form in forms(one):
        assert same(form, str(one), task="expression")
        assert same(form, str(other), task="expression") == (one == other)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=5), st.randoms())
def test_lists_and_sets_may_be_shuffled_and_tuples_may_not(values, random):
    shuffled = random.sample(values, len(values))
    one, other = ", ".join(map(str, values)), ", ".join(map(str, shuffled))
    assert same(one, other) and same(f"\\{{{one}\\}}", f"\\{{{other}\\}}")
    assert same(f"({one})", f"({other})") == (values == shuffled)


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=3), st.integers(-5, 5))
def test_a_polynomial_equals_its_expansion_and_no_other(roots, shift):
    a, b, c = roots
    expanded = f"x^3 - ({a + b + c})x^2 + ({a * b + b * c + a * c})x - ({a * b * c})"
    assert same(expanded, f"(x-({a}))(x-({b}))(x-({c}))")
    assert same(expanded + f"+({shift})", f"(x-({a}))(x-({b}))(x-({c}))") == (shift == 0)
