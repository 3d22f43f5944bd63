"""AQuA: five options, answered by letter, text or value."""

import pytest

from lema.errors import DataError
from lema.tasks import answers_to, find_task
from tests.tasks.files import questions, write

ROW = {"question": "What is the price?", "options": ["A)$895", "B)$1,905", "C)Rs. 7", "D)1/2", "E)None of these"],
       "rationale": "It is 1900+5=1905.\nAnswer: B", "correct": "B"}


def test_a_row_becomes_a_question_with_lettered_options(tmp_path):
    (question,) = questions("aqua", write(tmp_path, [ROW]))
    assert question.text == "What is the price?\n(A) $895\n(B) $1,905\n(C) Rs. 7\n(D) 1/2\n(E) None of these"
    assert question.answer == "(B) $1,905"
    assert question.solution.endswith("The answer is (B) $1,905.")


@pytest.mark.parametrize(("said", "correct", "right"), [
    ("The answer is (B).", "B", True), ("The answer is B", "B", True),
    ("The answer is $1,905.", "B", True),
    ("The answer is 1905 dollars.", "B", True), ("It is 1905.", "B", False),
    ("The answer is (A) $895.", "B", False),
    ("The answer is 895.", "B", False), ("The answer is None of these.", "E", True),
    ("The answer is \\boxed{D}", "D", True), ("#### B", "B", True), ("A: B", "B", True),
])
def test_letter_text_and_value_answer(tmp_path, said, correct, right):
    task = find_task("aqua", {"test": write(tmp_path, [ROW | {"correct": correct}])})
    (question,) = task.questions("test")
    answers = answers_to(task, question.choices)
    answer = answers.read(said).answer
    assert (answer is not None and answers.same(answer, question.answer)) == right


def test_a_bad_row_is_named(tmp_path):
    with pytest.raises(DataError, match=r"train\.jsonl:1: the answer 'F' is neither a letter nor one of the 5"):
        questions("aqua", write(tmp_path, [ROW | {"correct": "F"}]))
    with pytest.raises(DataError, match=r"train\.jsonl:1: options must be a list of at least two choices"):
        questions("aqua", write(tmp_path, [ROW | {"options": ["A)1"]}]))


def test_every_published_question_loads(shared_data):
    for name in ("aqua_dev", "aqua_test"):
        assert len(questions("aqua", str(shared_data / f"questions/{name}.jsonl"), "test")) == 254
