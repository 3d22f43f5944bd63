"""Loading and sampling: bad questions are named, paths know what they are answers to."""

import dataclasses
import json
from contextlib import closing

import pytest

from lema.config import CotConfig, ImportConfig, SampleConfig, parse_config
from lema.errors import ConfigError, DataError
from lema.journal.waiting import AHEAD, READ
from lema.records import Correction, write_rows
from lema.stages.join import join_paths
from lema.stages.load import load
from lema.stages.sample import sample
from tests.stages.desk import CONFIG, LEO, RIGHT, WRONG, context, path, question

ROWS = {"name": "rows", "train": "train.jsonl"}


def _loaded(folder, text):
    (folder / "train.jsonl").write_text(text)
    table = {"name": "rows", "train": str(folder / "train.jsonl")}
    desk = context(folder, load, task=table)
    return list(load(desk, None))


@pytest.mark.parametrize(("text", "says"), [
    ('{"question": "a", "answer": "1"}\n{"question": "b"}\n', "train.jsonl:2"),
    ('{"question": "a", "answer": "1"}\n{"question": "b", "answer": ""}\n', "train.jsonl:2: question without"),
    ('{"question": "a", "answer": "1"}\n{broken\n', "train.jsonl:2: not JSON"),
    ('{"question": "a", "answer": "1"}\n{"question": "a", "answer": "1"}\n', "the same question as"),
    ("", "empty; give a file with at least one row"),
])
def test_bad_questions_are_one_line_with_file_and_line(tmp_path, text, says):
    with pytest.raises(DataError, match=says) as error:
        _loaded(tmp_path, text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("split", ["test", "dev"])
@pytest.mark.parametrize(("examined", "row"), [
    ("Leo has 5 plums. How many?", {}), ("leo has  5 plums:\nHow many?", {}),
    ("Leo has 5 plums. How many?", {"solution": "Leo has 5 = 5."}), ("Leo has $5$ plums. How many?", {})])
def test_a_question_may_not_stand_in_two_splits_however_it_is_set(tmp_path, split, examined, row):
    train = {"question": "Leo has 5 plums. How many?", "answer": "5", "solution": "5 = 5."}
    (tmp_path / "train.jsonl").write_text(json.dumps({"question": "a", "answer": "1"}) + "\n" + json.dumps(train))
    (tmp_path / "other.jsonl").write_text(json.dumps({"question": examined, "answer": "5", **row}))
    table = {"name": "rows", "train": str(tmp_path / "train.jsonl"), split: str(tmp_path / "other.jsonl"),
             "columns": {"solution": "solution"} if row else {}}
    says = rf"other.jsonl:1: the same question as train.jsonl:2 \({split} and train\)"
    with pytest.raises(DataError, match=says):
        list(load(context(tmp_path, load, task=table), None))


def test_questions_that_differ_in_a_number_a_bracket_or_a_sign_are_two(tmp_path):
    texts = ["What is $(2+3)*4$?", "What is $2+3*4$?", "What is $2-3*4$?", "What is 24?"]
    (tmp_path / "train.jsonl").write_text(json.dumps({"question": texts[0], "answer": "1"}))
    rows = [json.dumps({"question": text, "answer": "1"}) for text in texts[1:]]
    (tmp_path / "test.jsonl").write_text("\n".join(rows))
    table = {"name": "rows", "train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    assert len(list(load(context(tmp_path, load, task=table), None))) == 4


def test_paths_are_numbered_and_belong_to_their_question(tmp_path):
    settings = SampleConfig(models=["slipping"], paths=3)
    paths = list(sample(context(tmp_path, sample), settings, [LEO, question("x", "1", split="test")]))
    assert [(path.question, path.index) for path in paths] == [(LEO.id, number) for number in range(3)]


def test_unsolved_questions_in_random_order_within_a_budget(tmp_path):
    questions = [question(LEO.text.replace("15", str(n)), "1", solution="Step 1: x" if n % 2 else None)
                 for n in range(2, 22)]
    settings = SampleConfig(models=["teacher"], only="unsolved", order="random", tokens=120)
    paths = list(sample(context(tmp_path, sample), settings, questions))
    unsolved = [q.id for q in questions if q.solution is None]
    question_ids = [path.question for path in paths]
    assert set(question_ids) < set(unsolved)
    assert 120 <= sum(path.tokens for path in paths) < 200
    again = list(sample(context(tmp_path, sample), settings, questions[::-1]))
    assert [path.question for path in again] == question_ids


def test_solutions_are_bought_for_failed_questions_and_for_as_much_as_corrections_cost(tmp_path):
    questions = [question(LEO.text.replace("15", str(n)), "1") for n in range(2, 22)]
    graded = [path(each, *(RIGHT if n % 2 else WRONG), verdict="right" if n % 2 else "wrong")
              for n, each in enumerate(questions)]
    settings = CotConfig(model="teacher", tokens="corrections", questions=("failed",)).asking("failed")
    paid = [Correction(question="q", path="p", model="teacher", reply="x", tokens=100) for _ in range(2)]
    bought = list(sample(context(tmp_path, sample), settings, questions, graded, paid))
    assert {each.question for each in bought} <= {each.question for each in graded if each.verdict == "wrong"}
    assert 200 <= sum(each.tokens for each in bought) < 300


class Read(list):
    """Questions that count how often one of them is read."""

    taken = 0

    def __iter__(self):
        for each in super().__iter__():
            self.taken += 1
            yield each


def test_questions_are_asked_as_they_are_read_and_not_gathered_first(tmp_path):
    questions = Read(question(f"{LEO.text} {n}", "1") for n in range(AHEAD + READ + 100))
    with closing(sample(context(tmp_path, sample), SampleConfig(models=["teacher"]), questions)) as paths:
        assert next(paths).question == questions[0].id
        assert len(questions) < questions.taken < 2 * len(questions), "counted once, then read as far as is asked"


SAYS = {"easy": (1,), "same": (7,), "rich": tuple(range(100, 120))}


def drawing(folder):
    """A model for which one question is easy, one gives the same mistake, one another each time."""
    own = {"drawing": {"backend": "tests.drawing", "says": SAYS}}
    return context(folder, sample, models=CONFIG["models"] | own)


THREE = [question(text, "1") for text in ("easy", "same", "rich")]


def adaptive(**rules) -> SampleConfig:
    return SampleConfig(models=["drawing"], paths=9, adaptive={"easy": 2, "idle": 3, "mistakes": 5, **rules})


def test_sampling_in_waves_stops_where_a_question_is_easy_exhausted_or_has_given_enough(tmp_path):
    desk = drawing(tmp_path)
    paths = list(sample(desk, adaptive(), THREE))
    of = {q.text: [p.index for p in paths if p.question == q.id] for q in THREE}
    assert of == {"easy": [0, 1], "same": [0, 1, 2, 3], "rich": [0, 1, 2, 3, 4]}
    assert desk.model("drawing").asked[:3] == [("easy", 0), ("same", 0), ("rich", 0)]


def test_waves_stop_with_the_budget_and_the_most_promising_come_first(tmp_path):
    desk = drawing(tmp_path)
    paths = list(sample(desk, adaptive().model_copy(update={"tokens": 60}), THREE))
    assert sum(path.tokens for path in paths) == 60
    assert desk.model("drawing").asked[3] == ("same", 1)


def test_sampling_in_waves_asks_the_same_again_and_pays_nothing(tmp_path):
    first = list(sample(drawing(tmp_path), adaptive(), THREE))
    again = drawing(tmp_path)
    assert list(sample(again, adaptive(), THREE)) == first
    assert again.model("drawing").asked == []
    assert again.usage["drawing"].remembered == len(first)


def test_an_examination_is_never_adaptive():
    with pytest.raises(ConfigError, match="adaptive"):
        parse_config(CONFIG | {"evaluate": {"adaptive": {"easy": 1}}}, "x")


@pytest.mark.parametrize("split", ["dev", "test"])
def test_imported_paths_about_an_examined_question_are_refused(tmp_path, split):
    imported = ImportConfig(name="theirs", content="c", what="paths", models=("m",))
    desk = context(tmp_path, join_paths)
    place = desk.run_folder / "imports" / "theirs"
    place.mkdir(parents=True)
    write_rows(place / "paths.jsonl", [path(LEO, *WRONG)])
    assert list(join_paths(desk, imported, [LEO]))
    with pytest.raises(DataError, match="is about no training question of this run"):
        list(join_paths(desk, imported, [dataclasses.replace(LEO, split=split)]))
