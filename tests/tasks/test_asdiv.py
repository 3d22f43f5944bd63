"""ASDiv: both spellings of the columns, one number each, the paper's 2,084."""

import pytest

from lema.errors import DataError
from lema.tasks import find_task
from tests.tasks.files import questions, write

ROW = {"body": "Ann has 7 nuts and finds 2.", "question": "How many?", "answer": "9 (nuts)", "formula": "7+2=9"}


def test_both_spellings_make_the_same_question(tmp_path):
    capital = {name.capitalize(): value for name, value in ROW.items()}
    (first,), (second,) = (questions("asdiv", write(tmp_path, [row])) for row in (ROW, capital))
    assert (first.answer, first.solution) == ("9", "Step 1: 7+2=9\nStep 2: The answer is 9.")
    assert first == second


def test_what_is_no_single_number_is_left_out_and_a_question_twice_is_kept_twice(tmp_path):
    rows = [ROW, ROW | {"body": "When?", "answer": "3:30 p.m."}, ROW | {"body": "Which?", "answer": "13; 39"}, ROW]
    first, again = questions("asdiv", write(tmp_path, rows))
    assert (first.text, first.source, again.source) == (again.text, "train.jsonl:1", "train.jsonl:4")
    assert first.id != again.id


def test_held_out_rows_are_questions_of_the_set(tmp_path):
    rows = [ROW | {"body": f"{n} nuts.", "answer": f"{n} (nuts)" if n % 2 else "Yes"} for n in range(20)]
    task = find_task("asdiv", {"train": write(tmp_path, rows), "dev": 4})
    assert [len(list(task.questions(split))) for split in ("train", "dev")] == [6, 4]


def test_a_row_without_an_answer_is_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.jsonl:1: question without an answer; fill in 'answer'"):
        questions("asdiv", write(tmp_path, [{"body": "A.", "question": "B?"}]))


def test_the_paper_s_number_of_problems_is_kept(shared_data):
    found = questions("asdiv", str(shared_data / "questions/asdiv_tora.jsonl"), "test")
    assert len(found) == len({question.id for question in found}) == 2084
    assert sum(question.answer == "0" for question in found) == 6
