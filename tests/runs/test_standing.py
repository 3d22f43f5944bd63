"""How a run stands as a whole: stages, time left, money of the budget, and what a silent stage waits for."""

import time

import pytest

from lema.commands.run_folder import stages_of
from lema.config import load_config
from lema.errors import ConfigError
from lema.runs.news import News
from lema.runs.progress_file import ProgressFile, progress_of
from lema.runs.standing import Standing, paid_in_words
from tests.commands.view.made import run_by_hand, small_run
from tests.paying import PRICES, QUESTIONS, answer, lay_out, lema
from tests.personas import Vllm
from tests.server import Server


def news(since: float, done: int = 0, total: int | None = None, last: float = 0.0) -> dict:
    return {"since": since, "done": done, "total": total, "note": "", "news": last or since}


def standing(run) -> tuple[Standing, dict]:
    config = load_config(str(run / "config.toml"))
    stages = stages_of(run, config)
    return Standing(stages, config), stages


def test_time_left_is_reckoned_from_stages_that_did_the_same(tmp_path):
    run = run_by_hand(tmp_path)
    for name, seconds in (("models/cot-1", 100.0), ("models/cot-2", 140.0)):
        record = run / name / "record.json"
        record.write_text(record.read_text().replace('"rows"', f'"seconds": {seconds}, "rows"', 1))
    for name in ("models/lema-1", "models/lema-2", "report"):
        (run / name / "record.json").unlink()
    whole, stages = standing(run)
    now = time.time()
    assert whole.left({}, now) == ", more than 4 min left", "two fits of 120 s, and a report that nobody timed"
    assert whole.left({"models/lema-1": news(now - 100)}, now) == ", more than 2 min left"
    assert whole.left({"models/lema-1": news(now - 60, 10, 40)}, now) == ", more than 5 min left", "3 times 60 s"
    assert f"{len(stages) - 3:,} of {len(stages):,} stages" in whole.in_words({}, now)


def test_a_stage_that_says_nothing_is_said_to_wait_and_for_whom(tmp_path):
    run = small_run(tmp_path)
    whole, _ = standing(run)
    now = time.time()
    quiet = {"corrections": news(now - 300, 3, 40, now - 45), "verified": news(now - 300, 3, 40, now - 5)}
    words = whole.in_words(quiet, now)
    assert "corrections: waits for teacher, nothing new for 45 s" in words and "verified" not in words


@pytest.mark.parametrize(("budget", "says"), [
    ("[budget]\nmoney = 20.0\n", " of $20.00"), ("[budget]\ntokens = 99000\n", " of 99,000 tokens"), ("", "$")])
def test_replies_and_what_they_cost_stand_beside_the_budget(tmp_path, budget, says):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=PRICES + budget)
        done = lema(tmp_path, "run", "x.toml")
        assert done.returncode == 0, done.stderr
    run = tmp_path / "runs/x"
    config = load_config(str(run / "config.toml"))
    words = paid_in_words(stages_of(run, config), config)
    rows = [len((run / name / "rows.jsonl").read_text().splitlines()) for name in ("paths/student", "corrections")]
    assert words.startswith(f"{sum(rows)} replies, ") and says in words
    head = done.stderr.splitlines()[:2]
    assert f"stages to do; {QUESTIONS} questions; about " in head[0], head
    assert "no estimate yet (`lema estimate`)" in head[1]
    assert ("the budget is " if budget else "there is no [budget]") in head[1]


def test_an_estimate_is_in_the_first_words_of_the_run_that_it_is_of(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=20)
        said = lema(tmp_path, "estimate", "x.toml").stdout
        sums = next(line for line in said.splitlines() if line.startswith("in all: ")).removeprefix("in all: ")
        assert f"estimate: {sums}" in lema(tmp_path, "run", "x.toml").stderr
        other = lema(tmp_path, "run", "x.toml", "--yes", "--set", "correct.max_tokens=300")
        assert "no estimate yet" in other.stderr, "it was of another config"


def test_the_whole_run_is_told_of_while_it_works_and_kept_for_others(tmp_path):
    run, told = small_run(tmp_path), []
    whole, stages = standing(run)
    going = ProgressFile(run, len(stages), told.append, whole, every=0.01)
    going(News("corrections", "started"))
    deadline = time.monotonic() + 30
    while not progress_of(run)["overall"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert "9 of 9 stages" in progress_of(run)["overall"]
    going.close()
    assert any(each.state == "overall" and "9 of 9 stages" in each.note for each in told)


def test_an_online_tail_without_a_batch_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no model has backend = \"batch\""):
        from lema.commands.run import run_config
        small_run(tmp_path)
        run_config(str(tmp_path / "small.toml"), [], tmp_path / "runs", online_tail=5)
