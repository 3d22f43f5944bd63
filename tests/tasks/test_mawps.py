"""MAWPS: both published forms, the equation as the worked solution, two decimals."""

import pytest

from lema.errors import DataError
from lema.tasks import find_task
from tests.tasks.files import questions, write

PLAIN = {"input": "Ann has 3 nuts and finds 4 . How many has she ?", "target": 7.0, "type": "addsub"}
OWN = {"sQuestion": " Ann has 9 nuts and eats 2. How many are left? ", "lEquations": ["X=(9.0-2.0)"],
       "lSolutions": [7.0]}


def test_both_forms_become_the_same_question(tmp_path):
    first, second, third = questions("mawps", write(tmp_path, [PLAIN, OWN, OWN | {"lEquations": ["2.0*X=14.0"]}]))
    assert (first.text, first.answer, first.solution) == (PLAIN["input"], "7", None)
    assert second.text == OWN["sQuestion"].strip()
    assert second.solution == "Step 1: (9-2) = 7\nStep 2: The answer is 7."
    assert third.solution is None, "an equation that must still be solved is no worked solution"


def test_a_third_is_the_files_0_3333333333(tmp_path):
    task = find_task("mawps", {"test": write(tmp_path, [PLAIN])})
    assert task.same("1/3", "0.3333333333") and task.same("0.33", "0.3333333333")
    assert not task.same("0.3", "0.3333333333")


def test_a_bad_row_is_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.jsonl:1: question without an answer; \"lSolutions\" must be"):
        questions("mawps", write(tmp_path, [OWN | {"lSolutions": [1, 2]}]))
    with pytest.raises(DataError, match=r"train\.jsonl:1: the answer 'so' is not a number"):
        questions("mawps", write(tmp_path, [PLAIN | {"target": "so"}]))


def test_every_published_problem_loads(shared_data):
    assert len(questions("mawps", str(shared_data / "questions/mawps.jsonl"), "test")) == 2065
    assert len(questions("mawps", str(shared_data / "questions/multiarith.jsonl"), "test")) == 600
