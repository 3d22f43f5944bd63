"""Damaged and foreign files in a run's folder: one line says what to do, nothing is followed or paid again."""

import json
import os
import re
import shutil

import pytest

from lema.runs.folder import read_record, write_record
from lema.runs.progress_file import in_words, progress_of
from tests.paying import PRICES, answer, lay_out, lema, replies
from tests.personas import Vllm
from tests.server import Server


@pytest.fixture
def home(tmp_path):
    """A folder in which the small run is done, and the server that answered it."""
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        yield tmp_path, server


def cut(file):
    file.write_bytes(file.read_bytes()[:-40])


def drop_a_row(file):
    file.write_text("".join(file.read_text().splitlines(True)[:-1]))


def flip(file):
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)


def link(file):
    file.rename(file.with_name("moved"))
    file.symlink_to(file.with_name("moved"))


def fifo(file):
    file.unlink()
    os.mkfifo(file)


def is_folder(file):
    file.unlink()
    file.mkdir()


DAMAGES = [cut, drop_a_row, flip, link, fifo, is_folder, os.unlink]


@pytest.mark.parametrize("harm", DAMAGES)
@pytest.mark.parametrize("stage", ["paths/student", "corrections", "graded"])
def test_a_damaged_stage_is_never_done_and_the_folder_to_remove_is_named(home, harm, stage):
    folder, server = home
    harm(folder / "runs/x" / stage / "rows.jsonl")
    plan = lema(folder, "plan", "x.toml")
    assert re.search(rf"^damaged +{stage} ", plan.stdout, re.M) and "1 damaged" in plan.stdout
    for command in (("run", "x.toml"), ("show", "x")):
        done = lema(folder, *command)
        said = done.stderr + done.stdout
        assert f"remove the folder runs/x/{stage}" in said and "in the journal" in said
    asked = len(server.seen)
    shutil.rmtree(folder / "runs/x" / stage)
    assert lema(folder, "run", "x.toml").returncode == 0
    assert len(server.seen) == asked


def test_damage_of_before_there_were_hashes_is_seen_by_the_number_of_rows(home):
    folder, _ = home
    stage = folder / "runs/x/corrections"
    record = read_record(stage)
    del record["content"], record["bytes"]
    write_record(stage, record)
    assert "damaged" not in lema(folder, "plan", "x.toml").stdout
    drop_a_row(stage / "rows.jsonl")
    assert "1 damaged" in lema(folder, "plan", "x.toml").stdout


RECORDS = ["[]", "[1]", "null", "7", '"x"', "{}", '{"fingerprint": 1}', '{"fingerprint": "x", "facts": []}',
           '{"fingerprint": "x", "facts": {}, "usage": {"a": []}}', "\xff", "[" * 10**5,
           '{"fingerprint": "x", "facts": {}, "rows": "9"}', '{"rows": ' + "9" * 5000 + "}"]


@pytest.mark.parametrize("content", RECORDS)
def test_a_record_of_another_kind_is_done_again_without_asking(home, content):
    folder, server = home
    (folder / "runs/x/corrections/record.json").write_bytes(content.encode("latin-1"))
    for command in (("show", "x"), ("plan", "x.toml"), ("journal", "stats", "x")):
        assert lema(folder, *command).returncode == 0
    plan = lema(folder, "plan", "x.toml").stdout
    assert re.search(r"to do +corrections +its record.json cannot be read", plan)
    asked = replies(server.seen)
    assert lema(folder, "run", "x.toml").returncode == 0
    assert replies(server.seen) == asked


@pytest.mark.parametrize("name", ["corrections.part", "corrections.old", "corrections"])
def test_a_link_in_a_stage_s_place_is_never_followed(home, name):
    folder, _ = home
    treasure = folder / "treasure"
    treasure.mkdir()
    (treasure / "kept").write_text("kept")
    place = folder / "runs/x" / name
    shutil.rmtree(folder / "runs/x/corrections")
    place.symlink_to(treasure)
    assert lema(folder, "run", "x.toml").returncode == 0
    assert [path.name for path in treasure.iterdir()] == ["kept"]


@pytest.mark.parametrize("harm", [fifo, is_folder])
@pytest.mark.parametrize("name", ["lock", "lock.workers", "journal.sqlite", "config.toml"])
def test_what_is_no_file_in_the_place_of_a_run_s_own_is_one_line_and_waited_for_by_nobody(home, name, harm):
    folder, _ = home
    place = folder / "runs/x" / name
    harm(place)
    done = lema(folder, "run", "x.toml", "--set", "sample.seed=5", "--yes")
    assert done.returncode == 0 or ("remove it" in done.stderr and done.stderr.count("lema: ") == 1)
    assert lema(folder, "show", "x").returncode in (0, 2)


def test_an_export_of_what_is_no_longer_there_is_one_line(home):
    folder, server = home
    arms = '[arms.a]\ntake = [{ kind = "correction" }]\n'
    lay_out(folder, server.url, more=PRICES + arms)
    assert lema(folder, "run", "x.toml", "--yes").returncode == 0
    cut(folder / "runs/x/questions/rows.jsonl")
    done = lema(folder, "export", "x", "--out", "out")
    assert done.returncode == 2 and "remove the folder runs/x/questions" in done.stderr
    shutil.rmtree(folder / "runs/x/questions")
    done = lema(folder, "export", "x", "--out", "out")
    assert done.returncode == 2 and "questions, of which the set of arm a is made, is missing" in done.stderr


@pytest.mark.parametrize("name", ["lock", "lock.workers", "config.toml", "config.toml.part", "progress.json",
                                  "progress.json.part"])
def test_a_link_in_the_place_of_a_run_s_own_file_is_never_written_through(home, name):
    folder, _ = home
    treasure = folder / "treasure"
    treasure.write_text("kept")
    (folder / "runs/x" / name).unlink(missing_ok=True)
    (folder / "runs/x" / name).symlink_to(treasure)
    done = lema(folder, "run", "x.toml")
    assert done.returncode == 0 or "remove it" in done.stderr
    assert treasure.read_text() == "kept"


@pytest.mark.parametrize("change", ["task.name='../../x'", "task.name='a..b'", "task.name='/etc/passwd'",
                                    "models.student.backend='../api'", "name='../x'"])
def test_a_name_that_is_a_path_is_refused(home, change):
    folder, _ = home
    done = lema(folder, "plan", "x.toml", "--set", change)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


CLASHES = """
name = "x"
task = {{ name = "rows", train = "questions.jsonl" }}
[models.{name}]
backend = "api"
model = "small"
[sample]
models = ["{name}"]
[correct]
model = "{name}"
[evolve.{round}]
model = "{name}"
seeds = 2
"""


@pytest.mark.parametrize(("name", "round"), [("x.part", "r"), ("x", "r.part"), ("x", "paths.part"),
                                             ("x", "graded"), ("x", "config.toml"), ("x", "imports"),
                                             ("drafts", "paths")])
def test_names_that_would_write_over_each_other_are_refused(home, name, round):
    folder, _ = home
    table = CLASHES.format(name=f'"{name}"', round=f'"{round}"').replace('""', '"')
    (folder / "y.toml").write_text(table)
    done = lema(folder, "plan", "y.toml")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stdout


@pytest.mark.parametrize("content", ["[]", "{", '{"what": 3}', "[" * 10**5, '{"what": "paths", "models": []}'])
def test_notes_of_an_import_that_cannot_be_read_name_the_folder(home, content):
    folder, _ = home
    place = folder / "runs/x/imports/theirs"
    place.mkdir(parents=True)
    (place / "import.json").write_text(content)
    done = lema(folder, "plan", "x.toml")
    assert done.returncode == 2 and "remove the folder" in done.stderr and done.stderr.count("\n") == 1


PROGRESS = {"pid": os.getppid(), "began": 1.0, "stages": 3, "done": 1, "before": 0, "ended": None,
            "at_work": {"a": {"done": 1, "total": None, "note": "", "since": 1.0}}}


@pytest.mark.parametrize("content", [
    "[]", "{", "[" * 10**5, '{"pid": -1}', *(json.dumps(PROGRESS | changes) for changes in (
        {"at_work": []}, {"stages": "many"}, {"at_work": {"a": []}}, {"pid": 10**20}, {"pid": 0},
        {"ended": 1.0}))])
def test_progress_of_another_kind_is_the_progress_of_no_run(tmp_path, content):
    (tmp_path / "progress.json").write_text(content)
    assert progress_of(tmp_path) is None
    (tmp_path / "progress.json").write_text(json.dumps(PROGRESS))
    assert in_words(progress_of(tmp_path))[0] == "going on: 1 of 3 stages"


def test_a_pipe_in_the_place_of_the_progress_is_waited_for_by_nobody(home):
    folder, _ = home
    os.mkfifo(folder / "runs/x/progress.json.part")
    fifo(folder / "runs/x/progress.json")
    assert lema(folder, "run", "x.toml").returncode == 0
