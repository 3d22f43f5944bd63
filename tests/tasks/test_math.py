"""MATH: the answer is the last box of the solution, and lines of one formula are one step."""

import pytest

from lema.errors import DataError
from lema.tasks.math import last_box
from tests.tasks.files import questions, write

ROW = {"problem": "Find $x$.", "level": "Level 3", "type": "Algebra", "solution":
       "First $\\boxed{7}$ is tried.\n\\begin{align*}\nx&=1+1\\\\\n&=2\n\\end{align*}\n\nSo $\\boxed{2}$."}


def test_a_row_becomes_a_question_with_its_level_and_steps(tmp_path):
    (question,) = questions("math", write(tmp_path, [ROW]))
    assert (question.text, question.answer, question.level) == ("Find $x$.", "2", 3)
    assert question.solution == (
        "Step 1: First $\\boxed{7}$ is tried.\nStep 2: \\begin{align*} x&=1+1\\\\ &=2 \\end{align*}\n"
        "Step 3: So $\\boxed{2}$.\nStep 4: The answer is 2.")


@pytest.mark.parametrize(("text", "answer"), [
    ("\\boxed{\\frac{1}{2}}", "\\frac{1}{2}"), ("\\fbox{3}", "3"), ("\\boxed 5$.", "5"),
    ("\\boxed{\\{1\\}}", "\\{1\\}"),
    ("\\boxed{1} or \\boxed{\\text{(A)}}", "\\text{(A)}"), ("\\boxed{1", None), ("\\boxed{}", None), ("1", None),
    ("\\boxed", None), ("\\boxedx{1}", None),
])
def test_the_last_box_is_read_with_and_without_braces(text, answer):
    assert last_box(text) == answer


def test_an_answer_column_is_taken_at_its_word(tmp_path):
    rows = [{"problem": "A?", "answer": "\\frac12", "difficulty": 4.0},
            {"problem": "B?", "answer": "7", "solution": "It is $\\boxed{7}$.", "level": 5},
            {"problem": "C?", "solution": "$\\boxed{1}$", "level": "Level ?"}]
    found = questions("math", write(tmp_path, rows))
    assert [(q.answer, q.level, bool(q.solution)) for q in found] == [
        ("\\frac12", 4, False), ("7", 5, True), ("1", None, True)]


@pytest.mark.parametrize(("row", "message"), [
    ({"problem": "A?", "solution": "It is 5."}, r'train\.jsonl:1: question without an answer; its "solution"'),
    ({"problem": "A?"}, r"train\.jsonl:1: question without an answer; fill in 'solution'"),
    ({"solution": "$\\boxed{1}$"}, r"train\.jsonl:1: no question; fill in 'problem'"),
])
def test_a_bad_row_is_named(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        questions("math", write(tmp_path, [row]))


def test_every_published_problem_loads(shared_data):
    found = questions("math", str(shared_data / "questions/math_test.jsonl"), "test")
    assert len(found) == 5000
    assert {q.level for q in found} == {1, 2, 3, 4, 5}
    assert len(questions("math", str(shared_data / "questions/math500.jsonl"), "test")) == 500
