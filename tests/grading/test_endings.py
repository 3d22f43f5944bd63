"""How models end their answers, form by form: what is stated is found, and a wrong answer in it stays wrong."""

import pytest

from lema.grading import grade

SEVEN = [  # texts that answer 7, in every task of numbers and mathematics
    "**Final Answer**\n\\boxed{7}", "### Final Answer\n\n$7$", "## Final Answer: 7", "### Answer:\n\n**7**",
    "**Answer:** 7", "**Answer: 7**", "**Answer**: $7$", "ANSWER: 7", "FINAL ANSWER: 7", "Final answer = 7",
    "Ans. 7",
    "Result: 7", "The final answer is $\\boxed{7}$. I hope it is correct.", "So our answer is 7.",
    "7 is the answer.",
    "<answer> 7 </answer>", "<answer>\n$x=7$\n</answer>", "{\"reasoning\": \"3+4\", \"answer\": \"7\"}",
    "{\"answer\": 7}",
    "\\[ \\boxed{x = 7} \\]", "Hence $\\fbox{7}$", "Hence $\\boxed 7$.", "Hence \\\\boxed{7}",
    "$\\boxed{\\boxed{7}}$",
    "The answer is $\\boxed{7$.", "The answer is \\(\\boxed{7\\).", "\\boxed{7\n\nThat is it.", "#### 7",
    "####7", "#### **7**",
    "#### \\boxed{7}", "#### Answer: 7", "#### The answer is 7",
    "#### Step 1: Add\n3+4 = 6+1\n\n#### Step 2: See\nIt is 7.",
    "#### 3. Conclusion\nThe value is $x=7$.", "A: 7", "答案是7。", "所以最终答案是：7",
    "因此，答案为 $\\boxed{7}$。",
    "La respuesta es 7.", "Die Antwort lautet 7.", "La réponse est 7.", "Ответ: 7",
    "The answer is 6. Wait, I forgot one; "
    "so the answer is 7.", "\\boxed{6}\n\nWait, that is an error. It is \\boxed{7}.", "The answer is not 6 but 7.",
    "The answer is 7, not 6.", "The answer is 7 (seven).", "The answer is\n\n7", "The answer is \"7\".",
    "The answer is −7 + 14 = 7.",
    "So the total is 7.\n\nLet me know if you have any other questions!", "Thus $3 + 4 = 7$.",
    "So $f(2) = 3 + 4 = 7$.",
    "\\begin{align*}\nx &= 3 + 4 \\\\\n&= 7.\n\\end{align*}",
    "The answer is\n\\begin{equation}\nx = 7\n\\end{equation}",
    "| Item | Count |\n|---|---|\n| Pens | 3 |\n| **Total** | **7** |", "$x=7$. $\\blacksquare$",
    "The answer is 7?",
    "The answer is \\textbf{7}", "I think the answer might be 7.",
]
UNITS = ["\\boxed{7\\text{ apples}}", "The answer is 7 apples.", "\\boxed{\\$7}", "The answer is $7.",
"The answer is \\$7.00.",
         "\\boxed{7\\ \\text{cm}^2}", "$\\boxed{7\\,\\mathrm{kg\\cdot m/s}}$",
         "\\boxed{7\\,\\frac{\\text{m}}{\\text{s}}}",
         "\\boxed{7^\\circ\\text{C}}", "\\boxed{7 \\text{ (rounded)}}", "$\\boxed{7}$ square units",
         "The answer is $3 + $4 = $7."]
FORMULAS = [
    ("Therefore, x = 5 or x = -3.", "5, -3"),
    ("So the solutions are $\\boxed{5}$ and $\\boxed{-3}$.", "\\{-3, 5\\}"),
    ("So $x=\\boxed{5}$ and $y=\\boxed{-3}$.", "(5,-3)"), ("Thus\n\\[a=1,\\ b=2,\\ p=3\\]", "(1,2,3)"),
    ("The numbers are 2, 3 and 5.", "2,3,5"), ("The center is (3, -1).", "(3,-1)"), ("The area is 9π.", "9\\pi"),
    ("We leave it as 2√3/5.", "\\frac{2\\sqrt3}{5}"),
    ("The probability is $\\frac{1}{3} \\approx 0.333$.", "\\frac13"),
    ("\\boxed{\\frac{1}{3} \\approx 0.333}", "1/3"), ("The answer is all real numbers.", "\\mathbb{R}"),
    ("Answer: Yes, it is true that $50 are enough.", "Yes"),
    ("Thus, the answer is **no**, as 2 is even.", "\\text{No}"),
    ("The answer cannot be determined.", "\\text{cannot be determined}"), ("\\boxed{\\textbf{(C)}\\ 7}", "C"),
    ("\\boxed{\\text{(C) } 7}", "7"), ("\\boxed{\\begin{cases} x = 1 \\\\ y = 2 \\end{cases}}", "(1,2)"),
    ("\\boxed{\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}}", "\\mathbf{i}+2\\mathbf{j}"),
    ("\\boxed{\\text{Answer: } 5}", "5"),
    ("Hence the probability is $\\frac{3}{7}$, or about $0.43$.", "3/7"), ("The area is $24$ cm$^2$.", "24"),
    ("There are $\\binom{5}{2} = 10$ ways to choose 2 of 5.", "10"), ("\\boxed{f(x) = 2x + 1}", "y = 2x+1"),
    ("The value is 5.\n\nVerification: $5 + 5 = 10$.", "5"),
]
WRONG = [
    ("gsm8k", "#### Step 1: Add\n3+4 = 7\n\n#### Step 2: Double\n7*2 = 14\n\nSo she has 14.", "2"),
    ("gsm8k", "The answer is 3 hours and 20 minutes.", "3"), ("math", "Thus\n\\[a=1,\\ b=2,\\ p=3\\]", "3"),
    ("math", "Therefore, $x = 5$ or $x = -3$.", "5"), ("math", "The answer is at least 7.", "7"),
    ("math", "\\boxed{5!}", "5"),
    ("math", "\\boxed{5 \\text{ or more}}", "5"), ("math", "\\boxed{\\not= 3}", "3"),
    ("math", "\\boxed{\\frac{1}{20043!}}",
     "\\frac{1}{2004!}"), ("math", "\\boxed{1101_43}", "1101_4"), ("text", "The answer is ] >", ") ] >"),
     ("text", "A: )", ") )"),
]


@pytest.mark.parametrize("text", SEVEN)
def test_seven_is_seven_however_it_is_ended(text):
    for task in ("gsm8k", "math"):
        graded = grade("We add 3 and 4.\n\n" + text, "7", task=task)
        assert graded.verdict == "right", graded
        assert grade("We add 3 and 4.\n\n" + text, "8", task=task).verdict == "wrong"


@pytest.mark.parametrize("text", UNITS)
def test_units_money_and_remarks_are_left_out(text):
    for task in ("gsm8k", "math"):
        assert grade(text, "7", task=task).verdict == "right"
        assert grade(text, "70", task=task).verdict == "wrong"


@pytest.mark.parametrize(("text", "gold"), FORMULAS)
def test_formulas_and_words_are_read_as_they_are_meant(text, gold):
    assert grade(text, gold).verdict == "right", grade(text, gold)


@pytest.mark.parametrize(("task", "text", "gold"), WRONG)
def test_what_only_looks_like_the_gold_answer_is_not_right(task, text, gold):
    assert grade(text, gold, task=task).verdict in ("wrong", "no_answer", "ungradable")


@pytest.mark.parametrize("text",
["The answer is $\\boxed{42", "\\boxed{42}. Then \\boxed{4", "So \\boxed{\\frac{1}{2", "\\boxed{"])
def test_a_box_that_the_end_leaves_open_is_truncated(text):
    assert grade(text, "42").verdict == "truncated"


@pytest.mark.parametrize("text", ["\\boxed{}", "The answer is \\boxed{}.", "The answer is ____.", "I cannot say."])
def test_an_empty_answer_is_none(text):
    for task in ("gsm8k", "math"):
        assert grade(text, "5", task=task).verdict == "no_answer"
