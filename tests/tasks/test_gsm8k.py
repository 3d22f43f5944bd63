"""GSM8K: the official format read into questions, and every bad row named by file and line."""

import json

import pytest

from lema.errors import ConfigError, DataError
from lema.tasks import find_task

ROWS = [
    {"question": "Two bags of 5 nuts?", "answer": "Two bags hold 2*5=<<2*5=10>>10 nuts.\n#### 10"},
    {"question": "A thousand and one?", "answer": "It is 1000+1=$<<1000+1=1001>>1,001.\nNo more.\n#### 1,001"},
    {"question": "And 3 less 5?", "answer": "#### -2"},
]


@pytest.fixture
def file(tmp_path):
    def write(rows, name="train.jsonl"):
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return str(path)
    return write


def questions(path, split="train", **table):
    return list(find_task("gsm8k", {"train": path, **table}).questions(split))


def test_a_gold_text_becomes_numbered_steps_that_end_in_the_answer_sentence(file):
    first, second, third = questions(file(ROWS))
    assert first.answer == "10"
    assert first.solution == "Step 1: Two bags hold 2*5=10 nuts.\nStep 2: The answer is 10."
    assert second.answer == "1001"
    assert second.solution == "Step 1: It is 1000+1=$1,001.\nStep 2: No more.\nStep 3: The answer is 1001."
    assert (third.answer, third.solution) == ("-2", None)
    assert [q.source for q in (first, second, third)] == ["train.jsonl:1", "train.jsonl:2", "train.jsonl:3"]


def test_held_out_rows_leave_the_training_set_and_do_not_depend_on_the_order(file):
    rows = [{"question": f"How many are {n} and 1?", "answer": f"{n}+1={n + 1}\n#### {n + 1}"} for n in range(40)]
    train, dev = (questions(file(rows), split, dev=10) for split in ("train", "dev"))
    turned = questions(file(rows[::-1], "turned.jsonl"), "dev", dev=10)
    assert (len(train), len(dev)) == (30, 10)
    assert not {q.text for q in train} & {q.text for q in dev}
    assert {q.text for q in turned} == {q.text for q in dev}
    assert [q.split for q in dev] == ["dev"] * 10


def test_the_splits_are_those_that_were_given(file):
    path = file(ROWS)
    assert find_task("gsm8k", {"train": path}).splits == ("train",)
    assert find_task("gsm8k", {"train": path, "dev": 1, "test": path}).splits == ("train", "dev", "test")


def test_the_prompt_asks_the_question_and_a_file_of_the_user_s_replaces_it(file, tmp_path):
    path = file(ROWS)
    task = find_task("gsm8k", {"train": path})
    (message,) = task.prompt(next(task.questions("train")))
    assert message.content.endswith("Question: Two bags of 5 nuts?\nSolution:\n")
    (tmp_path / "mine.txt").write_text("Hey, {{ question }}")
    task = find_task("gsm8k", {"train": path, "prompt": str(tmp_path / "mine.txt")})
    assert task.prompt(next(task.questions("train")))[0].content == "Hey, Two bags of 5 nuts?\n"


@pytest.mark.parametrize(("bad", "message"), [
    ("{not json", r"train\.jsonl:4: not JSON .*every line must be one JSON object"),
    ("[1, 2]", r"train\.jsonl:4: not a JSON object"),
    ({"question": "No answer?"}, r"train\.jsonl:4: question without an answer; fill in 'answer'"),
    ({"question": "No answer?", "answer": ""}, r"train\.jsonl:4: question without an answer"),
    ({"question": "No mark?", "answer": "It is 7."}, r'train\.jsonl:4: .*must end in a line "#### N"'),
    ({"question": "No value?", "answer": "It is 7.\n#### "}, r"train\.jsonl:4: question without an answer"),
    ({"question": "No number?", "answer": "#### many"}, r"train\.jsonl:4: the answer 'many' is not a number"),
    ({"answer": "#### 7"}, r"train\.jsonl:4: no question; fill in 'question'"),
    ({"question": ["x"], "answer": "#### 7"}, r"train\.jsonl:4: question is \[\"x\"\]; it must be text"),
    (ROWS[0], r"train\.jsonl:4: the same question as .*train\.jsonl:1; take one of them out"),
])
def test_a_bad_row_is_named_by_file_and_line(file, bad, message):
    with pytest.raises(DataError, match=message) as caught:
        questions(file([*ROWS, bad]))
    assert "\n" not in str(caught.value)


def test_an_id_that_stands_twice_is_named(file):
    rows = [{**row, "id": "a"} for row in ROWS[:2]]
    with pytest.raises(DataError, match=r"train\.jsonl:2: id 'a' stands at .*train\.jsonl:1 too"):
        questions(file(rows))


def test_a_file_that_is_not_there_or_no_text_says_so(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.jsonl: no such file; check the \[task\] table"):
        questions("nowhere.jsonl")
    (tmp_path / "x.jsonl").write_bytes(b"\xff\xfe{}")
    with pytest.raises(DataError, match=r"x\.jsonl: not UTF-8 text"):
        questions(str(tmp_path / "x.jsonl"))


def test_more_rows_than_there_are_cannot_be_held_out(file):
    with pytest.raises(DataError, match="dev = 3, but the training file has 3 rows; hold out fewer"):
        questions(file(ROWS), "dev", dev=3)


@pytest.mark.parametrize(("table", "message"), [
    ({}, "no questions: give train and test files"),
    ({"train": "a", "dataset": "b"}, "not both"),
    ({"test": "a", "dev": 5}, "give train"),
    ({"train": "a", "dev": 0}, "at least 1"),
    ({"train": "a", "tset": "b"}, "task.tset: unknown key; did you mean 'test'"),
])
def test_settings_that_cannot_be_meant_are_refused(table, message):
    with pytest.raises(ConfigError, match=message):
        find_task("gsm8k", table)


@pytest.fixture
def published(file, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    (tmp_path / "set").mkdir()
    file(ROWS, "set/train.jsonl")
    return str(tmp_path / "set")


def test_a_dataset_id_gives_the_same_questions_as_its_file(published):
    from_file = questions(f"{published}/train.jsonl")
    from_hub = list(find_task("gsm8k", {"dataset": published}).questions("train"))
    assert [q.id for q in from_hub] == [q.id for q in from_file]
    with pytest.raises(DataError, match="split 'test': .*check the id"):
        list(find_task("gsm8k", {"dataset": published}).questions("test"))


def test_every_official_question_loads_and_its_solution_reads_back_to_its_answer(shared_data):
    folder = shared_data / "questions"
    task = find_task("gsm8k", {"train": f"{folder}/gsm8k_train.jsonl", "dev": 473,
                               "test": f"{folder}/gsm8k_test.jsonl"})
    counts = {}
    for split in task.splits:
        for question in task.questions(split):
            counts[split] = counts.get(split, 0) + 1
            assert "<<" not in question.solution
            assert task.same(task.read(question.solution).answer, question.answer)
    assert counts == {"train": 7000, "dev": 473, "test": 1319}
