"""The recipes for GSM8K and MATH run as they are once models, endpoints and budgets are filled in.

Both endpoints are local servers, as strict as those that the recipes name: a base model behind vLLM, and a model
that reasons behind OpenAI's API. They give recorded replies of real models to the questions of the public sets,
and corrections, new questions and votes written from the gold answers.
"""

import json
import random
import re
from pathlib import Path

import pytest

from lema.commands.plan import plan_config
from lema.commands.run import run_config
from lema.config import load_config
from lema.plugins import shipped
from lema.records import Account, Correction, Example, Question, ReasoningPath, read_rows
from lema.statistics.scores import Score
from lema.tasks import find_task
from tests import toys
from tests.personas import OpenAI, Reasoning, Vllm
from tests.server import Server, last_message

OURS = [path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parents[1] / "docs").glob("*.md"))]
GSM8K, MATH = "grading_outputs/gsm8k_example_model_solutions.jsonl", "grading_outputs/processbench_math.jsonl"
STUDENT = Vllm(("meta-llama/Llama-2-7b-hf",), template=False, room=4096)
OTHER = OpenAI(("gpt-4.1-nano",))
CORRECTOR = Reasoning(("gpt-5-mini",))
ARMS = ("cot", "cot-same-questions", "lema", "step", "evolved")


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _gsm8k(shared: Path) -> tuple[list[dict], dict[str, list[str]], dict[str, str]]:
    """Rows of the official file, recorded replies and gold answers by question."""
    replies: dict[str, list[str]] = {}
    for row in _lines(shared / GSM8K):
        replies.setdefault(row["question"], []).append(row["solution"])
    rows = [row for row in _lines(shared / "questions/gsm8k_test.jsonl") if row["question"] in replies][:40]
    return rows, replies, {row["question"]: row["answer"].rsplit("#### ", 1)[1].replace(",", "") for row in rows}


def _math(shared: Path) -> tuple[list[dict], dict[str, list[str]], dict[str, str]]:
    replies: dict[str, list[str]] = {}
    gold: dict[str, str] = {}
    for row in _lines(shared / MATH):
        if len("".join(row["steps"])) > 2_000:
            continue  # longer than the toy student reads
        replies.setdefault(row["problem"], []).append("\n".join(row["steps"]))
        gold[row["problem"]] = row["_gold_answer"]
    official = {row["problem"]: row for row in _lines(shared / "questions/math_test.jsonl")}
    rows = [official[problem] for problem in replies if problem in official][:40]
    return rows, replies, gold


def _answering(replies: dict[str, list[str]], gold: dict[str, str]):
    """What the endpoints say: by what the prompt ends in."""
    plain = {" ".join(question.split()): question for question in replies}

    def answer(body: dict, choice: int) -> str:
        prompt = last_message(body)
        question = plain.get(" ".join(re.split(r"\n(?:Wrong Solution|Solution|New Question)",
                                               prompt.rpartition("Question: ")[2])[0].split()))
        value = gold.get(question, "7")
        if prompt.rstrip().endswith("New Question:"):
            seed = re.split(r"\n\s*New Question", prompt)[-2].rpartition("Question: ")[2]
            words = seed.split()
            random.Random(seed).shuffle(words)  # a question that is like no other
            return " ".join(words)
        if "Incorrect Step:" in prompt.rstrip()[-20:]:
            return (f" Step 1.\nExplanation: The first step leaves something out.\nCorrect Solution:\n{{\nStep 1: "
                    f"Counted together that gives {value}.\nStep 2: The answer is {value}.\n}}")
        if body.get("temperature", 0) > 0.75:  # the student
            drawn = random.Random(str((prompt[-200:], choice, body.get("seed"))))
            return drawn.choice(replies.get(question) or ["The answer is 7.", "Step 1: One.\nThe answer is 8."])
        return f"Step 1: We find {value}.\nStep 2: The answer is {value}."
    return answer


@pytest.mark.parametrize("recipe", ["gsm8k", "math"])
def test_a_recipe_runs_once_models_endpoints_and_budgets_are_filled_in(recipe, shared_data, tmp_path, monkeypatch):
    if recipe not in shipped("tasks"):
        pytest.skip(f"lema ships no task {recipe} yet")
    rows, replies, gold = {"gsm8k": _gsm8k, "math": _math}[recipe](shared_data)
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:24]))
    (tmp_path / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[24:26]))
    base = toys.reader(tmp_path / "base", OURS, positions=4_096)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    answer = _answering(replies, gold)
    with (Server(answer, persona=STUDENT) as student, Server(answer, persona=CORRECTOR) as corrector,
          Server(answer, persona=OTHER) as other):
        filled = {
            "task": f'{{name="{recipe}", train="{tmp_path}/train.jsonl", test="{tmp_path}/test.jsonl", dev=4}}',
            "models.student.base_url": f'"{student.url}"', "models.corrector.base_url": f'"{corrector.url}"',
            "models.other.base_url": f'"{other.url}"',
            # the price list knows them at their own address only
            "prices": "{'meta-llama/Llama-2-7b-hf'={input=0, output=0}, 'gpt-4.1-nano'={input=0.1, output=0.4}}",
            "prices.gpt-5-mini": "{input=0.25, output=2}",
            "models.base.path": f'"{base}"', "sample.paths": "2", "correct.tokens": "32000",
            "evolve.centric.seeds": "8", "train.seeds": "[1]", "train.budget.steps": "1",
            "train.batch_size": "8", "train.accumulate": "4", "evaluate.max_tokens": "8"}
        if recipe == "math":
            filled["arms"] = "['cot', 'lema']"  # every arm of it is trained for gsm8k
        run = run_config(recipe, [f"{key}={value}" for key, value in filled.items()], tmp_path / "runs")
        assert student.seen and corrector.seen and other.seen
    assert {path.verdict for path in read_rows(ReasoningPath, run / "graded/rows.jsonl")} >= {"right", "wrong"}
    corrected = ("verified",) if recipe == "math" else ("verified", "centric/verified")
    assert (run / "centric/corrections").exists() == (recipe != "math"), "bought where an arm takes them only"
    for rows_of in corrected:
        assert any(one.verified for one in read_rows(Correction, run / f"{rows_of}/rows.jsonl"))
    assert any(not one.rejected for one in read_rows(Question, run / "centric/questions/rows.jsonl"))
    accounts = {account.arm: account for account in read_rows(Account, run / "accounts/rows.jsonl")}
    assert {score.arm for score in read_rows(Score, run / "scores/rows.jsonl")} == {"", *accounts}
    assert {account.overlong for account in accounts.values()} == {0}, "the recipe's own limit holds"
    assert (run / "report/report.html").is_file()
    if recipe == "math":
        return
    assert tuple(accounts) == ARMS
    assert accounts["lema"].questions == accounts["cot-same-questions"].questions
    assert accounts["lema"].teacher_tokens == accounts["step"].teacher_tokens < accounts["evolved"].teacher_tokens
    kinds = {example.kind for example in read_rows(Example, run / "sets/evolved/rows.jsonl")}
    assert kinds == {"cot", "correction"}


def test_every_public_question_with_its_worked_solution_fits_the_recipes_limits(shared_data):
    """By the most that a tokenizer of bytes and subwords can make of it (GSM8K), and by one whose subwords are
    those of our own documents, which knows little LaTeX (MATH, of which the test half is at hand)."""
    subwords = toys.subwords(OURS, 4_000)
    for recipe, files in (("gsm8k", ("gsm8k_train", "gsm8k_test")), ("math", ("math_test",))):
        config = load_config(recipe)
        limit, longest = config.train.own["max_length"], 0
        assert config.train.own["overlong"] == "drop", "what models write has no bound"
        for file in files:
            task = find_task(recipe, {"train": str(shared_data / f"questions/{file}.jsonl")})
            for question in task.questions("train"):
                text = task.prompt(question)[0].content + question.solution
                longest = max(longest, len(text.encode()) if recipe == "gsm8k" else len(subwords.encode(text).ids))
        assert limit / 2 < longest <= limit - 2  # a start and an end token


def test_the_paper_on_the_lab_has_its_arms_its_controls_and_two_rounds(tmp_path):
    plan = plan_config("paper-lab", [], tmp_path)
    stages = [line.removeprefix("to do").split()[0] for line in plan.splitlines() if line.startswith("to do")]
    for name in ("paths/student", "paths/early", "bought/graded", "verified", "sets/cot",
                 "sets/cot-same-questions", "sets/lema-same-size", "sets/lema-no-step",
                 "sets/lema-no-explanation", "sets/lema-no-solution",
                 "centric/verified", "centric-2/paths/centric-1",
                 "centric-2/verified", "general/verified", "sets/general", "sets/centric-2"):
        assert name in stages, name
