"""`lema show`: how far a run is while it works, and its wrong paths and corrections by their ids."""

import json
import os
import time

import pytest

from lema.commands.listed import listed
from lema.commands.show import life_of, summary_of
from lema.errors import ConfigError
from lema.records import Correction, ReasoningPath, read_rows
from lema.runs.news import News
from lema.runs.progress_file import ProgressFile, progress_of
from tests.commanding import lema
from tests.commands.view.made import small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("small"))


def test_wrong_paths_and_kept_and_rejected_corrections_are_listed_by_ids_that_show_takes(run):
    wrong = {path.id for path in read_rows(ReasoningPath, run / "graded/rows.jsonl") if path.verdict == "wrong"}
    kept = {row.id for row in read_rows(Correction, run / "verified/rows.jsonl") if row.verified}
    for what, ids in (("wrong", wrong), ("kept", kept)):
        text = listed(run, what, 500, as_json=False)
        assert {line.split()[0] for line in text.splitlines()[::2]} == ids
        assert max(map(len, text.splitlines())) <= 80
        assert life_of(run, text.split()[0], as_json=False)
        assert {row["id"] for row in json.loads(listed(run, what, 500, as_json=True))} == ids
    assert "rejected" not in listed(run, "rejected", 3, as_json=False)
    assert "there are more" in listed(run, "wrong", 3, as_json=False)
    with pytest.raises(ConfigError, match="did you mean 'wrong'"):
        listed(run, "wrongs", 3, as_json=False)


def test_a_run_that_is_going_says_how_far_it_is_and_an_ended_one_does_not(run):
    assert progress_of(run) is None and "going on" not in summary_of(run, as_json=False)
    told = []
    going = ProgressFile(run, 9, told.append)
    going(News("a", "remembered"))
    going(News("b", "started"))
    going(News("b", "finished", 5, 5, "$0.10"))
    going(News("corrections", "started"))
    facts = progress_of(run)
    assert (facts["done"], facts["stages"], list(facts["at_work"])) == (2, 9, ["corrections"])
    assert told[2].note == "$0.10, 2 of 9 stages"
    shown = summary_of(run, as_json=False).splitlines()
    assert "going on: 2 of 9 stages" in shown and any(line.startswith("  corrections: 0") for line in shown)
    assert json.loads(summary_of(run, as_json=True))["going"]["done"] == 2
    going.close()
    assert progress_of(run) is None


@pytest.mark.parametrize("content", ["", "[]", '{"pid": "x"}', '{"pid": 999999999, "ended": null, "at_work": {}}'])
def test_a_file_of_progress_that_nobody_writes_is_no_progress(run, content):
    (run / "progress.json").write_text(content)
    assert progress_of(run) is None
    facts = {"pid": os.getpid(), "ended": time.time(), "at_work": {}, "stages": 1, "done": 1}
    (run / "progress.json").write_text(json.dumps(facts))
    assert progress_of(run) is None


def test_a_run_says_first_what_it_will_do_and_the_shell_completes_its_commands(tmp_path):
    (tmp_path / "c.toml").write_text((small_run(tmp_path) / "config.toml").read_text().replace("small", "other"))
    done = lema(tmp_path, "run", "c.toml")
    assert done.stderr.splitlines()[:2] == [
        "other: 9 of 9 stages to do; 41 questions; about 120 requests, at most 160",
        "  asks student, teacher, on this machine"]
    assert ", 9 of 9 stages" in done.stderr
    completed = lema(tmp_path, _LEMA_COMPLETE="complete_bash", COMP_WORDS="lema vi", COMP_CWORD="1")
    assert "view" in completed.stdout
