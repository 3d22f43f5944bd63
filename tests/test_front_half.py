"""The front half of the method on real data and over real HTTP: recorded paths, an endpoint, training sets.

The corrector behind the server is a fallible one of our own: it answers from the worked solution, names the first
step whose number differs, and fails in every way that a reply can.
"""

import json
import subprocess
from pathlib import Path

import pytest

from lema.records import Correction, Example, Question, ReasoningPath, read_rows
from tests.personas import Reasoning
from tests.processes import LEMA, ended
from tests.server import BROKEN, Server, last_message, too_many

CORRECTOR = Reasoning(("gpt-5-mini",))
ROLLOUTS = "grading_outputs/gsm8k_example_model_solutions.jsonl"


def _lema(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return ended([*LEMA, *arguments], cwd=folder)


def _corrector(questions: dict[str, str]):
    """Replies from the gold answers: most right, some wrong, some unreadable, by the length of the prompt."""
    def answer(body: dict, choice: int) -> str:
        prompt = last_message(body)
        asked = prompt.rsplit("Question:", 1)[1].split("\nWrong Solution:")[0].strip()
        gold = questions[asked]
        kind = len(prompt) % 10
        if kind == 0:
            return "I cannot find any mistake here."
        if kind == 1:
            gold = f"{gold}7"
        return (f" Step 1.\nExplanation: This is not what follows from: {asked[:80]}\nCorrect Solution:\n{{\n"
                f"Step 1: Everything counted together gives {gold}.\nStep 2: The answer is {gold}.\n}}")
    return answer


def _small(shared_data: Path, tmp_path: Path, questions: int) -> dict[str, str]:
    """The first questions that have rollouts, written as a user's files; question to gold answer."""
    rollouts = [json.loads(line) for line in (shared_data / ROLLOUTS).read_text(encoding="utf-8").splitlines()]
    wanted = list(dict.fromkeys(row["question"] for row in rollouts))[:questions]
    rows = (shared_data / "questions/gsm8k_test.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [row for row in map(json.loads, rows) if row["question"] in wanted]
    (tmp_path / "gsm8k.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    (tmp_path / "rollouts.jsonl").write_text("".join(
        json.dumps(row) + "\n" for row in rollouts if row["question"] in wanted))
    return {row["question"].strip(): row["answer"].rsplit("#### ", 1)[1].replace(",", "") for row in kept}


@pytest.fixture
def files(shared_data, tmp_path):
    return _small(shared_data, tmp_path, 60)


def test_the_shipped_recipe_turns_recorded_rollouts_into_training_sets(files, tmp_path):
    faults = {3: too_many("0"), 7: BROKEN}
    with Server(_corrector(files), lambda number, body: faults.get(number), persona=CORRECTOR) as server:
        done = _lema(tmp_path, "run", "gsm8k-mistakes", "--set", f"models.corrector.base_url={server.url}")
        assert done.returncode == 0, done.stderr
        asked = len(server.seen)
    run = tmp_path / "runs" / "gsm8k-mistakes"
    graded = list(read_rows(ReasoningPath, run / "graded/rows.jsonl"))
    labels = {(row["question"].strip(), row["solution"]): row["is_correct"] for row in map(
        json.loads, (tmp_path / "rollouts.jsonl").read_text().splitlines())}
    texts = {question.id: question.text for question in read_rows(Question, run / "questions/rows.jsonl")}
    assert len(graded) == len(labels)
    assert all((path.verdict == "right") == labels[texts[path.question].strip(), path.text] for path in graded)
    corrections = list(read_rows(Correction, run / "verified/rows.jsonl"))
    wrong = [path for path in graded if path.verdict == "wrong"]
    assert {correction.path for correction in corrections} <= {path.id for path in wrong}
    assert asked == len(corrections) + len(faults)
    reasons = {correction.rejected for correction in corrections}
    assert reasons >= {"", "unreadable: no step named", "wrong final answer"}
    assert reasons <= {"", "unreadable: no step named", "wrong final answer", "says the same again",
                       "an earlier step calculates wrongly", "the explanation is not about the step"}
    examples = list(read_rows(Example, run / "sets/lema/rows.jsonl"))
    kept = {correction.id for correction in corrections if correction.verified}
    assert {example.parent for example in examples if example.kind == "correction"} == kept
    assert "verified" in done.stdout


def test_a_second_run_asks_nothing_and_changes_nothing(files, tmp_path):
    with Server(_corrector(files), persona=CORRECTOR) as server:
        address = f"models.corrector.base_url={server.url}"
        assert _lema(tmp_path, "run", "gsm8k-mistakes", "--set", address).returncode == 0
        asked = len(server.seen)
        again = _lema(tmp_path, "run", "gsm8k-mistakes", "--set", address)
        assert again.returncode == 0
        assert "stages: done before" in again.stderr
        assert len(server.seen) == asked > 0


def test_an_endpoint_that_refuses_is_one_line_and_leaves_finished_stages(files, tmp_path):
    done = _lema(tmp_path, "run", "gsm8k-mistakes", "--set", "models.corrector.base_url=http://127.0.0.1:9/v1",
                 "--set", "models.corrector.patience=0")
    assert done.returncode == 2
    assert len([line for line in done.stderr.splitlines() if line.startswith("lema: ")]) == 1
    assert "127.0.0.1:9" in done.stderr
    plan = _lema(tmp_path, "plan", "gsm8k-mistakes").stdout
    assert "done     graded" in plan
    assert "to do    corrections" in plan
