"""What all question sets share: splits, datasets, held-out rows, LeMa's own files, and every gold answer."""

import importlib.util
from pathlib import Path

import pytest

from lema.errors import ConfigError, DataError
from lema.grading import grade_path
from lema.tasks import answers_to, find_task
from tests.tasks.files import questions, write

SETS = ("gsm8k", "math", "svamp", "asdiv", "csqa", "aqua")
PUBLISHED = {"gsm8k": ("train", "test"), "math": ("train", "test"), "svamp": ("train", "test"), "asdiv": ("test",),
             "csqa": ("train", "test"), "aqua": ("train", "dev", "test")}


@pytest.mark.parametrize("name", SETS)
def test_the_splits_are_those_that_were_given_or_published(name, tmp_path):
    assert find_task(name, {"train": "a", "dev": 3, "test": "b"}).splits == ("train", "dev", "test")
    assert find_task(name, {"test": "b"}).splits == ("test",)
    assert find_task(name, {"dataset": "x/y"}).splits == PUBLISHED[name]
    assert find_task(name, {"dataset": "x/y", "splits": {"dev": "validation"}}).splits == ("dev",)


@pytest.mark.parametrize(("table", "message"), [
    ({}, "no questions: give train and test files"),
    ({"train": "a", "dataset": "b"}, "not both"),
    ({"test": "a", "splits": {"test": "x"}}, "splits names those of a dataset"),
    ({"test": "a", "dev": 5}, "give train"),
    ({"train": "a", "dev": 0}, "at least 1"),
    ({"dataset": "a", "splits": {"tset": "x"}}, "task.splits.tset"),
])
def test_settings_that_cannot_be_meant_are_refused(table, message):
    for name in SETS:
        with pytest.raises(ConfigError, match=message):
            find_task(name, table)


def test_a_dataset_s_own_splits_are_read(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets", reason="needs the package datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    (tmp_path / "set").mkdir()
    row = {"body": "Ann has 7 nuts and finds 2.", "question": "How many?", "answer": "9 (nuts)"}
    path = write(tmp_path / "set", [row], "validation.jsonl")
    task = find_task("asdiv", {"dataset": str(tmp_path / "set")})
    (question,) = task.questions("test")
    assert question.id == questions("asdiv", path)[0].id
    task = find_task("asdiv", {"dataset": str(tmp_path / "set"), "splits": {"test": "nowhere"}})
    with pytest.raises(DataError, match="split 'nowhere': .*check the id, `subset` and `splits`"):
        list(task.questions("test"))


@pytest.mark.parametrize(("name", "answer"), [
    ("gsm8k", "7"), ("svamp", "7.5"), ("asdiv", "0"), ("math", "\\frac12")])
def test_files_of_the_lema_repository_are_read(name, answer, tmp_path):
    row = {"prompt": "Please solve.\nQuestion: How many\nnuts?\nAnswer: Let's think step by step.\n",
           "completion": f"We count. The answer is {answer}."}
    (question,) = questions(name, write(tmp_path, [row]))
    assert (question.text, question.answer) == ("How many\nnuts?", answer)
    assert question.solution == f"Step 1: We count.\nStep 2: The answer is {answer}."
    with pytest.raises(DataError, match=r'train\.jsonl:1: question without an answer; its completion must end in'):
        questions(name, write(tmp_path, [row | {"completion": "It is 7."}]))


def test_every_gold_answer_equals_itself_however_it_is_stated(shared_data):
    """One in seven of all published questions; bench/gold_answers.py looks at every one."""
    bench = _bench()
    for name in bench.SETS:
        task, found = bench.questions(shared_data / "questions", name, every=7)
        assert found, name
        failed = [(question.source, lost) for question in found if (lost := list(bench.failures(task, question)))]
        assert not failed, name


def test_the_bench_can_fail():
    bench = _bench()
    task = find_task("gsm8k", {"test": "unused"})
    question = next(iter([bench.Question(text="?", answer="several")]))
    assert len(list(bench.failures(task, question))) == len(bench.FORMS)
    graded = grade_path("The answer is 5.", "6", read=answers_to(task, question.choices).read, same=task.same)
    assert graded.verdict == "wrong"


def _bench():
    file = Path(__file__).parents[2] / "bench" / "gold_answers.py"
    spec = importlib.util.spec_from_file_location("gold_answers", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
