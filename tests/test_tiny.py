"""The whole method on the recipe `tiny`, as a user runs it: every figure that is shown is the one in the rows."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lema.records import Account, Correction, Example, Question, ReasoningPath, read_rows
from lema.statistics.scores import Comparison, Score
from tests.faults.kill_anywhere import killed_until_done, left_alone, prints, within
from tests.processes import LEMA, ended

ARMS = ("cot", "rft", "lema", "step", "bought", "centric", "general")
SEEDS = (1, 2, 3)


def _lema(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return ended([*LEMA, *arguments], cwd=folder)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder in which `tiny` was run once and left alone."""
    folder = tmp_path_factory.mktemp("tiny")
    left_alone("tiny", folder, [])
    return folder


@pytest.fixture
def run(home):
    return home / "runs" / "tiny"


def test_students_make_real_mistakes_and_a_teacher_corrects_them(run):
    verdicts = Counter(path.verdict for path in read_rows(ReasoningPath, run / "graded/rows.jsonl"))
    assert verdicts["wrong"] > 20
    assert verdicts["right"] > 5
    corrections = list(read_rows(Correction, run / "verified/rows.jsonl"))
    assert sum(correction.verified for correction in corrections) > 10
    assert all(correction.rejected for correction in corrections if not correction.verified)


def test_no_split_shares_a_question(run):
    questions = list(read_rows(Question, run / "questions/rows.jsonl"))
    assert len({question.text for question in questions}) == len(questions)
    assert sum(question.solution is not None for question in questions) == 30


def test_every_score_is_what_the_answers_say(run):
    gold = {q.id: q.answer for q in read_rows(Question, run / "questions/rows.jsonl")}
    for score in read_rows(Score, run / "scores/rows.jsonl"):
        if score.level is not None:
            continue
        model = f"{score.arm}-{score.seed}" if score.arm else "student"  # as every arm finds it
        answers = list(read_rows(ReasoningPath, run / f"answers/{model}/rows.jsonl"))
        stated = [re.findall(r"The answer is (\d+)", path.text)[-1:] for path in answers]
        right = sum(last == [gold[path.question]] for last, path in zip(stated, answers, strict=True))
        assert (score.right, score.questions) == (right, len(answers)) == (right, 60)


def test_every_comparison_is_paired_over_the_same_questions_and_seeds(run):
    def right(arm: str) -> np.ndarray:
        rows = []
        for seed in SEEDS:
            every = read_rows(ReasoningPath, run / "examined/rows.jsonl")
            paths = [path for path in every if path.model == f"{arm}-{seed}"]
            rows.append([p.verdict == "right" for p in sorted(paths, key=lambda p: p.question)])
        return np.array(rows, float)

    found = {(c.arm, c.baseline): c for c in read_rows(Comparison, run / "comparisons/rows.jsonl")}
    assert {(arm, "cot") for arm in ARMS} - {("cot", "cot")} <= set(found)
    assert len(found) > len(ARMS) - 1, "the pairs of [report] are compared as well"
    for (arm, baseline), comparison in found.items():
        assert comparison.mean == pytest.approx((right(arm) - right(baseline)).mean())
        low, high = comparison.over_questions
        assert low <= comparison.mean <= high
        if low <= 0 <= high:
            assert comparison.reading.startswith("no difference shown")


def test_the_accounts_are_what_the_rows_say(run):
    replies = sum(c.tokens for c in read_rows(Correction, run / "verified/rows.jsonl"))
    paid = {"cot": 0, "rft": 0, "lema": replies, "step": replies,
            "bought": sum(p.tokens for p in read_rows(ReasoningPath, run / "bought/paths/rows.jsonl"))}
    for name in ("centric", "general"):
        grown = sum(q.tokens for q in read_rows(Question, run / f"{name}/questions/rows.jsonl"))
        more = sum(c.tokens for c in read_rows(Correction, run / f"{name}/corrections/rows.jsonl"))
        paid[name] = replies + grown + more
    for account in read_rows(Account, run / "accounts/rows.jsonl"):
        examples = list(read_rows(Example, run / f"sets/{account.arm}/rows.jsonl"))
        assert account.examples == len(examples)
        assert account.tokens == sum(example.tokens for example in examples)
        assert account.teacher_tokens == paid[account.arm]


def test_every_arm_saw_the_same_number_of_trained_tokens(run):
    seen = {path.parent.name: json.loads(path.read_text())["tokens"] for path in run.glob("models/*/rows.jsonl")}
    assert len(seen) == len(ARMS) * len(SEEDS)
    assert all(3_900 <= tokens <= 4_000 for tokens in seen.values()), seen


def test_a_training_row_leads_back_to_the_reply_it_was_made_of(home, run):
    example = next(e for e in read_rows(Example, run / "sets/lema/rows.jsonl") if e.kind == "correction")
    shown = _lema(home, "show", "tiny", example.id)
    correction = next(c for c in read_rows(Correction, run / "verified/rows.jsonl") if c.id == example.parent)
    for stage in ("questions", "graded", "corrections", "verified", "sets/lema"):
        assert f"── {stage}" in shown.stdout
    assert correction.explanation in shown.stdout
    life = json.loads(_lema(home, "show", "tiny", correction.path, "--json").stdout)
    assert life["questions"][0]["id"] == example.question


def test_a_finished_run_is_remembered_as_a_whole(home):
    plan = _lema(home, "plan", "tiny", "--set", f"machine.cache={home / 'cache'}")
    assert plan.stdout.strip().splitlines()[-1].endswith(", 0 stale, 0 to do")
    before = prints(home)
    again = _lema(home, "run", "tiny", "--set", f"machine.cache={home / 'cache'}")
    assert again.returncode == 0
    assert "✓" not in again.stderr
    assert prints(home) == before


def test_results_of_an_earlier_state_are_shown_as_such(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    assert "stale" not in _lema(tmp_path, "show", "run").stdout
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace('headline = "step"', 'headline = "lema"'))
    shown = _lema(tmp_path, "show", "run").stdout
    assert "stale (`lema plan run` says why)" in shown.splitlines()[0]
    assert "of an earlier state of the run" in shown


def test_a_new_arm_makes_nothing_else_stale(home):
    plan = _lema(home, "plan", "tiny", "--set", "arms.new={take=[{kind='correction', limit=5}]}").stdout
    states = {line[9:].split()[0]: line[:8].strip() for line in plan.splitlines()[:-1]}
    assert {name for name, state in states.items() if state == "to do"} == {
        "sets/new", *(f"{room}/new-{seed}" for room in ("models", "answers") for seed in SEEDS)}
    assert {name for name, state in states.items() if state == "stale"} == {
        "accounts", "examined", "scores", "comparisons", "tables", "report"}


def test_the_table_and_the_page_say_the_same(home, run):
    shown = _lema(home, "show", "tiny").stdout
    table = (run / "report/table.txt").read_text()
    assert table.strip() in shown
    page = (run / "report/report.html").read_text()
    assert "no difference shown" in page or "better" in page or "worse" in page
    for comparison in read_rows(Comparison, run / "comparisons/rows.jsonl"):
        assert f"{abs(100 * comparison.mean):.1f}" in page


@pytest.mark.living
def test_a_run_killed_twice_on_its_way_ends_in_the_same_bytes(home, tmp_path):
    assert killed_until_done("tiny", tmp_path, [], [within(tmp_path, 3), within(tmp_path, 40)]) == 2
    assert prints(tmp_path) == prints(home)
