"""The command line: what is wrong is one line and exit code 2; what is right says the next step."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from lema.commands.init import starter
from lema.config import load_config
from lema.plugins import shipped
from tests.processes import LEMA, ended


def _lema(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return ended([*LEMA, *arguments], cwd=folder, env=os.environ | environment)


@pytest.mark.parametrize(("arguments", "says"), [
    (("run", "tinny"), "did you mean 'tiny'"),
    (("run", "missing.toml"), "missing.toml: no such config file"),
    (("run", "other/lab.toml"), "no recipe of that name; the shipped recipe goes by its name alone: lab"),
    (("plan", "tiny", "--set", "sample.pahts=1"), "sample.pahts: unknown key; did you mean 'paths'"),
    (("plan", "tiny", "--set", "task.sede=1"), "task.sede: unknown key; did you mean 'seed'"),
    (("plan", "tiny", "--set", "models.teacher.slipp=1"), "slipp: unknown key; did you mean 'slip'"),
    (("plan", "tiny", "--set", "task.name=labb"), "no 'labb'; did you mean 'lab'"),
    (("plan", "tiny", "--set", "models.teacher.backend=aip"), "no 'aip'; did you mean 'api'"),
    (("plan", "tiny", "--set", "train.learning_rat=1"), "train.learning_rat: unknown key"),
    (("plan", "tiny", "--set", "train.trainer=sfd"), "no 'sfd'; did you mean 'sft'"),
    (("plan", "tiny", "--set", "models.student.backend=api"), "grown here runs on 'transformers', not on 'api'"),
    (("plan", "tiny", "--set", "task.name=nowhere.tasks"), "no 'nowhere.tasks'"),
    (("plan", "tiny", "--set", "correct.prompt=none.txt"), "none.txt"),
    (("plan", "gsm8k-mistakes", "--set", "arms.x.take=[{kind='cot', source='teacher'}]"),
     "source 'teacher' needs a [cot] table"),
    (("plan", "gsm8k-mistakes", "--set", "arms.x.take='rft'"), "needs train.base among sample.models"),
    (("show", "nothing"), "no run here"),
    (("init", "roes"), "no task 'roes'; did you mean 'rows'"),
    (("run", "gsm8k-mistakes", "--set", "task.train=none.jsonl", "--set", "models.rollouts.file=/dev/null"),
     "none.jsonl: no such file"),
])
def test_bad_input_is_one_clear_line_and_exit_code_2(tmp_path, arguments, says):
    done = _lema(tmp_path, *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    lines = done.stderr.strip().splitlines()  # one for each file that is missing, else one
    assert all(line.startswith("lema: ") for line in lines) and len(lines) <= 1 + done.stderr.count("no such file")
    assert "Traceback" not in done.stderr


def test_a_checkpoint_that_is_none_is_said_in_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "q.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    (tmp_path / "c.toml").write_text(
        'name = "x"\ntask = { name = "rows", train = "q.jsonl" }\nsample = { models = ["m"] }\n'
        'models = { m = { backend = "transformers", path = "empty" } }\n')
    done = _lema(tmp_path, "run", "c.toml")
    assert done.returncode == 2
    assert "empty" in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("lema: ")
    assert "✓ questions" not in done.stderr, "found before anything is done"


def test_an_empty_training_set_is_said_and_earlier_stages_stay(tmp_path):
    (tmp_path / "q.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n')
    (tmp_path / "r.jsonl").write_text('{"question": "1 + 1?", "text": "The answer is 3."}\n')
    (tmp_path / "c.toml").write_text(
        'name = "x"\ntask = { name = "rows", train = "q.jsonl" }\nsample = { models = ["m"] }\n'
        'models = { m = { backend = "recorded", file = "r.jsonl" } }\n'
        'arms = { a = { take = [{ kind = "cot" }] } }\n')
    done = _lema(tmp_path, "run", "c.toml")
    assert done.returncode == 2
    assert "arm a: no training example is left" in done.stderr
    assert "done     graded" in _lema(tmp_path, "plan", "c.toml").stdout
    assert "1  wrong" in _lema(tmp_path, "show", "x").stdout


def test_a_changed_question_file_makes_the_run_stale_and_says_so(tmp_path):
    test_an_empty_training_set_is_said_and_earlier_stages_stay(tmp_path)
    (tmp_path / "q.jsonl").write_text('{"question": "1 + 1?", "answer": "3"}\n')
    plan = _lema(tmp_path, "plan", "c.toml").stdout
    assert "stale    questions" in plan.splitlines()[0]
    assert "q.jsonl" in plan.splitlines()[0]


@pytest.mark.parametrize("task", shipped("tasks"))
def test_init_writes_a_config_that_loads_and_says_the_next_command(tmp_path, task):
    done = _lema(tmp_path, "init", task, "--out", "mine.toml")
    assert "lema run mine.toml" in done.stdout
    assert load_config(str(tmp_path / "mine.toml")).task.name == task
    assert (tmp_path / "mine.toml").read_text() == starter(task, "mine")
    again = _lema(tmp_path, "init", task, "--out", "mine.toml")
    assert again.returncode == 2
    assert "already there" in again.stderr


def test_list_names_everything_that_is_shipped(tmp_path):
    found = json.loads(_lema(tmp_path, "list", "--json").stdout)
    assert set(found["tasks"]) == {"lab", "gsm8k", "math", "svamp", "asdiv", "csqa", "aqua", "mawps", "rows"}
    assert set(found["backends"]) == {"api", "batch", "recorded", "teacher", "transformers", "vllm"}
    assert set(found["trainers"]) == {"sft", "dpo"}
    assert set(found["recipes"]) == {
        "lab", "tiny", "paper-lab", "gsm8k-mistakes", "gsm8k", "gsm8k-small", "gsm8k-70b", "math", "csqa",
        "own-format", "one-step", "budgets"}
    assert set(found["kinds of examples"]) == {"cot", "correction", "step", "forward", "critique", "marked",
                                               "preference"}
    assert {"cot", "lema", "step", "rft", "cft"} < set(found["arms"])
    assert all(what for names in found.values() for what in names.values())


def test_a_recipe_is_written_out_to_be_filled_in(tmp_path):
    done = _lema(tmp_path, "init", "--recipe", "gsm8k", "--out", "mine.toml")
    assert "lema run mine.toml" in done.stdout
    ours, shipped_one = load_config(str(tmp_path / "mine.toml")), load_config("gsm8k")
    assert ours == shipped_one.model_copy(update={"name": "mine"})
    assert "did you mean 'gsm8k'" in _lema(tmp_path, "init", "--recipe", "gsm8").stderr


def test_a_line_about_a_value_of_thousands_of_letters_is_short_and_ends_in_what_to_do(tmp_path):
    done = _lema(tmp_path, "plan", "tiny", "--set", f"correct.model={'x' * 30_000}")
    assert done.returncode == 2 and len(done.stderr) < 2000 and " … " in done.stderr


@pytest.mark.parametrize("words", [("run", "x" * 5000), ("show", "x" * 5000), ("score", "x" * 5000), (
    "plan", "tiny", "--set", "task.name=rows", "--set", f"task.train={'x' * 5000}")])
def test_a_name_that_no_file_can_have_is_one_line(tmp_path, words):
    done = _lema(tmp_path, *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr and len(done.stderr) < 2000
