"""Judging a corrector: what is counted is what the rows say, and a truth planted in the lab is found again."""

import json

import pytest

from lema.commands.judge_corrector import judge_corrector
from lema.commands.judge_corrector.judged import judge
from lema.commands.judge_corrector.labelled import Labelled, planted, read_labelled
from lema.commands.judge_corrector.measures import measured
from lema.errors import ConfigError, DataError
from lema.messages import Completion
from tests.processes import LEMA, ended

PATH = Labelled(id="a", source="own", question="Leo has 15 plums. Sam has twice as many plums. How many has Sam?",
                gold="30", steps=("Sam has 15 + 2 = 17 plums.", "The answer is 17."), first_error=1)
GOOD = (" Step 1.\nExplanation: Twice as many plums means that 15 is multiplied by 2.\nCorrect Solution:\n{\n"
        "Step 1: Sam has 15 * 2 = 30 plums.\nStep 2: The answer is 30.\n}")
ASK = {"config": None, "options": [], "files": [], "lab": 0, "seed": 1, "limit": None, "prompt": None,
       "form": "completion", "max_tokens": 500, "out": None, "for_programs": True}


def _asked(tmp_path, model, **changes):
    return json.loads(judge_corrector(model, **(ASK | {"out": tmp_path / "judged"} | changes)))


def _check(found, name):
    return next(check for check in found["checks"] if check["check"] == name)


@pytest.mark.parametrize(("reply", "said", "named", "bad", "failed"), [
    (GOOD, "wrong", 1, False, ()),
    (GOOD.replace("Step 1.", "Step 2.", 1), "wrong", 2, True, ("kept",)),
    (GOOD.replace("30", "29"), "wrong", 1, False, ("arithmetic", "answer")),
    ("Final Judgement: wrong\nFirst Error Step: 2", "wrong", 2, True, ()),
    ("All steps are correct.", "right", None, None, ()),
    ("Well.", "unreadable", None, None, ()),
])
def test_a_reply_becomes_a_row(reply, said, named, bad, failed):
    row = judge(PATH, Completion(reply))
    assert (row.verdict, row.named, row.bad, row.failed) == (said, named, bad, failed)


def test_what_cannot_be_asked_of_a_verdict_is_not_counted():
    row = judge(PATH, Completion("Final Judgement: wrong\nFirst Error Step: 1"))
    assert row.checks == ("complete", "step", "earlier")


def test_a_teacher_that_never_slips_is_right_everywhere_and_loses_nothing(tmp_path):
    found = _asked(tmp_path, "teacher", lab=60)
    everything = found["groups"][0]
    assert everything["on_wrong"][0] == everything["on_wrong"][1] > 30
    assert everything["on_right"][0] == everything["on_right"][1] > 3
    every = _check(found, "all of them")
    assert (every["bad"], every["lost"][0]) == (0, 0)


def test_with_the_critique_prompt_a_critic_is_measured_on_right_paths_too(tmp_path):
    sure = _asked(tmp_path, "teacher", lab=60, prompt="critique")["groups"][0]
    assert sure["on_wrong"][0] == sure["on_wrong"][1] > 30 and sure["on_right"][0] == sure["on_right"][1] > 3
    (tmp_path / "again").mkdir()
    never = _asked(tmp_path / "again", "teacher", lab=60, prompt="critique", options=["slip=1.0"])["groups"][0]
    assert never["on_wrong"][0] == never["on_right"][0] == 0
    noisy = Completion("There are no errors in step 1.\nStep 2 adds.\nConclusion: wrong\nIncorrect Step: Step 2")
    row = judge(PATH, noisy, cue="Critique:")
    assert (row.verdict, row.named, row.bad) == ("wrong", 2, True)


def test_a_teacher_that_slips_is_caught_and_every_share_has_its_interval(tmp_path):
    found = _asked(tmp_path, "teacher", lab=150, options=["slip=0.5"])
    caught, bad, low, high = _check(found, "all of them")["recall"]
    assert low <= caught / bad <= high
    assert caught / bad > 0.75
    assert 0 < _check(found, "answer")["recall"][0] < bad
    good, kept, *_ = _check(found, "all of them")["good_kept"]
    assert good == kept - (bad - caught)
    rows = [json.loads(line) for line in (tmp_path / "judged/rows.jsonl").read_text().splitlines()]
    assert sum(bool(row["bad"]) for row in rows) == bad


def test_planted_paths_are_wrong_where_they_say_so():
    labels = list(planted(80, seed=3))
    assert 5 < sum(label.first_error is None for label in labels) < 35
    for label in labels:
        assert (label.first_error is None) == label.proves(label.steps)


def test_a_measurement_that_was_stopped_asks_only_for_what_is_missing(tmp_path):
    first = _asked(tmp_path, "teacher", lab=40, options=["slip=0.3"], limit=10)
    assert first["groups"][0]["on_wrong"][1] <= 10
    replies = (tmp_path / "judged/journal.sqlite").stat().st_size
    again = _asked(tmp_path, "teacher", lab=40, options=["slip=0.3"], limit=10)
    assert again == first
    assert (tmp_path / "judged/journal.sqlite").stat().st_size == replies


def test_human_labels_are_right_by_themselves_and_wrong_where_they_are_moved(tmp_path, shared_data):
    files = [shared_data / "mistakes/mr_gsm8k.jsonl", shared_data / "mistakes/processbench.jsonl"]
    found = _asked(tmp_path, "human", files=files, limit=600)
    right, wrong_paths = found["groups"][0]["on_wrong"][:2]
    assert right == wrong_paths > 400
    assert found["groups"][0]["on_right"][0] == found["groups"][0]["on_right"][1] > 80
    assert _check(found, "earlier")["lost"][0] <= 3
    moved = _asked(tmp_path, "human", files=files, limit=600, options=["moved=0.5"])
    assert 0.4 < moved["groups"][0]["on_wrong"][0] / wrong_paths < 0.6
    assert _check(moved, "earlier")["recall"][0] > 10


def test_corrections_written_by_people_are_read_and_their_explanations_kept(tmp_path, shared_data):
    found = _asked(tmp_path, "human", files=[shared_data / "mistakes/mr_ben.jsonl"])
    assert found["groups"][0]["on_wrong"][:2] == [371, 371]
    assert _check(found, "parsed")["lost"][:2] == [0, 371]
    assert _check(found, "explanation")["lost"][0] <= 20


def test_every_file_of_labelled_mistakes_is_read_whole(shared_data):
    counts = {path.stem: len(list(read_labelled(path))) for path in (shared_data / "mistakes").glob("*.jsonl")}
    assert counts == {"processbench": 1663, "mr_gsm8k": 298, "mr_ben": 455, "big_bench_mistake": 1119,
                      "verify_then_generate": 476, "prm800k": 52}


def test_recorded_replies_are_judged_by_the_id_of_their_path(tmp_path, shared_data):
    found = _asked(tmp_path, "recorded", files=[shared_data / "mistakes/mr_gsm8k.jsonl"], options=[
        f"file={shared_data / 'corrector_outputs/mr_gsm8k_evaluator_outputs.jsonl'}", "columns.id=solution_id",
        "columns.text=raw_output", "where.evaluator=Claude"])
    assert found["groups"][0]["on_wrong"][:2] == [163, 163]  # the file holds only replies that name the right step


def test_a_row_without_labels_is_named(tmp_path):
    (tmp_path / "mine.jsonl").write_text('{"question": "?", "steps": ["A."]}\n')
    with pytest.raises(DataError, match="mine.jsonl:1: not a labelled path .no 'first_error_step'"):
        list(read_labelled(tmp_path / "mine.jsonl"))
    (tmp_path / "mine.jsonl").write_text('{"question": "?", "steps": ["A."], "first_error_step": 1}\n')
    with pytest.raises(DataError, match="mine.jsonl:1: .*counted from 0"):
        list(read_labelled(tmp_path / "mine.jsonl"))


def test_without_anything_to_judge_it_says_what_to_give(tmp_path):
    with pytest.raises(ConfigError, match="either --mistakes FILE .* or --lab N"):
        judge_corrector("teacher", **ASK)
    with pytest.raises(ConfigError, match="did you mean 'chat'"):
        judge_corrector("teacher", **(ASK | {"lab": 3, "form": "chatt"}))
    with pytest.raises(ConfigError, match="names no step"):
        judge_corrector("teacher", **(ASK | {"lab": 3, "prompt": "csqa/correct"}))
    done = ended([*LEMA, "judge-corrector", "taecher", "--lab", "3"], cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'teacher'" in done.stderr


def test_no_rows_make_no_shares():
    groups, worths = measured([])
    assert groups[0].on_wrong.value is None and worths == []
