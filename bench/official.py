"""What the official mode returns on outputs that others labelled: python bench/official.py ../shared/data

One design decision: each row says how the text was handed over, because that decides most of the result: the
scorer reads little but "The answer is ", so texts are judged as they are and with that sentence added behind
them, which holds what their own last form ("A: N", "#### N", or \\boxed) states.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lema.commands.score import official
from lema.tasks.math import last_box

_LINE = re.compile(r"(?:A:|####)[ \t]*(.*)")


def rows(file: Path) -> Iterator[dict]:
    """The rows of a JSONL file."""
    with file.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def with_sentence(text: str) -> str:
    """The text with its own answer said in the one form that is read."""
    lines = _LINE.findall(text)
    stated = lines[-1].strip() if lines else last_box(text)
    return text if stated is None else f"{text}\nThe answer is {stated}."


def agreement(name: str, found: list[tuple[str, str, bool]], task: str,
              put: Callable[[str], str] = str) -> None:
    """Prints how often the verdict is the label, for (text, gold, label)."""
    agreed = sum((official.grade(put(text), gold, task=task).verdict == "right") == label
                 for text, gold, label in found)
    print(f"{name:44} {task:6} {len(found):6,} {agreed / len(found):8.1%}")


def pairs(file: Path, keep: Callable[[dict], bool]) -> list[tuple[str, str, bool]]:
    """Stated answers in the answer sentence."""
    return [(f"The answer is {row['pred']}.", row["gold"], row["label"]) for row in rows(file) if keep(row)]


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    data = parser.add_argument("data", type=Path) and parser.parse_args().data
    print(f"{'set':44} {'reading':6} {'rows':>6} {'agrees':>8}")
    solutions = [(row["solution"], _LINE.findall(row["ground_truth"])[-1], row["is_correct"])
                 for row in rows(data / "grading_outputs/gsm8k_example_model_solutions.jsonl")]
    agreement("gsm8k_example_model_solutions, as they are", solutions, "gsm8k")
    agreement("gsm8k_example_model_solutions, with sentence", solutions, "gsm8k", with_sentence)
    for name, task in (("gsm8k", "gsm8k"), ("math", "math"), ("olympiadbench", "math")):
        found = []
        for row in rows(data / f"grading_outputs/processbench_{name}.jsonl"):
            gold = row["_gold_answer"]
            if gold:  # six olympiad problems have none
                gold = gold if isinstance(gold, str) else ", ".join(gold)
                found.append(("\n".join(row["steps"]), gold, row["final_answer_correct"]))
        agreement(f"processbench_{name}, as they are", found, task)
        agreement(f"processbench_{name}, with sentence", found, task, with_sentence)
    answers = data / "grading_pairs/answer_pairs_processbench.jsonl"
    agreement("answer_pairs_processbench, math", pairs(answers, lambda row: "-math" in row["source"]), "math")
    latex = data / "grading_pairs/latex_pairs.jsonl"
    agreement("latex_pairs, equivalence", pairs(latex, lambda row: row["kind"] == "equivalence"), "math")
    extraction = [(row["pred"], row["gold"], row["label"]) for row in rows(latex) if row["kind"] == "extraction"]
    agreement("latex_pairs, extraction, as they are", extraction, "math")
    solutions = [row["solution"] for row in rows(data / "questions/math_test.jsonl")]
    unread = sum(official.read(f"The answer is {last_box(worked)}.", task="math")
                 != official.read(worked, task="math") for worked in solutions)
    print(f"\nMATH test: {unread} of {len(solutions):,} solutions do not match their own box in the sentence")


if __name__ == "__main__":
    main()
