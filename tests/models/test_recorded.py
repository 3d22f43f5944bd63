"""The recorded backend: a user's own rollouts, found by the question they answer."""

import json
from collections import Counter

import pytest

from lema.errors import ConfigError, DataError
from lema.messages import Completion, Message, Request
from lema.models.recorded import Model, Settings
from lema.plugins import settings_of
from lema.records import Question

PLAIN = Question(text="How many legs has a cow?", answer="4")
OTHER = Question(text="How many legs has a hen?", answer="2")


def about(question: Question, index: int = 0) -> Request:
    return Request((Message("user", "any prompt"),), index=index, about=(question,))


@pytest.fixture
def rollouts(tmp_path):
    def write(*rows: object, **settings) -> Model:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / "rollouts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Model(Settings(file=tmp_path / "rollouts.jsonl", **settings))
    return write


def test_a_question_gets_its_own_paths_in_file_order_whatever_the_prompt(rollouts):
    model = rollouts({"question": PLAIN.text, "text": "four"}, {"question": OTHER.text, "text": "two\nlines"}, "",
                     {"question": " How many  legs\nhas a cow? ", "text": "4 🐄"})
    answers = model.complete([about(PLAIN, 1), about(OTHER), about(PLAIN, 0)])
    assert list(answers) == [Completion("4 🐄"), Completion("two\nlines"), Completion("four")]
    assert [model.available(PLAIN), model.available(OTHER)] == [2, 1]


def test_a_path_that_is_not_recorded_is_a_failure_row(rollouts):
    model = rollouts({"question": PLAIN.text, "text": "four"})
    answers = list(model.complete([about(PLAIN, 1), about(OTHER), Request((Message("user", "?"),)), about(PLAIN)]))
    assert [answer.failed for answer in answers] == [True, True, True, False]
    assert answers[0].finish == "error: no recorded path 1 for this question, which has 1"
    assert model.available(OTHER) == 0


def test_where_picks_one_model_out_of_several(rollouts):
    rows = [{"question": PLAIN.text, "solution": f"{model} {i}", "model": model} for i in (0, 1) for model in "ab"]
    columns = {"text": "solution"}
    one, other = (rollouts(*rows, columns=columns, where={"model": name}) for name in "ab")
    assert [answer.text for answer in other.complete([about(PLAIN, 0), about(PLAIN, 1)])] == ["b 0", "b 1"]
    assert one.identity() != other.identity()


def test_index_finish_and_id_are_read_where_the_file_has_them(rollouts):
    model = rollouts({"qid": PLAIN.id, "text": "cut", "n": 3, "end": "length"},
                     {"qid": PLAIN.id, "text": "whole", "n": 0, "end": None},
                     columns={"id": "qid", "index": "n", "finish": "end"})
    assert list(model.complete([about(PLAIN, 0), about(PLAIN, 3)])) == [
        Completion("whole", "stop"), Completion("cut", "length")]


def test_what_the_file_holds_is_the_identity_and_not_where_it_lies(tmp_path):
    for name, text in [("a", "four"), ("b", "four"), ("c", "five")]:
        (tmp_path / name).write_text(json.dumps({"question": PLAIN.text, "text": text}))
    a, b, c = (Model(Settings(file=tmp_path / name)).identity() for name in "abc")
    assert a == b != c and str(tmp_path) not in json.dumps(a)


@pytest.mark.parametrize(("row", "says"), [
    ("{broken", "not a JSON row"), ("[1]", "must be a JSON object"),
    ({"question": "q"}, r"column 'text' is missing; the row has question"),
    ({"question": 7, "text": "t"}, "column 'question' is no text"),
    ({"question": "q", "text": "t", "n": "0"}, "'n' must be a whole number"),
    ({"question": PLAIN.text, "text": "t", "n": 0}, "a second path 0"),
    ({"question": "q", "text": "t", "n": 0, "end": "?"}, "'end' is '\\?', not one of stop, length")])
def test_a_malformed_row_is_named_with_its_line(rollouts, row, says):
    good = {"question": PLAIN.text, "text": "four", "n": 0}
    model = rollouts(good, row, columns={"index": "n", "finish": "end"})
    with pytest.raises(DataError, match=rf"rollouts\.jsonl:2: .*{says}") as error:
        model.available(PLAIN)
    assert "\n" not in str(error.value)


def test_a_file_that_gives_nothing_is_an_error(rollouts, tmp_path):
    with pytest.raises(DataError, match=r"no row with \{'model': 'z'\}"):
        rollouts({"question": "q", "text": "t", "model": "a"}, where={"model": "z"}).identity()
    with pytest.raises(DataError, match=r"rollouts\.jsonl:1: no column 'modle'"):
        rollouts({"question": "q", "text": "t", "model": "a"}, where={"modle": "a"}).identity()
    with pytest.raises(DataError, match="gone"):
        Model(Settings(file=tmp_path / "gone")).identity()


def test_an_unknown_column_setting_names_the_near_miss():
    with pytest.raises(ConfigError, match=r"models\.x\.columns\.txt: unknown key; did you mean 'text'"):
        settings_of(Settings, {"file": "f", "columns": {"txt": "solution"}}, "models.x")


def test_real_model_solutions_are_found_for_every_question_of_theirs(shared_data):
    file = shared_data / "grading_outputs" / "gsm8k_example_model_solutions.jsonl"
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    names = sorted({row["model"] for row in rows})
    assert len(names) == 4
    with (shared_data / "questions" / "gsm8k_test.jsonl").open(encoding="utf-8") as lines:
        questions = [Question(text=json.loads(line)["question"], answer="0") for line in lines]
    for name in names:
        model = Model(Settings(file=file, columns={"text": "solution"}, where={"model": name}))
        assert Counter(map(model.available, questions)) == {1: 651, 0: len(questions) - 651}
        texts = {question.text: answer.text for question, answer in zip(
            questions, model.complete(map(about, questions)), strict=True) if not answer.failed}
        assert texts == {row["question"]: row["solution"] for row in rows if row["model"] == name}
