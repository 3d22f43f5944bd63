"""The grader against labels that nobody here wrote; the table is printed by bench/agreement.py."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from lema.grading import grade, same

BENCH = Path(__file__).resolve().parents[2] / "bench" / "agreement.py"
AT_LEAST = {
    "gsm8k_example_model_solutions": (100, 0), "processbench_gsm8k": (99.4, 1), "processbench_math": (99.2, 3),
    "processbench_olympiadbench": (98.2, 0), "answer_pairs_processbench": (98.8, 4),
    "latex_pairs equivalence": (99.2, 1), "latex_pairs equivalence (as texts)": (99.2, 1),
    "latex_pairs extraction": (98.5, 0), "latex_pairs letters": (100, 0), "qwen25math_cot100": (100, 0),
    "mr_gsm8k": (99.1, 1), "big_bench numbers": (100, 0), "big_bench choices": (99.3, 2),
    "big_bench words and brackets": (99.7, 2), "verify_then_generate endings": (98.9, 0),
}
"""Agreement in percent, and most wrong answers that are called right."""


@pytest.fixture(scope="module")
def bench():
    spec = importlib.util.spec_from_file_location("agreement", BENCH)
    module = sys.modules["agreement"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", AT_LEAST)
def test_the_grader_agrees_with_the_labels(bench, shared_data, name):
    found = bench.table(shared_data, bench.ours, name, False)[name]
    agreed, positives = AT_LEAST[name]
    assert found[1] >= agreed and found[2] <= positives, found


FORMS = ("The answer is {}.", "The final answer is ${}$. I hope it is correct.", "\\boxed{{{}}}", "\nA: {}",
         "#### {}", "Thus we get $\\boxed{{{}}}$.", "**Answer:** {}", "Hence the value is ${}$.")


def boxed(solution: str) -> str:
    """The content of the last box of a worked solution."""
    at = max(solution.rfind("\\boxed"), solution.rfind("\\fbox"))
    at += 6 if solution.startswith("\\boxed", at) else 5
    if solution[at] != "{":
        return solution[at:].split("$")[0].strip()
    depth = 0
    for place in range(at, len(solution)):
        depth += (solution[place] == "{") - (solution[place] == "}")
        if not depth:
            return solution[at + 1:place]
    raise ValueError(solution)


def rows(data, name):
    return [json.loads(line) for line in (data / f"questions/{name}.jsonl").read_text("utf-8").splitlines()]


def golds(data, task):
    if task == "gsm8k":
        return [row["answer"].rpartition("####")[2].strip() for row in rows(data, "gsm8k_test")]
    if task == "math":
        answers = [row["answer"] for row in rows(data, "math500")]
        return answers + [boxed(row["solution"]) for row in rows(data, "math_test")]
    if task == "svamp":
        return [str(row["Answer"]) for row in rows(data, "svamp")]
    if task == "asdiv":
        readable = (row["answer"] for row in rows(data, "asdiv_tora"))
        return [answer for answer in readable if answer.split("(")[0].strip().replace(".", "", 1).isdigit()]
    if task == "csqa":
        letters = [row["answerKey"] for row in rows(data, "csqa_dev")]
        return letters + [row["answer"] for row in rows(data, "lema_csqa_dev")]
    if task == "aqua":
        return [row["correct"] for name in ("aqua_dev", "aqua_test") for row in rows(data, name)]
    return [str(row["target"]) for row in rows(data, "mawps")]


@pytest.mark.parametrize("task", ["gsm8k", "math", "svamp", "asdiv", "csqa", "aqua", "number"])
def test_every_gold_answer_equals_itself_through_every_reading_path(shared_data, task):
    forms = [form for form in FORMS if "$" not in form or task not in ("csqa", "aqua", "asdiv")]
    wrong = []
    for gold in dict.fromkeys(golds(shared_data, task)):
        assert same(gold, gold, task=task), gold
        wrong += [(form, gold) for form in forms if grade(form.format(gold), gold, task=task).verdict != "right"]
    assert wrong == []


