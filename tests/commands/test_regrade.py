"""`lema regrade`: what today's grader changes is shown, nothing is written unasked, and the run goes on."""

import json

import pytest

from lema.runs.folder import content_of, read_record, write_record
from tests.commanding import in_process, lema

CONFIG = """
name = "x"
task = { name = "rows", train = "q.jsonl" }
sample = { models = ["m"], paths = 2 }
models = { m = { backend = "recorded", file = "r.jsonl" } }
arms = { right = { take = [{ kind = "cot", source = "sampled" }] } }
"""
QUESTIONS = [{"question": f"{n} + 1?", "answer": str(n + 1)} for n in range(4)]
PATHS = [{"question": f"{n} + 1?", "text": f"Step 1: {n} + 1 = {n + k}.\nStep 2: The answer is {n + k}."}
         for n in range(4) for k in (1, 2)]


@pytest.fixture
def run(tmp_path):
    for name, rows in (("q.jsonl", QUESTIONS), ("r.jsonl", PATHS)):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "c.toml").write_text(CONFIG)
    assert in_process(tmp_path, "run", "c.toml").returncode == 0
    return tmp_path


def graded(run) -> list[dict]:
    return [json.loads(line) for line in (run / "runs/x/graded/rows.jsonl").read_text("utf-8").splitlines()]


def examples(run) -> int:
    return len((run / "runs/x/sets/right/rows.jsonl").read_text("utf-8").splitlines())


def judged_by_an_older_grader(run, verdict="wrong", answer="nonsense") -> None:
    """The first right path and all that was made of it, as a worse grader would have left them."""
    rows = graded(run)
    first = next(row for row in rows if row["verdict"] == "right")
    first |= {"verdict": verdict, "answer": answer}
    file = run / "runs/x/graded/rows.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False, separators=(", ", ": ")) + "\n" for row in rows),
                    "utf-8")
    arm = run / "runs/x/sets/right"
    arm.joinpath("rows.jsonl").write_text("".join(
        line + "\n" for line in arm.joinpath("rows.jsonl").read_text("utf-8").splitlines()
        if json.loads(line)["parent"] != first["id"]), "utf-8")
    as_written(file.parent, arm)


def as_written(*folders) -> None:
    """Makes the folders' records true of their rows again."""
    for folder in folders:
        write_record(folder, read_record(folder) | content_of(folder))


def files(run) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted((run / "runs/x").rglob("*"))
            if path.is_file() and not path.name.startswith(("lock", "journal"))}


def test_a_run_that_today_s_grader_agrees_with_changes_nothing(run):
    before = files(run)
    done = in_process(run, "regrade", "x")
    assert done.returncode == 0, done.stderr
    assert "graded: 8 paths, 0 changed; right 4 → 4" in done.stdout
    assert "nothing changed" in done.stdout
    assert "nothing changed" in in_process(run, "regrade", "x", "--write").stdout
    assert files(run) == before


def test_changes_are_shown_with_counts_and_rows_and_nothing_is_written(run):
    judged_by_an_older_grader(run)
    before = files(run)
    done = in_process(run, "regrade", "x")
    assert "graded: 8 paths, 1 changed; right 3 → 4" in done.stdout
    assert "       1  wrong → right" in done.stdout
    assert "gold 1: wrong nonsense → right 1" in done.stdout
    assert "nothing was written; --write takes the new verdicts up" in done.stdout
    assert files(run) == before
    facts = json.loads(in_process(run, "regrade", "x", "--json").stdout)
    assert facts["written"] == []
    (stage,) = facts["stages"]
    assert (stage["paths"], stage["changed"], stage["right"]) == (8, 1, [3, 4])
    assert stage["verdicts"] == [["wrong", "right", 1]]
    assert stage["rows"][0]["after"]["answer"] == "1"


def test_what_is_taken_up_makes_its_descendants_stale_and_the_run_goes_on_from_it(run):
    judged_by_an_older_grader(run)
    assert examples(run) == 3
    done = lema(run, "regrade", "x", "--write")
    assert "written: graded; what was made of them is stale now" in done.stdout
    assert sum(row["verdict"] == "right" for row in graded(run)) == 4
    plan = in_process(run, "plan", "c.toml").stdout
    assert "done     graded" in plan
    assert "stale    sets/right  graded is another one now" in plan
    assert "stale    accounts" in plan
    again = in_process(run, "run", "c.toml")
    assert again.returncode == 0, again.stderr
    assert examples(run) == 4
    assert "nothing changed" in in_process(run, "regrade", "x").stdout
    assert " 0 stale" in in_process(run, "plan", "c.toml").stdout


def test_a_path_that_becomes_wrong_is_announced_where_its_correction_would_be_asked(run):
    rows = graded(run)
    rows[1] |= {"verdict": "no_answer", "answer": None}
    (run / "runs/x/graded/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    as_written(run / "runs/x/graded")
    done = in_process(run, "regrade", "x")
    assert "gold 1: no answer – → wrong 2" in done.stdout
    assert "1 paths are wrong now that were not" in done.stdout


def test_a_folder_that_is_stale_anyway_is_left_to_the_run(run):
    judged_by_an_older_grader(run)
    record = run / "runs/x/graded/record.json"
    facts = json.loads(record.read_text("utf-8"))
    facts["facts"]["version"] = 0
    facts["fingerprint"] = "of an older lema"
    record.write_text(json.dumps(facts), "utf-8")
    before = files(run)
    done = in_process(run, "regrade", "x", "--write")
    assert "graded is stale (version: 0 → " in done.stdout
    assert "wrong → right" in done.stdout
    assert files(run) == before
    assert in_process(run, "run", "c.toml").returncode == 0
    assert sum(row["verdict"] == "right" for row in graded(run)) == 4


def test_a_run_that_is_none_or_has_nothing_graded_is_said_in_one_line(run):
    for arguments, says in ((("regrade", "nothing"), "no run here"),
                            (("regrade", "y", "--write"), "no run here")):
        done = in_process(run, *arguments)
        assert done.returncode == 2
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert not (run / "runs/y").exists()
    (run / "runs/x/graded/record.json").unlink()
    done = in_process(run, "regrade", "x")
    says = "lema: runs/x: no paths are graded yet; `lema run runs/x` grades them\n"
    assert (done.returncode, done.stderr) == (2, says)


def test_a_run_at_work_is_not_written_to(run):
    import fcntl

    judged_by_an_older_grader(run)
    with (run / "runs/x/lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = in_process(run, "regrade", "x", "--write")
    assert done.returncode == 2
    assert "is working on this run" in done.stderr
    assert sum(row["verdict"] == "right" for row in graded(run)) == 3
