"""CommonsenseQA: three forms of one question, answered by letter or text."""

import pytest

from lema.errors import DataError
from lema.tasks import answers_to, find_task
from tests.tasks.files import questions, write

NESTED = {"answerKey": "B", "id": "x", "question": {"stem": "Where do roses grow?", "choices": [
    {"label": "A", "text": "bank"}, {"label": "B", "text": "rose garden"}, {"label": "C", "text": "bank"}]}}
COLUMNS = {"id": "x", "question": "Where do roses grow?", "answerKey": "B",
           "choices": {"label": ["A", "B", "C"], "text": ["bank", "rose garden", "bank"]}}
LEMA = {"prompt": "Please choose.\nQuestion: Where do roses grow?\nCandidate Answers: bank, rose garden, bank.\n"
                  "Answer: Let's think.\n", "answer": "rose garden", "candidates": ["bank", "rose garden", "bank"]}


def test_all_three_forms_make_the_same_question(tmp_path):
    made = [questions("csqa", write(tmp_path, [row]))[0] for row in (NESTED, COLUMNS, LEMA)]
    assert made[0].text == "Where do roses grow?\n(A) bank\n(B) rose garden\n(C) bank"
    assert (made[0].answer, made[0].choices) == ("(B) rose garden", ("bank", "rose garden", "bank"))
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize(("said", "gold", "right"), [
    ("The answer is (B).", "B", True), ("The answer is B", "B", True), ("So: rose garden.", "B", False),
    ("The answer is rose garden.", "B", True), ("The answer is (B) rose garden.", "B", True),
    ("The answer is (A).", "B", False), ("The answer is bank.", "B", False),
    ("The answer is (C).", "A", True), ("The answer is bank.", "A", True), ("The answer is (C) bank.", "A", True),
    ("The answer is garden.", "B", False), ("The answer is rose gardener.", "B", False),
])
def test_a_letter_or_a_candidate_s_text_answers_and_equal_texts_are_the_same(tmp_path, said, gold, right):
    path = write(tmp_path, [NESTED | {"answerKey": gold}])
    task = find_task("csqa", {"test": path})
    (question,) = task.questions("test")
    answers = answers_to(task, question.choices)
    answer = answers.read(said).answer
    assert (answer is not None and answers.same(answer, question.answer)) == right


@pytest.mark.parametrize(("row", "message"), [
    (NESTED | {"answerKey": "E"}, r"train\.jsonl:1: the answer 'E' is neither a letter nor one of the 3 choices"),
    (NESTED | {"answerKey": ""}, r"train\.jsonl:1: question without an answer"),
    ({"question": "Where?", "answerKey": "A"}, r"train\.jsonl:1: no choices; a row must be"),
    ({"question": {"stem": "Where?", "choices": ["a"]}, "answerKey": "A"}, r"train\.jsonl:1: no choices"),
    (LEMA | {"answer": "garden"}, r"train\.jsonl:1: the answer 'garden' is neither a letter nor one of the 3"),
])
def test_a_bad_row_is_named(tmp_path, row, message):
    with pytest.raises(DataError, match=message):
        questions("csqa", write(tmp_path, [row]))


def test_both_published_files_make_the_same_questions(shared_data):
    first, second = (questions("csqa", str(shared_data / f"questions/{name}.jsonl"), "test")
                     for name in ("csqa_dev", "lema_csqa_dev"))
    assert len(first) == len(second) == 1221
    task = find_task("csqa", {"test": "unused"})
    for one, other in zip(first, second, strict=True):
        assert one.text.replace(".\n", "\n").rstrip(".") == other.text.replace(".\n", "\n").rstrip(".")
        assert answers_to(task, one.choices).same(other.answer, one.answer)
