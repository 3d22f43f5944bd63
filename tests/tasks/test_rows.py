"""Rows: any table of questions, brought into one form, and every bad row named by file and line."""

import json

import pytest

from lema.errors import ConfigError, DataError
from lema.tasks import find_task


@pytest.fixture
def task(tmp_path):
    def build(content, name="mine.jsonl", **table):
        path = tmp_path / name
        if not isinstance(content, str):
            content = "".join(json.dumps(row) + "\n" for row in content)
        path.write_text(content, "utf-8")
        return find_task("rows", {"test": str(path), **table})
    return build


def first(task, split="test"):
    return next(task.questions(split))


def test_named_columns_are_read(task):
    row = {"q": "How many?", "a": 43.0, "why": "It is 43.", "hard": "Level 3", "nr": 7}
    columns = {"question": "q", "answer": "a", "solution": "why", "level": "hard", "id": "nr"}
    question = first(task([row], columns=columns))
    assert (question.text, question.answer, question.level) == ("How many?", "43", 3)
    assert question.solution == "Step 1: It is 43.\nStep 2: The answer is 43."
    assert question.source == "mine.jsonl:1"


def test_a_solution_that_states_its_answer_is_not_told_it_twice(task):
    row = {"question": "How many?", "answer": "7", "solution": "Step 1: 3+4=<<3+4=7>>7\nStep 2: The answer is 7."}
    assert first(task([row], columns={"solution": "solution"})).solution == (
        "Step 1: 3+4=7\nStep 2: The answer is 7.")


def test_a_csv_is_read_with_its_quotes_and_line_ends(task):
    text = 'question,answer,choices\r\n"Which, pray,\r\nis it?",b,oak|elm|ash\r\nNow?,ash,"[""oak"", ""ash""]"\r\n'
    read = task(text, "mine.csv", answers="letter", columns={"choices": "choices"})
    one, two = read.questions("test")
    assert one.text == "Which, pray,\r\nis it?\n(A) oak\n(B) elm\n(C) ash"
    assert (one.answer, two.answer) == ("B", "B")
    assert one.choices == ("oak", "elm", "ash")


def test_a_tsv_is_read(task):
    assert first(task("question\tanswer\nHow many, then?\t5\n", "mine.tsv")).answer == "5"


def test_choices_are_listed_in_the_prompt_and_labels_of_their_own_are_not_doubled(task):
    row = {"question": "Which?", "answer": "(c)", "choices": ["A)1", "B) 2", "C. 3"]}
    read = task([row], answers="letter", columns={"choices": "choices"})
    question = first(read)
    assert question.choices == ("1", "2", "3") and question.answer == "C"
    assert "Question: Which?\n(A) 1\n(B) 2\n(C) 3\n" in read.prompt(question)[0].content
    assert read.same(read.read("Step 1: It is three.\nStep 2: The answer is (C).").answer, question.answer)


def test_a_text_answer_is_compared_in_words(task):
    read = task([{"question": "Where?", "answer": "Rowing boat"}], answers="text")
    assert read.same(read.read("The answer is the rowing boat.").answer, first(read).answer)


ROW = {"question": "How many?", "answer": "7"}


@pytest.mark.parametrize(("row", "table", "message"), [
    ({"quesion": "So?", "answer": "7"}, {}, r"mine\.jsonl:2: no column 'question'; did you mean 'quesion'\?"),
    ({"question": "So?", "answer": None}, {}, r"mine\.jsonl:2: question without an answer; fill in 'answer'"),
    ({"question": " ", "answer": "7"}, {}, r"mine\.jsonl:2: no question; fill in 'question'"),
    ({"question": "So?", "answer": "several"}, {}, r"mine\.jsonl:2: the answer 'several' is not a number; set"),
    ({"question": "So?", "answer": True}, {}, r"mine\.jsonl:2: answer is true; it must be text or a number"),
    (ROW, {}, r"mine\.jsonl:2: the same question as .*mine\.jsonl:1; take one of them out"),
    ({**ROW, "question": "So?", "nr": "1"}, {"columns": {"id": "nr"}}, r"mine\.jsonl:2: id '1' stands at"),
    ({**ROW, "question": "So?", "hard": "very"}, {"columns": {"level": "hard"}}, r":2: level 'very' holds no"),
])
def test_a_bad_row_is_named_by_file_and_line(task, row, table, message):
    with pytest.raises(DataError, match=message) as caught:
        list(task([{**ROW, "nr": "1", "hard": 1}, row], **table).questions("test"))
    assert "\n" not in str(caught.value)


def test_a_column_that_no_row_has_is_named_with_its_near_miss(task):
    with pytest.raises(DataError, match="no column 'soluton'; did you mean 'solution'"):
        list(task([{**ROW, "solution": "x"}], columns={"solution": "soluton"}).questions("test"))


@pytest.mark.parametrize(("row", "message"), [
    ({**ROW, "choices": ["oak", "elm"], "answer": "D"}, "the answer 'D' is neither a letter nor one"),
    ({**ROW, "choices": "oak", "answer": "A"}, "choices must be a list of at least two"),
    ({**ROW, "choices": {"A": "oak"}, "answer": "A"}, "choices must be a list of at least two"),
    ({**ROW, "answer": "A"}, "no column 'choices'"),
])
def test_choices_that_do_not_fit_are_named(task, row, message):
    with pytest.raises(DataError, match=rf"mine\.jsonl:1: {message}"):
        list(task([row], answers="letter", columns={"choices": "choices"}).questions("test"))


def test_a_table_row_with_a_cell_too_many_is_named(task):
    with pytest.raises(DataError, match=r"mine\.csv:3: 3 cells under 2 columns; quote a cell"):
        list(task("question,answer\nHow many?,7\nHow, then?,8\n", "mine.csv").questions("test"))


@pytest.mark.parametrize(("table", "message"), [
    ({"columns": {"anser": "a"}}, "task.columns.anser: unknown key; did you mean 'answer'"),
    ({"answers": "letter"}, "needs columns.choices"),
    ({"answers": "vector"}, "task.answers"),
    ({"dev": 3}, "give train"),
])
def test_settings_that_cannot_be_meant_are_refused(task, table, message):
    with pytest.raises(ConfigError, match=message):
        task([ROW], **table)


@pytest.mark.parametrize(("file", "count", "table"), [
    ("lema_csqa_dev", 1221, {"columns": {"question": "prompt"}, "answers": "text"}),
    ("aqua_test", 254, {"columns": {"answer": "correct", "choices": "options", "solution": "rationale"},
                        "answers": "letter"}),
])
def test_public_tables_are_read_and_their_answers_equal_themselves(shared_data, file, count, table):
    read = find_task("rows", {"test": str(shared_data / f"questions/{file}.jsonl"), **table})
    questions = list(read.questions("test"))
    assert len(questions) == count
    for question in questions:
        assert read.same(read.read(f"The answer is {question.answer}.").answer, question.answer)
        if question.solution:
            assert read.same(read.read(question.solution).answer, question.answer)
