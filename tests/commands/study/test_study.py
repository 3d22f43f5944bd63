"""A study as a user has it: planned, run, gone on with, and refused in one line where it can come to nothing."""

import json
import os
import signal
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from lema.commands.study.design import STUDIES, cells_of, read_study
from lema.commands.study.results import pairs_of
from lema.errors import ConfigError
from lema.records import ReasoningPath, read_rows
from tests.commanding import in_process, lema
from tests.patience import until
from tests.processes import LEMA, running

BASE = """
name = "base"
sample = { models = ["student"], temperature = 0.8, max_tokens = 40 }
correct = { model = "teacher", tokens = 400 }
cot = { model = "teacher", tokens = 400 }
evaluate = { max_tokens = 40 }
report = { baseline = "cot", headline = "step", control = "bought" }
machine = { threads = 1, cache = "cache" }
[task]
name = "lab"
train = 30
worked = 10
dev = 0
test = 12
levels = [1, 2]
[models.student]
backend = "transformers"
[models.student.grow]
tokens = 20_000
shape = { width = 32, layers = 1, heads = 2, feed_forward = 64 }
[models.teacher]
backend = "teacher"
slip = 0.1
[train]
base = "student"
seeds = [1, 2]
budget = { tokens = 1_000 }
method = "full"
batch_tokens = 512
[arms]
cot = { take = [{ kind = "cot" }] }
step = { take = [{ kind = "cot" }, { kind = "step" }] }
bought = { take = [{ kind = "cot" }, { kind = "cot", source = "teacher" }] }
"""
STUDY = """
name = "small"
about = "Steps <b> against bought solutions"
recipe = "base.toml"
replicates = 2
prices = ["openai/gpt-4.1-mini"]
[axes.budget]
keys = ["correct.tokens", "cot.tokens"]
values = [200, 400]
"""


def lay_out(folder, study=STUDY):
    (folder / "base.toml").write_text(BASE)
    (folder / "small.toml").write_text(study)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a study that was performed whole."""
    folder = lay_out(tmp_path_factory.mktemp("study"))
    done = lema(folder, "study", "small.toml", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "without a stage to perform" in done.stdout
    return folder


def _cells(home):
    return sorted((home / "runs/small/cells").iterdir())


def _records(home):
    return {path: path.read_bytes() for path in (home / "runs/small/cells").rglob("record.json")}


def test_a_plan_says_how_long_and_writes_nothing(tmp_path):
    planned = in_process(lay_out(tmp_path), "study", "small.toml", "--plan", "--workers", "2")
    assert planned.returncode == 0, planned.stderr
    assert "small: 4 cells, " in planned.stdout and "on 2 workers" in planned.stdout
    assert not (tmp_path / "runs").exists()


def test_every_cell_is_a_run_that_the_other_commands_know(home):
    assert [path.name for path in _cells(home)] == [
        "budget-200_r0", "budget-200_r1", "budget-400_r0", "budget-400_r1"]
    shown = in_process(home, "show", "runs/small/cells/budget-200_r1")
    assert shown.returncode == 0 and "step" in shown.stdout
    planned = in_process(home, "plan", "runs/small/cells/budget-400_r0").stdout
    assert [line.split()[2] for line in planned.splitlines() if line.startswith("to do")] == ["report"]
    done = in_process(home, "run", "runs/small/cells/budget-400_r0")
    assert done.returncode == 0, done.stderr
    assert (home / "runs/small/cells/budget-400_r0/report/report.html").is_file()


def _places(home, stage, file):
    """The inodes of a file of a stage in each cell; {} is the training seed."""
    return [(cell / stage.format(1 if cell.name.endswith("r0") else 1001) / file).stat().st_ino
            for cell in _cells(home)[:4]]


@pytest.mark.parametrize("stage", ["questions", "students/student", "paths/student", "models/cot-{}",
                                   "answers/cot-{}"])
def test_what_cells_have_in_common_is_performed_once(home, stage):
    first, second, *again = _places(home, stage, "rows.jsonl")
    assert first != second and again == [first, second]  # a replicate each, whatever the budget


def test_a_replicate_draws_questions_student_samples_and_teacher_anew(home):
    first, second = (tomllib.loads((home / f"runs/small/cells/budget-200_r{n}/config.toml").read_text())
                     for n in (0, 1))
    assert first["train"]["seeds"] == [1, 2] and second["train"]["seeds"] == [1001, 1002]
    for path in (("task",), ("models", "student", "grow"), ("models", "teacher"), ("sample",), ("correct",),
                 ("cot",)):
        tables = []
        for table in (first, second):
            for part in path:
                table = table[part]
            tables.append(table.get("seed", 0))
        assert tables[1] - tables[0] == 1000, path


def _by_hand(cell, arm, seed):
    """Right or wrong, question by question, of one examined model."""
    rows = read_rows(ReasoningPath, cell / "examined/rows.jsonl")
    return dict(sorted((row.question, row.verdict == "right") for row in rows if row.model == f"{arm}-{seed}"))


def test_an_effect_is_the_paired_difference_of_the_answers(home):
    effects = json.loads((home / "runs/small/effects.json").read_text())
    assert [each["point"] for each in effects[:3]] == [["200"], ["200"], ["200"]]
    shown = next(each for each in effects if (each["point"], each["arm"], each["other"]) == (
        ["400"], "step", "bought"))["effect"]
    means = []
    for replicate in (0, 1):
        cell = home / f"runs/small/cells/budget-400_r{replicate}"
        seeds = (1, 2) if not replicate else (1001, 1002)
        sides = [[list(_by_hand(cell, arm, seed).values()) for seed in seeds] for arm in ("step", "bought")]
        means.append(float((np.array(sides[0], float) - np.array(sides[1], float)).mean()))
    assert shown["replicates"] == pytest.approx(means) and shown["mean"] == pytest.approx(np.mean(means))
    assert shown["questions"] == 12 and shown["seeds"] == 2


class _Outside(HTMLParser):
    def __init__(self):
        super().__init__()
        self.texts, self.reaching = [], []

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "link", "img", "iframe"):
            self.reaching.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_the_page_and_the_table_say_the_same_and_the_page_needs_nothing_else(home):
    page, table = _Outside(), (home / "runs/small/table.txt").read_text()
    text = (home / "runs/small/study.html").read_text()
    page.feed(text)
    assert not page.reaching and "<b> against" not in text and "Steps &lt;b&gt; against" in text
    words = " ".join(" ".join(page.texts).replace("\xa0", " ").split())
    flat = " ".join(table.split())
    for pair in ("step against bought: ", "step against cot: ", "bought against cot: "):
        sentence = flat.split(pair)[1].split(".")[0]
        assert pair + sentence in words
    assert "4 of 4 cells are done" in table and "4 of 4 cells are done" in words


def test_the_same_command_again_performs_nothing_and_says_the_same(home):
    before, table = _records(home), (home / "runs/small/table.txt").read_bytes()
    again = in_process(home, "study", "small.toml", "--workers", "2")
    assert again.returncode == 0 and _records(home) == before
    assert (home / "runs/small/table.txt").read_bytes() == table


def test_a_study_with_one_more_value_goes_on_where_it_is(home):
    (home / "more.toml").write_text(STUDY.replace("[200, 400]", "[200, 400, 700]"))
    before = _records(home)
    done = lema(home, "study", "more.toml")
    assert done.returncode == 0, done.stderr
    after = _records(home)
    assert all(after[path] == record for path, record in before.items())
    assert "6 of 6 cells" in done.stdout
    new = home / "runs/small/cells/budget-700_r0"
    assert os.stat(new / "models/cot-1/rows.jsonl").st_nlink > 1  # taken from the others


@pytest.mark.living
def test_a_study_that_is_killed_goes_on_and_ends_in_the_same_rows(home, tmp_path):
    lay_out(tmp_path)
    with running([*LEMA, "study", "small.toml", "--workers", "2"], cwd=tmp_path) as process:
        until(lambda: list(tmp_path.glob("runs/small/cells/*/sets/cot/record.json")), "a set is made", process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    done = lema(tmp_path, "study", "small.toml", "--workers", "2")
    assert done.returncode == 0, done.stderr
    for cell in ("budget-200_r0", "budget-400_r1"):
        for stage in ("examined", "sets/step", "scores"):
            place = f"runs/small/cells/{cell}/{stage}/rows.jsonl"
            assert (tmp_path / place).read_bytes() == (home / place).read_bytes(), place


REFUSED = {
    "a key that is misspelt": (STUDY.replace("replicates", "replicate"), "replicate: unknown key; did you mean"),
    "a setting that is misspelt": (STUDY.replace("correct.tokens", "correct.token"), "correct.token: unknown key"),
    "no such recipe": (STUDY.replace("base.toml", "bass"), "bass: no such config file and no recipe"),
    "no seed in common": (STUDY + '[axes.seeds]\nkeys = ["train.seeds"]\nvalues = [[1], [2]]\n',
                          "train.seeds have no seed in common"),
    "neither values nor options": (STUDY.split("values")[0], "give values = [...] or options"),
    "a value twice": (STUDY.replace("[200, 400]", "[200, 200]"), "a value stands there twice"),
    "no replicate": (STUDY.replace("replicates = 2", "replicates = []"), "replicates: at least one"),
    "a thousand cells": (STUDY.replace("replicates = 2", "replicates = 500"),
                         "small: 1,000 cells, 2"),
    "something dropped that is not there": (STUDY.replace("replicates", 'drop = ["evolve"]\nreplicates'),
                                            "drop: 'evolve' is not in the recipe"),
    "replicates of no value": (STUDY + "replicates = { 20 = 1 }\n",
                               "replicates: '20' is none of its values; did you mean"),
    "a price of nobody": (STUDY.replace("gpt-4.1-mini", "gtp-4"), "prices: the list has no 'openai/gtp-4'"),
    "no TOML": ("name = ", "not TOML"),
    "nothing to train": (STUDY.replace("replicates", 'drop = ["train"]\nreplicates'),
                         "a study compares arms that are trained"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_come_to_nothing_is_refused_in_one_line_and_nothing_is_written(tmp_path, case):
    study, words = REFUSED[case]
    refused = in_process(lay_out(tmp_path, study), "study", "small.toml", "--workers", "2")
    assert refused.returncode == 2, refused.stdout
    assert words in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert not (tmp_path / "runs").exists()


def test_a_thousand_cells_are_told_their_time_and_what_starts_them(tmp_path):
    study, _ = REFUSED["a thousand cells"]
    refused = in_process(lay_out(tmp_path, study), "study", "small.toml", "--workers", "2")
    assert "on 2 workers" in refused.stderr and "`--yes` starts it" in refused.stderr


def test_options_set_several_keys_under_one_name(tmp_path):
    lay_out(tmp_path, """
name = "small"
recipe = "base.toml"
replicates = [3]
[axes.teacher.options]
careful = { "models.teacher.slip" = 0.0 }
noisy = { "models.teacher.slip" = 0.0, "models.teacher.slip_per_step" = 0.2 }
""")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        careful, noisy = cells_of(read_study(tmp_path / "small.toml"), tmp_path / "small.toml")
    assert (careful.name, noisy.name) == ("teacher-careful_r3", "teacher-noisy_r3")
    assert careful.config.models["teacher"].own == {"slip": 0.0, "seed": 3000}
    assert noisy.config.models["teacher"].own == {"slip": 0.0, "slip_per_step": 0.2, "seed": 3000}


def test_a_value_may_have_fewer_replicates_than_the_others(tmp_path, monkeypatch):
    lay_out(tmp_path, STUDY.replace("replicates = 2", "replicates = [5, 7, 8]") + "replicates = { 400 = 1 }\n")
    monkeypatch.chdir(tmp_path)
    cells = cells_of(read_study(tmp_path / "small.toml"), tmp_path / "small.toml")
    assert [cell.name for cell in cells] == ["budget-200_r5", "budget-400_r5", "budget-200_r7", "budget-200_r8"]


@pytest.mark.parametrize("name", sorted(path.stem for path in STUDIES.glob("*.toml")))
def test_a_shipped_study_is_made_of_configs_whose_pairs_are_its_arms(name):
    study = read_study(Path(name))
    for cell in cells_of(study, Path(name)):
        assert {arm for pair in pairs_of(study, cell.config) for arm in pair} <= set(cell.config.arms)


def test_a_study_that_is_not_there_names_those_that_are_shipped(tmp_path):
    with pytest.raises(ConfigError, match=r"no such study file; shipped ones: .*one-step"):
        read_study(tmp_path / "nowhere.toml")
