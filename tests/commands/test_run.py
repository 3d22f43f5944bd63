"""A run goes on as itself: a run folder is a CONFIG, a stored config changes in plain sight, files are looked for
first."""

import json
import shlex

import pytest

from tests.paying import answer, lay_out, lema, replies
from tests.personas import Vllm
from tests.server import Server


@pytest.fixture
def paid(tmp_path):
    """A finished run whose replies were paid for, made with an override; the server that was paid."""
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        done = lema(tmp_path, "run", "x.toml", "--set", "sample.paths=1")
        assert done.returncode == 0, done.stderr
        yield tmp_path, server


def _stored(folder):
    return (folder / "runs/x/config.toml").read_text()


def test_a_run_folder_is_a_config_with_what_was_laid_over_it(paid):
    folder, server = paid
    asked, stored = replies(server.seen), _stored(folder)
    assert "0 stale" not in lema(folder, "plan", "x.toml").stdout
    assert lema(folder, "plan", "runs/x").stdout.endswith(" done, 0 stale, 0 to do\n")
    again = lema(folder, "run", "runs/x/")
    assert (again.returncode, "stages: done before" in again.stderr) == (0, True)
    assert (replies(server.seen), _stored(folder)) == (asked, stored)
    assert lema(folder, "estimate", "runs/x", "--tokens", "9").returncode == 0
    assert lema(folder, "why", "x", "--config", "runs/x").returncode == 0


def test_a_run_folder_that_was_moved_goes_on_where_it_is(paid):
    folder, server = paid
    asked = replies(server.seen)
    (folder / "runs/x").rename(folder / "kept here")
    assert lema(folder, "run", "kept here").returncode == 0
    assert not (folder / "runs/x").exists()
    assert replies(server.seen) == asked


def test_overrides_lie_over_a_run_folders_config_and_another_name_makes_another_run(paid):
    folder, _ = paid
    assert "stale    paths/student" in lema(folder, "plan", "runs/x", "--set", "sample.paths=2").stdout
    assert lema(folder, "plan", "runs/x", "--set", "name=y").stdout.splitlines()[-1].startswith("0 done")


def test_a_stored_config_that_differs_is_not_overwritten_where_paid_stages_become_stale(paid):
    folder, server = paid
    asked, stored = replies(server.seen), _stored(folder)
    done = lema(folder, "run", "x.toml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[:2] == [
        "runs/x: the config differs from the one that is stored there:", "  sample.paths: 1 → 2"]
    assert "paths/student: 12 replies of student" in done.stderr.splitlines()[-1]
    assert "`lema run runs/x` goes on with the stored config" in done.stderr.splitlines()[-1]
    assert (replies(server.seen), _stored(folder)) == (asked, stored)
    assert lema(folder, "run", "x.toml", "--yes").returncode == 0
    assert "paths = 2" in _stored(folder)
    assert replies(server.seen) == asked + 18, "12 more paths, and the corrections of those that are wrong"


def test_a_change_that_makes_nothing_paid_stale_is_shown_and_goes_on(paid):
    folder, server = paid
    asked = replies(server.seen)
    done = lema(folder, "run", "runs/x", "--set", "verify.checks=['answer']", "--set", "machine.workers=1")
    assert done.returncode == 0, done.stderr
    assert "  machine.workers: not set → 1" in done.stderr.splitlines()
    assert replies(server.seen) == asked


def test_the_command_that_import_prints_goes_on_with_this_run(paid):
    folder, server = paid
    asked = replies(server.seen)
    row = {"question": "What is 1 plus 1?", "path": "Step 1: 1 + 1 = 3.\nStep 2: The answer is 3."}
    for number, run in enumerate(("x.toml", "x", "runs/x")):  # x.toml never had the override
        mine = {"question": f"What is {number + 1} plus {number + 1}?"}
        (folder / "own.jsonl").write_text(json.dumps(row | mine))
        done = lema(folder, "import", run, "own.jsonl", "--as", "paths", "--name", f"own{number}", "--column",
                    "question=question", "--column", "path=path")
        assert done.returncode == 0, done.stderr
        command = shlex.split(done.stdout.splitlines()[-1])
        assert command == ["lema", "run", "runs/x"]
        assert "stale    paths/student" not in lema(folder, "plan", *command[2:]).stdout
    before = _stored(folder)
    assert lema(folder, *command[1:]).returncode == 0
    assert _stored(folder) == before
    assert asked < replies(server.seen) <= asked + 3, "the imported paths are corrected, and nothing else"


def test_an_import_before_the_first_run_prints_the_command_that_starts_it(paid):
    folder, _ = paid
    (folder / "own.jsonl").write_text(json.dumps({"question": "What is 1 plus 1?", "path": "Step 1: It is 3."}))
    done = lema(folder, "import", "x.toml", "own.jsonl", "--as", "paths", "--runs", "my runs", "--column",
                "question=question", "--column", "path=path")
    assert done.stdout.splitlines()[-1] == "  lema run x.toml --runs 'my runs'"


MISSING = """
name = "x"
task = { name = "rows", train = "none.jsonl", test = "no-test.csv" }
sample = { models = ["m"] }
models = { m = { backend = "recorded", file = "no-paths.jsonl" } }
"""


@pytest.mark.parametrize("command", ["plan", "run", "estimate"])
def test_every_missing_file_is_a_line_and_nothing_is_written(tmp_path, command):
    from tests.commanding import lema as process

    (tmp_path / "c.toml").write_text(MISSING)
    done = process(tmp_path, command, "c.toml")
    assert done.returncode == 2
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        "none.jsonl", "no-test.csv", "no-paths.jsonl"]
    assert "check [models.m] of the config" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("name", "text", "says"), [
    ("q.jsonl", "", "q.jsonl: empty; give a file with at least one row"),
    ("q.csv", "question,answer\n", "q.csv: empty"),
    ("q.csv", "question;answer\n1 + 1?;2\n", "q.csv:1: a semicolon stands between the columns"),
    ("q.tsv", "question,answer\n1 + 1?,2\n", "q.tsv:1: a comma stands between the columns; save"),
    ("q.jsonl", '{"question": "1 + 1?"}\n', "no column 'answer'")])
def test_plan_opens_the_files_of_questions(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    (tmp_path / "r.jsonl").write_text("{}\n")
    config = MISSING.replace("none.jsonl", name).replace("no-paths", "r")
    (tmp_path / "c.toml").write_text(config.replace(', test = "no-test.csv"', ""))
    done = lema(tmp_path, "plan", "c.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_plan_says_to_do_of_what_was_never_done(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1")
    plan = lema(tmp_path, "plan", "x.toml").stdout
    assert plan.splitlines()[0] == "to do    questions"
    assert plan.splitlines()[-1].endswith("0 done, 0 stale, 5 to do")


def test_a_config_with_a_byte_order_mark_is_read_and_a_misspelt_backend_names_its_table(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1")
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "x.toml").read_bytes())
    assert lema(tmp_path, "plan", "x.toml").returncode == 0
    done = lema(tmp_path, "plan", "x.toml", "--set", "models.student.backend=aip")
    assert "models.student.backend: no 'aip'; did you mean 'api'" in done.stderr
