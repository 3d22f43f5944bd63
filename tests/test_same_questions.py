"""Rounds of the same questions from a config to models, as a user has them: each corrects what the model just
trained gets wrong, and an arm is trained from the base or on from the one before."""

import json

import pytest

from lema.chains import StepCorrection
from lema.records import Account, ReasoningPath, read_rows
from tests.commanding import in_process

CONFIG = """
name = "rounds"
sample = { models = ["student"], temperature = 0.8, max_tokens = 60 }
correct = { model = "teacher", extent = "step", tokens = 400 }
continue = { tries = 2, agree = 1 }
evaluate = { max_tokens = 60 }
report = { baseline = "cot" }
[task]
name = "lab"
train = 60
worked = 20
dev = 0
test = 6
levels = [1, 2]
share = 0.0
[models.student]
backend = "transformers"
[models.student.grow]
tokens = 150_000
shape = { width = 48, layers = 2, heads = 2, feed_forward = 96 }
[models.teacher]
backend = "teacher"
[evolve.again]
questions = "same"
students = ["one-step"]
correction_tokens = 200
[train]
base = "student"
seeds = [1]
budget = { tokens = 1_000 }
method = "full"
batch_tokens = 512
[arms]
cot = {}
one-step = {}
fresh = { take = ["one-step", { kind = "step", source = "continued", round = "again" }] }
on = { take = ["one-step", { kind = "step", source = "continued", round = "again" }], continues = "one-step" }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rounds")
    (folder / "rounds.toml").write_text(CONFIG + f"[machine]\ncache = {str(folder / 'cache')!r}\n")
    done = in_process(folder, "run", "rounds.toml")
    assert done.returncode == 0, done.stderr
    return folder / "runs/rounds"


def test_the_second_round_is_about_the_trained_model_s_own_mistakes_of_the_same_questions(run):
    first, again = (list(read_rows(ReasoningPath, run / f"{here}graded/rows.jsonl")) for here in ("", "again/"))
    assert {path.question for path in again} == {path.question for path in first}
    assert {path.model for path in again} == {"one-step-1"}
    rows = list(read_rows(StepCorrection, run / "again/continued/rows.jsonl"))
    assert {row.student for row in rows} == {"one-step-1"}
    wrong = {path.id for path in again if path.verdict == "wrong"}
    assert {row.path for row in rows} <= wrong and 200 <= sum(row.tokens for row in rows) < 300


def test_the_bill_of_an_arm_holds_both_rounds_and_its_model_goes_on_from_the_one_before(run):
    accounts = {each.arm: each for each in read_rows(Account, run / "accounts/rows.jsonl")}
    paid = [sum(row.tokens for row in read_rows(StepCorrection, run / f"{here}continued/rows.jsonl"))
            for here in ("", "again/")]
    assert accounts["one-step"].teacher_tokens == paid[0]
    assert accounts["fresh"].teacher_tokens == accounts["on"].teacher_tokens == sum(paid)
    assert 0 < accounts["fresh"].repeated["teacher"] < accounts["fresh"].teachers["teacher"][0]
    base = {arm: json.loads((run / f"models/{arm}-1/record.json").read_text())["facts"]["settings"]["base"]
            for arm in ("fresh", "on")}
    assert base == {"fresh": "student", "on": "one-step-1"}
    assert (run / "report/report.html").is_file()
