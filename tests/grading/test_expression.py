"""The mathematical answer of a free text, in the many ways in which models state it."""

import pytest

from lema.grading import grade, read


@pytest.mark.parametrize(("text", "answer", "how"), [
    ("So $x=2$.\nThe final answer is $\\frac{1}{2}$. I hope it is correct.", "$\\frac{1}{2}$", "answer sentence"),
    ("**Final Answer**\n\nThe answer is: \\[ \\boxed{(1, 2)} \\]", "(1, 2)", "boxed"),
    ("The roots are $\\boxed{2}$ and $\\boxed{3}$.", "2, 3", "boxed"),
    ("\\boxed{1}\n\nIn short, \\boxed{2}", "2", "boxed"),
    ("We get \\boxed5.", "5", "boxed"),
    ("That is $\\boxed{28}$ percent.", "28 %", "boxed"),
    ("# Answer\n\n\\frac{5}{6}", "\\frac{5}{6}", "answer sentence"),
    ("**Answer**\n$7$", "$7$", "answer sentence"),
    ("<think>7?</think> <answer> 12 </answer>", "12", "answer sentence"),
    ("Réponse : 7", "7", "answer sentence"),
    ("Die Antwort ist 7.", "7", "answer sentence"),
    ("所以答案是：7。", "7", "answer sentence"),
    ("Ans: 3x", "3x", "A:"),
    ("The answer is odd.", "odd", "answer sentence"),
    ("The answer is $3$ or $5$, as shown.", "$3$ or $5$", "answer sentence"),
    ("The answer is \\text{June 20}.", "\\text{June 20}", "answer sentence"),
    ("She pays $\\$12$ in all. The answer is $\\$12$.", "$\\$12$", "answer sentence"),
    ("Final Answer: the roots of $f(x) = 0$ are $x = 5$ and $x = -2$.", "x = 5, x = -2", "answer sentence"),
    ("Therefore, the length of $AB$ is $6\\sqrt{2}$.", "6\\sqrt{2}", "last value"),
    ("\\[ A = \\pi r^2 = 9\\pi \\]\nso that is the area.", "9\\pi", "last value"),
    ("The values are \\(x = 1\\) and \\(x = 4\\).", "x = 1, x = 4", "last value"),
    ("So the graph is $C$.", "C", "last value"),
    ("It costs $5 and then $6 more, in all $11 for him.", "$11", "last value"),
    ("Hence she needs 107 degrees.", "107", "last value"),
    ("First 3.\n\nAltogether it is **12 apples**, as 3 times 4.", "12 apples", "bold"),
    ("x^2 + 1", "x^2 + 1", "whole"),
    ("$\\frac{1}{2}$", "$\\frac{1}{2}$", "whole"),
    ("1 000", "1 000", "whole"),
])
def test_an_expression_is_read_with_its_form(text, answer, how):
    assert read(text) == (answer, how)


@pytest.mark.parametrize("text", [
    "", "I cannot say.", "The answer is unknown.", "\\boxed{}", "Let $x$ be it. We do not know"])
def test_a_text_that_states_nothing_has_no_answer(text):
    assert grade(text, "5").verdict == "no_answer"


@pytest.mark.parametrize("next_one", [
    "\n\nQuestion: And 2?\nThe answer is 9.", "\nProblem 2: \\boxed{9}", "\nHuman: and 9?", "<|im_end|>user 9",
    "\n**Q:** \\boxed{9}"])
def test_what_belongs_to_the_next_question_is_ignored(next_one):
    assert grade("The answer is $8$." + next_one, "8").verdict == "right"


def test_a_gold_answer_may_be_a_whole_worked_solution():
    assert grade("The answer is 7.", "We add $3+4$ and get $\\boxed{7}$, as was asked.").verdict == "right"


def test_a_text_that_is_the_gold_answer_is_right_whatever_it_is():
    assert grade("all odd $n$ but $3$", "all odd $n$ but $3$") == ("right", "all odd $n$ but $3$", "whole")


def test_a_sum_of_money_is_told_from_other_numbers_of_the_sentence():
    assert read("The answer is that she still owes $220 after 12 months.").answer == "$220"
    assert read("Réponse : elle paye encore 220 € dans 12 mois.", task="number").answer == "220 €"


def test_only_the_end_of_an_endless_text_is_read():
    assert grade("word " * 100_000 + "The answer is 5.", "5").verdict == "right"
