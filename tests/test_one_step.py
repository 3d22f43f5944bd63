"""One-step corrections from a config to a training set, as a user has them: planned, estimated, run and told."""

import json
import re
from collections import Counter

import pytest

from lema.chains import StepCorrection
from lema.config import AssembleConfig
from lema.examples.take import Take
from lema.records import Account, Example, read_rows
from lema.stages.account import _of_students
from tests.commanding import in_process

CONFIG = """
name = "steps"
sample = { models = ["student"], temperature = 0.8, max_tokens = 100 }
correct = { model = "teacher", extent = "step", tokens = 900 }
continue = { tries = 3, agree = 1 }
arms = ["cot", "one-step"]

[task]
name = "lab"
train = 120
worked = 20
dev = 0
test = 5
levels = [1, 2]
share = 0.0

[models.student]
backend = "transformers"
[models.student.grow]
tokens = 350_000
shape = { width = 64, layers = 2, heads = 2, feed_forward = 128 }
[models.teacher]
backend = "teacher"
slip = 0.1
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a finished run of one-step corrections alone, and no whole ones."""
    folder = tmp_path_factory.mktemp("steps")
    (folder / "steps.toml").write_text(CONFIG + f"[machine]\ncache = {str(folder / 'cache')!r}\n")
    assert "to do    continued" in in_process(folder, "plan", "steps.toml").stdout
    done = in_process(folder, "run", "steps.toml")
    assert done.returncode == 0, done.stderr
    return folder


def _rows(home):
    return list(read_rows(StepCorrection, home / "runs/steps/continued/rows.jsonl"))


def test_the_set_holds_the_paths_that_were_kept_and_says_what_they_cost(home):
    rows = _rows(home)
    kept = {row.id: row for row in rows if row.kept}
    examples = list(read_rows(Example, home / "runs/steps/sets/one-step/rows.jsonl"))
    assert {each.parent for each in examples if each.source == "continued"} == kept.keys() != set()
    account = {each.arm: each for each in read_rows(Account, home / "runs/steps/accounts/rows.jsonl")}["one-step"]
    assert account.kinds == {"cot worked": 20, "step continued": len(kept)}
    written = sum(row.tokens for row in rows)
    assert account.teachers == {"teacher": (sum(row.prompt_tokens for row in rows), written)}
    assert account.teacher_tokens == written
    paths = (json.loads(line) for line in (home / "runs/steps/graded/rows.jsonl").read_text().splitlines())
    sampled = sum(path["tokens"] for path in paths)
    assert account.student_tokens == sampled + sum(row.student_tokens for row in rows)
    assert not (home / "runs/steps/corrections").exists()


def test_a_question_is_solved_once_and_no_mistake_is_asked_about_twice(home):
    rows = _rows(home)
    solved = [row.question for row in rows if row.kept]
    assert len(solved) == len(set(solved))
    assert len({(row.question, row.mistake) for row in rows}) == len(rows)


def test_the_funnel_counts_every_row(home):
    shown = in_process(home, "show", "steps").stdout
    funnel = shown.split("one-step corrections")[1]
    figures = re.findall(r"(?m)^ +([0-9,]+)  ([a-z][^(\n]*?)(?:  \(.*)?$", funnel)[:6]
    by_name = {name: int(count.replace(",", "")) for count, name in figures}
    rows = _rows(home)
    assert by_name["steps written anew"] == len(rows)
    assert by_name["begun"] == len({row.path for row in rows})
    assert by_name["solved: enough continuations agree"] == sum(bool(row.kept) for row in rows)


def test_any_id_of_a_chain_tells_the_whole_chain(home):
    rows = _rows(home)
    last = next(row for row in rows if row.attempt > 1)
    chain = [row for row in rows if row.path == last.path]
    for identifier in (last.path, last.id, last.corrects, last.continuations[0].id):
        told = in_process(home, "show", "steps", identifier).stdout
        assert all(f"try {row.attempt}: student is wrong" in told and row.id in told for row in chain), identifier
        assert chain[0].text in told and last.continuations[0].text.split("\n")[0] in told


def test_a_second_run_and_one_without_its_folder_ask_nothing_and_end_in_the_same_bytes(home):
    file = home / "runs/steps/continued/rows.jsonl"
    before = file.read_bytes()
    for path in sorted(file.parent.iterdir()):
        path.unlink()
    file.parent.rmdir()
    done = in_process(home, "run", "steps.toml")
    assert done.returncode == 0 and file.read_bytes() == before
    usage = json.loads((file.parent / "record.json").read_text())["usage"]
    assert {name: counted["asked"] for name, counted in usage.items()} == {"teacher": 0, "student": 0}


def test_the_estimate_counts_the_correctors_requests_and_what_follows_them(home):
    given = ("--prompt-tokens", "100", "--tokens", "20", "--wrong", "0.5", "--set", "name='other'", "--json",
             "--set", "models.student={backend='api', model='m', prefill='vllm'}")
    figures = {(each["stage"], each["model"]): each for each in json.loads(
        in_process(home, "estimate", "steps.toml", *given).stdout)}
    assert figures["continued", "teacher"]["replies"] == 45  # as many as the budget pays for
    assert figures["continued", "student"]["replies"] == 4 * 45


def test_an_arm_that_needs_whole_corrections_is_told_so_in_one_line(home):
    refused = in_process(home, "plan", "steps.toml", "--set", 'arms=["cot", "lema"]')
    assert refused.returncode == 2
    assert "needs a [correct] table, of whole corrections" in refused.stderr and refused.stderr.count("\n") == 1


def test_an_arm_of_one_step_corrections_without_any_is_told_so_in_one_line(home):
    refused = in_process(home, "plan", "steps.toml", "--set", 'correct={model="teacher"}', "--set", "continue=0")
    assert "continue" in refused.stderr and refused.returncode == 2
    whole = CONFIG.replace('extent = "step", ', "").replace("continue = { tries = 3, agree = 1 }", "")
    (home / "whole.toml").write_text(whole)
    refused = in_process(home, "plan", "whole.toml")
    assert "needs a [continue] table, or extent" in refused.stderr and refused.stderr.count("\n") == 1


def test_sampling_of_models_whose_mistakes_nobody_mends_is_not_billed():
    sampled = {"": Counter(student=100, early=50)}
    arm = AssembleConfig(arm="x", take=(Take(kind="step", source="continued"),), base="student", rounds=("",))
    assert sum(_of_students(arm, sampled, {"continued": ("student",)})) == 100
    assert sum(_of_students(arm, sampled, {"continued": ()})) == 150
    assert sum(_of_students(arm, sampled, {"continued": ("of another round",)})) == 150
