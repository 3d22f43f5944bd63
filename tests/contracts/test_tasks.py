"""What every task must do, the shipped ones and a user's alike."""

import json

import pytest

from lema.errors import ConfigError
from lema.plugins import shipped
from lema.records import Question
from lema.tasks import answers_to, find_task
from lema.tasks._choices import LETTERS
from tests.documented import documented

SHOWN = 60
"""Questions per split that are looked at."""

USERS_OWN = '''
from lema.grading import read_number, same_number
from lema.messages import Message
from lema.records import Question
from lema.plugins import Settings as Base

class Settings(Base):
    size: int = 12

class Task:
    name = "doubling"
    splits = ("train", "test")
    def __init__(self, settings):
        self.size = settings.size
    def questions(self, split, limit=None):
        start = 0 if split == "train" else 1000
        for n in range(start, start + self.size)[:limit]:
            yield Question(text=f"What is twice {n}?", answer=str(2 * n), split=split,
                           solution=f"Step 1: Twice {n} is {2 * n}.\\nStep 2: The answer is {2 * n}.")
    def prompt(self, question):
        return [Message("user", question.text)]
    def read(self, text):
        return read_number(text)
    def same(self, answer, gold):
        return same_number(answer, gold)
'''


def _gsm8k(folder):
    for split, start in (("train", 0), ("test", 100)):
        rows = [{"question": f"Ann has {n} nuts and finds 3. How many has she?",
                 "answer": f"She has {n}+3=<<{n}+3={n + 3}>>{n + 3} nuts.\n#### {n + 3:,}"}
                for n in range(start, start + 80)]
        (folder / f"{split}.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return {"train": str(folder / "train.jsonl"), "dev": 20, "test": str(folder / "test.jsonl")}


def _rows(folder):
    lines = [f"Which is {3 * n + k}?,{'ABC'[k]},{3 * n}|{3 * n + 1}|{3 * n + 2},It is {3 * n + k}."
             for n in range(30) for k in range(3)]
    (folder / "rows.csv").write_text("\n".join(["question,answer,choices,why", *lines]), "utf-8")
    return {"train": str(folder / "rows.csv"), "dev": 15, "answers": "letter",
            "columns": {"choices": "choices", "solution": "why"}}


def _write(folder, name, rows):
    (folder / name).write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return str(folder / name)


def _math(folder):
    rows = [{"problem": f"What is $\\frac{{{n}}}{{{n + 1}}}$ of $3$?", "level": "Level 2", "type": "Prealgebra",
             "solution": f"We multiply:\n\\[\n\\frac{{{n}}}{{{n + 1}}}\\cdot 3\n\\]\n"
                         f"This is $\\boxed{{\\frac{{{3 * n}}}{{{n + 1}}}}}$."} for n in range(1, 41)]
    return {"train": _write(folder, "train.jsonl", rows), "dev": 10}


def _svamp(folder):
    rows = [{"ID": f"n-{n}", "Body": f"Each pack costs {n + 9} dollars. There is a discount of {n} dollars on it",
             "Question": f"What do {n} packs cost?", "Equation": f"( {n}.0 * 9.0 )", "Answer": n * 9.0,
             "Type": "Multiplication"} for n in range(1, 41)]
    return {"train": _write(folder, "train.jsonl", rows), "dev": 10}


def _mawps(folder):
    rows = [{"sQuestion": f" There are {n} red and 9 green apples. How many are there? ",
             "lEquations": [f"X=({n}.0+9.0)"], "lSolutions": [n + 9.0]} for n in range(40)]
    return {"train": _write(folder, "train.jsonl", rows), "dev": 10}


def _asdiv(folder):
    rows = [{"body": f"There are {n} red and {n} green apples.", "question": "How many are there?",
             "answer": f"{2 * n} (apples)", "formula": f"{n}+{n}={2 * n}"} for n in range(40)]
    return {"train": _write(folder, "train.jsonl", rows), "dev": 10}


def _csqa(folder):
    rows = [{"answerKey": "ABC"[n % 3], "id": str(n), "question": {"stem": f"Where is thing {n}?", "choices": [
        {"label": "ABC"[k], "text": f"in box {n} {k}"} for k in range(3)]}} for n in range(40)]
    return {"train": _write(folder, "train.jsonl", rows), "dev": 10}


def _aqua(folder):
    rows = [{"question": f"What is {n} + 9?", "options": [f"{'ABCDE'[k]}){n + 9 + k - n % 5}" for k in range(5)],
             "rationale": f"{n} + 9 = {n + 9}\nThe answer is {'ABCDE'[n % 5]}", "correct": "ABCDE"[n % 5]}
            for n in range(40)]
    return {"train": _write(folder, "train.jsonl", rows), "dev": 10}


TABLES = {"gsm8k": _gsm8k, "rows": _rows, "math": _math, "svamp": _svamp, "asdiv": _asdiv, "csqa": _csqa,
          "aqua": _aqua, "mawps": _mawps}


@pytest.fixture(params=[*shipped("tasks"), "my_tasks.doubling"])
def task(request, tmp_path, monkeypatch):
    if "." in request.param:
        (tmp_path / "my_tasks").mkdir()
        (tmp_path / "my_tasks" / "doubling.py").write_text(USERS_OWN)
        monkeypatch.syspath_prepend(tmp_path)
    return find_task(request.param, TABLES.get(request.param, lambda folder: {})(tmp_path))


@pytest.fixture
def questions(task):
    return {split: list(task.questions(split, SHOWN)) for split in task.splits}


def test_it_has_a_name_and_a_training_split(task):
    assert task.name and "train" in task.splits
    assert set(task.splits) <= {"train", "dev", "test"}


def test_every_split_has_questions_with_answers(questions):
    for split, found in questions.items():
        assert found
        assert all(isinstance(question, Question) and question.split == split for question in found)
        assert all(question.text.strip() and question.answer.strip() for question in found)


def test_ids_are_unique_and_no_split_shares_a_question(questions):
    ids = [question.id for found in questions.values() for question in found]
    texts = [question.text for found in questions.values() for question in found]
    assert len(set(ids)) == len(ids)
    assert len(set(texts)) == len(texts)


def test_the_same_questions_come_twice_in_the_same_order(task, questions):
    for split, found in questions.items():
        assert list(task.questions(split, SHOWN)) == found


def test_a_limit_takes_the_first(task, questions):
    for split, found in questions.items():
        assert list(task.questions(split, 3)) == found[:3]
        assert list(task.questions(split, 0)) == []


def test_the_prompt_asks_the_whole_question_and_never_tells_the_answer(task, questions):
    for found in questions.values():
        for question in found[:5]:
            messages = task.prompt(question)
            assert [message.role for message in messages] == ["user"]
            assert question.text in messages[0].content
            elsewhere = question.__class__(text=question.text, answer="0", split=question.split)
            assert task.prompt(elsewhere) == messages


def test_a_gold_answer_that_is_stated_equals_itself(task, questions):
    for found in questions.values():
        for question in found:
            reading = task.read(f"Step 1: So it goes.\nStep 2: The answer is {question.answer}.")
            assert reading.how == "answer sentence"
            assert task.same(reading.answer, question.answer)
            assert task.same(question.answer, question.answer)


def test_a_worked_solution_reads_back_to_its_answer(task, questions):
    worked = [question for found in questions.values() for question in found if question.solution]
    for question in worked:
        assert question.solution.startswith("Step 1: ")
        assert task.same(task.read(question.solution).answer, question.answer)


def test_another_answer_is_not_the_same_and_no_answer_is_none(task, questions):
    answers = list(dict.fromkeys(question.answer for question in questions["train"]))
    assert not task.same(answers[1], answers[0])
    assert task.read("I do not know.").answer is None


def test_a_question_with_choices_is_answered_by_its_letter_or_its_text(task, questions):
    for question in (question for found in questions.values() for question in found if question.choices):
        answers = answers_to(task, question.choices)
        right = LETTERS.index(question.answer.strip("(")[0])
        for place, choice in enumerate(question.choices):
            for said in (f"({LETTERS[place]})", choice, f"({LETTERS[place]}) {choice}"):
                read = answers.read(f"The answer is {said}.").answer
                assert answers.same(read, question.answer) == (place == right), said


def test_an_unknown_task_gets_its_near_miss():
    with pytest.raises(ConfigError, match="no 'gsmk8'; did you mean 'gsm8k'"):
        find_task("gsmk8", {})


@pytest.mark.parametrize("name", shipped("tasks"))
def test_the_row_that_opens_a_task_is_what_comes_out(name, tmp_path):
    row, expected = documented(f"lema.tasks.{name}")
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    task = find_task(name, row if name == "lab" else {"test": str(tmp_path / "rows.jsonl")})
    (question,) = task.questions(task.splits[0])
    assert {field: json.loads(json.dumps(getattr(question, field))) for field in expected} == expected
