"""How often the grader agrees with labels that nobody here wrote: python bench/agreement.py ../shared/data

Prints a row per set: rows, agreement in percent, wrongs called right, rights called anything else, verdicts that
are no verdict. With --show every disagreement is printed, with --math-verify the same is asked of math-verify
(slow).
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from lema.grading import GradingTimeout, grade, same


class Case(NamedTuple):
    """A text (or an answer) beside its gold answer, and what people say about it."""

    name: str
    text: str
    gold: str
    label: bool
    task: str


def rows(path: Path) -> Iterator[dict]:
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)


def solutions(data: Path) -> Iterator[Case]:
    for row in rows(data / "grading_outputs/gsm8k_example_model_solutions.jsonl"):
        gold = row["ground_truth"].rpartition("A:")[2].strip()
        yield Case(row["id"], row["solution"], gold, row["is_correct"], "gsm8k")


def processbench(data: Path, part: str) -> Iterator[Case]:
    for row in rows(data / f"grading_outputs/processbench_{part}.jsonl"):
        gold = row["_gold_answer"]
        if gold is None:  # six olympiad rows came without one
            continue
        gold = ", ".join(gold) if isinstance(gold, list) else gold
        task = "gsm8k" if part == "gsm8k" else "math"
        yield Case(row["id"], "\n\n".join(row["steps"]), gold, row["final_answer_correct"], task)


def pairs(data: Path) -> Iterator[Case]:
    for row in rows(data / "grading_pairs/answer_pairs_processbench.jsonl"):
        gold = ", ".join(row["gold"]) if isinstance(row["gold"], list) else row["gold"]
        yield Case(row["id"], row["pred"], gold, row["label"], "math")


def latex(data: Path, kind: str) -> Iterator[Case]:
    for row in rows(data / "grading_pairs/latex_pairs.jsonl"):
        if row["kind"] == kind and not row.get("doubtful"):
            task = "choice" if kind == "letters" else "math"
            yield Case(row["id"], row["pred"], row["gold"], row["label"], task)


def qwen(data: Path) -> Iterator[Case]:
    for row in rows(data / "grading_outputs/qwen25math_cot100.jsonl"):
        yield Case(row["id"], row["response"], row["gold_answer"], bool(row["score"]), "math")


KINDS = {"multistep_arithmetic": "number", "logical_deduction": "choice", "tracking_shuffled_objects": "choice",
         "word_sorting": "text", "dyck_languages": "text"}


def big_bench(data: Path, kind: str) -> Iterator[Case]:
    for row in rows(data / "mistakes/big_bench_mistake.jsonl"):
        if KINDS[row["subset"]] == kind:
            yield Case(row["id"], "\n".join(row["steps"]), row["gold_answer"], row["final_answer_correct"], kind)


def mr_gsm8k(data: Path) -> Iterator[Case]:
    for row in rows(data / "mistakes/mr_gsm8k.jsonl"):
        if row["subset"] != "POT" and row["gold_answer"] is not None:  # programs state no answer
            label = row["final_answer_correct"]
            yield Case(row["id"], "\n".join(row["steps"]), row["gold_answer"], label, "gsm8k")


def endings(data: Path) -> Iterator[Case]:
    """Student-style solutions that end in prose, beside the number that was noted down as their answer."""
    for row in rows(data / "mistakes/verify_then_generate.jsonl"):
        yield Case(row["id"], "\n".join(row["steps"][:-1]), row["steps"][-1].strip(), True, "gsm8k")


SETS: dict[str, tuple[Callable[[Path], Iterator[Case]], str]] = {
    "gsm8k_example_model_solutions": (solutions, "text"),
    "processbench_gsm8k": (lambda data: processbench(data, "gsm8k"), "text"),
    "processbench_math": (lambda data: processbench(data, "math"), "text"),
    "processbench_olympiadbench": (lambda data: processbench(data, "olympiadbench"), "text"),
    "answer_pairs_processbench": (pairs, "answer"),
    "latex_pairs equivalence": (lambda data: latex(data, "equivalence"), "answer"),
    "latex_pairs equivalence (as texts)": (lambda data: latex(data, "equivalence"), "text"),
    "latex_pairs extraction": (lambda data: latex(data, "extraction"), "text"),
    "latex_pairs letters": (lambda data: latex(data, "letters"), "text"),
    "qwen25math_cot100": (qwen, "text"),
    "mr_gsm8k": (mr_gsm8k, "text"),
    "big_bench numbers": (lambda data: big_bench(data, "number"), "text"),
    "big_bench choices": (lambda data: big_bench(data, "choice"), "text"),
    "big_bench words and brackets": (lambda data: big_bench(data, "text"), "text"),
    "verify_then_generate endings": (endings, "text"),
}


def ours(case: Case, form: str) -> str:
    """The verdict of lema.grading."""
    if form == "text":
        return grade(case.text, case.gold, task=case.task).verdict
    try:
        return "right" if same(case.text, case.gold, task=case.task) else "wrong"
    except GradingTimeout:
        return "ungradable"


def math_verify(case: Case, form: str) -> str:
    """The verdict of math-verify with its defaults, both sides in the form that it asks for."""
    from math_verify import parse, verify

    text = case.text if form == "text" or "$" in case.text or "boxed" in case.text else f"${case.text}$"
    gold = case.gold if "$" in case.gold or "boxed" in case.gold else f"${case.gold}$"
    try:
        return "right" if verify(parse(gold), parse(text)) else "wrong"
    except Exception as error:
        return type(error).__name__


def table(data: Path, verdict: Callable[[Case, str], str], wanted: str, show: bool) -> dict[str, tuple]:
    """{set: (rows, agreement, false positives, false negatives)}, printed as it goes."""
    found = {}
    for name, (cases, form) in SETS.items():
        if wanted not in name:
            continue
        count, positives, negatives = 0, 0, 0
        for case in cases(data):
            said = verdict(case, form)
            count += 1
            positives += said == "right" and not case.label
            negatives += said != "right" and case.label
            if show and (said == "right") != case.label:
                print(f"  {case.name} label {case.label}, {said}: gold {case.gold[-80:]!r}")
                print("   ", grade(case.text, case.gold, task=case.task), repr(case.text[-200:]))
        agreed = 100 * (1 - (positives + negatives) / count)
        found[name] = (count, agreed, positives, negatives)
        print(f"{name:36} {count:6} {agreed:7.2f} {positives:5} {negatives:5}", flush=True)
    return found


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("data", type=Path)
    ask.add_argument("--set", default="")
    ask.add_argument("--show", action="store_true")
    ask.add_argument("--math-verify", action="store_true")
    args = ask.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: no such folder; give the one with grading_outputs, grading_pairs and mistakes")
    print(f"{'set':36} {'rows':>6} {'agree %':>7} {'f.pos':>5} {'f.neg':>5}")
    table(args.data, math_verify if args.math_verify else ours, args.set, args.show)


if __name__ == "__main__":
    main()
