"""Training questions that stand in an examination: found by their words, refused, or dropped and counted."""

import pytest

from lema.config import LeaksConfig, parse_config
from lema.errors import ConfigError, DataError
from lema.records import Question
from lema.report.funnels import funnel, parents
from lema.stages.leaks import find_leaks
from tests.stages.desk import context, question

STORY = "Mia has 3 pens and buys 2 bags of 4 pens each at the shop on the corner. How many pens has she now?"
TEST = question(STORY, "11", split="test", source="test:1")
FAR = question("What is 3 and 8?", "11", split="test", source="far:1")
OTHER = question("Leo has 9 nuts and eats 2. How many are left?", "7", solution="Step 1: 7.", source="train:2")


def _leaking(text: str) -> Question:
    return question(text, "11", solution="Step 1: The answer is 11.", source="train:1")


def _rows(folder, way: str, leak: Question, then: str = "drop", sets: tuple = ()) -> list[Question]:
    settings = LeaksConfig(ways=(way,), then=then).on(tuple(f"s{n}" for n, _ in enumerate(sets)))
    return list(find_leaks(context(folder, find_leaks), settings, [leak, OTHER, TEST], sets))


@pytest.mark.parametrize(("way", "text"), [
    ("exact", STORY.upper().replace("BUYS", "- buys,").rstrip("?")),
    ("masked", STORY.replace("3", "7").replace("4", "five")),
    ("13-gram", f"In spring {STORY[:80]} what does she own?"),
    ("8-gram", STORY.replace("How many pens has she now?", "How many pens does she own?")),
    ("minhash", STORY.replace("Mia", "Zoe"))])
def test_a_training_question_is_found_in_the_test_set_in_each_way(tmp_path, way, text):
    leak, other, test = _rows(tmp_path, way, _leaking(text))
    assert leak.split == "left out" and leak.rejected.startswith("leak: ") and "(test)" in leak.rejected
    assert (other, test) == (OTHER, TEST)
    with pytest.raises(DataError, match=r"train:1: .* \(test\); 1 training question in all"):
        _rows(tmp_path, way, _leaking(text), "refuse")


def test_another_question_is_left_alone(tmp_path):
    for way in ("exact", "masked", "13-gram", "8-gram", "minhash"):
        first, *_ = _rows(tmp_path, way, _leaking("Ten birds sit on a wire and four fly off. How many stay?"))
        assert first.split == "train" and not first.rejected


def test_a_further_test_set_is_looked_into(tmp_path):
    leak, *_ = _rows(tmp_path, "exact", _leaking("what is 3 AND 8 ?"), sets=([FAR],))
    assert leak.rejected == "leak: already there (test set s0)"


def test_what_was_dropped_is_counted_and_trained_on_by_nobody(tmp_path):
    rows = _rows(tmp_path, "exact", _leaking(STORY))
    (first, *_) = funnel("x", rows, [], [], parents([])).stages
    assert first.count == 1 and [(loss.reason, loss.count) for loss in first.losses] == [
        ("leak: already there (test)", 1)]
    assert [row.id for row in rows if row.split == "train"] == [OTHER.id]


TABLE = {"name": "x", "task": {"name": "lab"}, "models": {"t": {"backend": "teacher"}},
         "sample": {"models": ["t"]}}


def test_the_ways_are_those_of_decontamination_and_a_misspelt_one_is_refused():
    wanted = parse_config(TABLE | {"leaks": {"ways": ["exact", "minhash"], "then": "drop"}}, "x").leaks
    assert (wanted.ways, wanted.then) == (("exact", "minhash"), "drop")
    with pytest.raises(ConfigError, match="leaks"):
        parse_config(TABLE | {"leaks": {"ways": ["exactly"]}}, "x")


def test_a_run_holds_its_training_questions_against_every_test_set_before_anything_is_asked(tmp_path):
    from tests.commanding import in_process

    (tmp_path / "train.csv").write_text("question,answer\nWhat is 3 and 8?,11\nWhat is 1 and 1?,2\n")
    (tmp_path / "test.csv").write_text("question,answer\nWhat is 5 and 8?,13\n")
    (tmp_path / "far.csv").write_text("question,answer\nWHAT is 3 and 8,11\n")
    (tmp_path / "own.toml").write_text("""
name = "own"
task = { name = "rows", train = "train.csv", test = "test.csv" }
models = { t = { backend = "teacher" } }
sample = { models = ["t"] }
[evaluate.sets.far]
task = "rows"
test = "far.csv"
""")
    refused = in_process(tmp_path, "run", "own.toml")
    assert refused.returncode == 2 and "train.csv:2: already there (test set far)" in refused.stderr
    assert 'leaks.then = "drop"' in refused.stderr
    assert not (tmp_path / "runs/own/paths").exists()
    dropped = in_process(tmp_path, "run", "own.toml", "--set", "leaks.then=drop")
    assert dropped.returncode == 0, dropped.stderr
    assert "1  questions  (1 leak: already there (test set far))" in dropped.stdout


def test_twins_of_the_tasks_own_splits_are_dropped_where_that_is_asked_for(tmp_path):
    from tests.commanding import in_process

    (tmp_path / "train.csv").write_text("question,answer\nWhat is 3 and 8?,11\nWhat is 1 and 1?,2\n")
    (tmp_path / "test.csv").write_text("question,answer\nwhat is 3 and 8,11\n")
    (tmp_path / "own.toml").write_text("""
name = "own"
task = { name = "rows", train = "train.csv", test = "test.csv" }
models = { t = { backend = "teacher" } }
sample = { models = ["t"] }
""")
    assert "the same question as" in in_process(tmp_path, "run", "own.toml").stderr
    dropped = in_process(tmp_path, "run", "own.toml", "--set", "leaks.then=drop")
    assert "1  questions  (1 leak: already there (test))" in dropped.stdout
