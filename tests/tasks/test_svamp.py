"""SVAMP: body and question joined, the equation as the worked solution, two decimals."""

import pytest

from lema.errors import DataError
from lema.tasks import find_task
from tests.tasks.files import questions, write

ROW = {"ID": "a", "Body": "Each pack costs 76 dollars. If it is 25 dollars cheaper", "Type": "Subtraction",
       "Question": "what does it cost?", "Equation": "( 76.0 - 25.0 )", "Answer": 51.0}


def test_a_row_becomes_a_question_with_its_equation_as_the_solution(tmp_path):
    first, second = questions("svamp", write(tmp_path, [
        ROW, {"Body": "Ann has 3 nuts.", "Question": "How many?", "Answer": "145.00"}]))
    assert first.text == "Each pack costs 76 dollars. If it is 25 dollars cheaper, what does it cost?"
    assert (first.answer, first.solution) == ("51", "Step 1: 76 - 25 = 51\nStep 2: The answer is 51.")
    assert (second.text, second.answer, second.solution) == ("Ann has 3 nuts. How many?", "145", None)


def test_answers_are_compared_at_two_decimals(tmp_path):
    task = find_task("svamp", {"test": write(tmp_path, [ROW])})
    assert task.same("0.333", "0.33")
    assert task.same("1/3", "0.33")
    assert not task.same("0.34", "0.33")


def test_a_bad_row_is_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.jsonl:1: the answer 'so' is not a number"):
        questions("svamp", write(tmp_path, [ROW | {"Answer": "so"}]))
    with pytest.raises(DataError, match=r"train\.jsonl:1: no question; fill in 'Body'"):
        questions("svamp", write(tmp_path, [{"Question": "So?", "Answer": 1}]))
    with pytest.raises(DataError, match=r"train\.jsonl:2: id 'a' stands at"):
        questions("svamp", write(tmp_path, [ROW | {"id": "a"}, ROW | {"Body": "Other.", "id": "a"}]))


def test_every_published_problem_loads(shared_data):
    assert len(questions("svamp", str(shared_data / "questions/svamp.jsonl"), "test")) == 1000
