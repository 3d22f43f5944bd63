"""Does every gold answer of the published sets equal itself, whichever way a text states it?

One design decision: the questions come through the tasks themselves and the verdicts through what a run uses, so
that the count is about the product and not about a copy of its rules. Run: python bench/gold_answers.py DATA
[--every N], where DATA holds the question files; prints a table, then each answer that fails, and in which forms.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from lema.grading import grade_path
from lema.records import Question
from lema.tasks import Task, answers_to, find_task

FORMS: dict[str, Callable[[str], str]] = {
    "answer sentence": lambda a: f"Step 1: So it goes.\nStep 2: The answer is {a}.",
    "dollars": lambda a: f"So it goes.\nThe answer is ${a}$.",
    "boxed": lambda a: f"So it goes, and so $\\boxed{{{a}}}$.",
    "sentence of a box": lambda a: f"Step 1: So it goes.\nStep 2: The answer is $\\boxed{{{a}}}$.",
    "####": lambda a: f"So it goes.\n#### {a}",
    "A:": lambda a: f"So it goes.\nA: {a}",
    "bold": lambda a: f"So it goes.\n\n**Answer:** {a}",
    "final answer": lambda a: f"So it goes.\n\nFinal Answer: {a}",
    "therefore": lambda a: f"So it goes. Therefore, the final answer is: {a}.",
}
"""The ways in which a text states its answer."""

SETS = {
    "gsm8k": ("gsm8k", {"train": "gsm8k_train.jsonl", "test": "gsm8k_test.jsonl"}),
    "gsm8k, LeMa's file": ("gsm8k", {"test": "lema_gsm8k_test.jsonl"}),
    "math": ("math", {"test": "math_test.jsonl"}),
    "math500": ("math", {"test": "math500.jsonl"}),
    "svamp": ("svamp", {"test": "svamp.jsonl"}),
    "asdiv": ("asdiv", {"test": "asdiv_tora.jsonl"}),
    "asdiv, full file": ("asdiv", {"test": "asdiv_full.jsonl"}),
    "csqa": ("csqa", {"test": "csqa_dev.jsonl"}),
    "csqa, LeMa's file": ("csqa", {"test": "lema_csqa_dev.jsonl"}),
    "aqua": ("aqua", {"dev": "aqua_dev.jsonl", "test": "aqua_test.jsonl"}),
    "mawps": ("rows", {"test": "mawps.jsonl", "repeated": "kept",
                       "columns": {"question": "input", "answer": "target"}}),
    "multiarith": ("rows", {"test": "multiarith.jsonl", "repeated": "kept",
                            "columns": {"question": "sQuestion", "answer": "lSolutions"}}),
}
"""Set to its task and table; every file is taken from the data folder."""


def statements(question: Question) -> Iterator[tuple[str, str]]:
    """(form, stated answer): the gold answer, and for a choice also its letter and its text alone."""
    letter, bracket, text = question.answer.partition(") ")
    stated = {"": question.answer} if not (question.choices and bracket) else {
        "": question.answer, " letter": letter + ")", " bare letter": letter.lstrip("("), " text": text}
    for more, answer in stated.items():
        for form, put in FORMS.items():
            yield form + more, put(answer)


def failures(task: Task, question: Question) -> Iterator[tuple[str, str]]:
    """(form, what became of it) wherever the gold answer is not found right."""
    texts = dict(statements(question)) | ({"worked solution": question.solution} if question.solution else {})
    for form, text in texts.items():
        answers = answers_to(task, question.choices)
        found = grade_path(text, question.answer, read=answers.read, same=answers.same)
        if found.verdict != "right":
            yield form, f"{found.verdict} {found.answer!r} ({found.how})"


def questions(folder: Path, name: str, every: int = 1) -> tuple[Task, list[Question]]:
    """A set's task and every so-manieth of its questions."""
    task_name, table = SETS[name]
    here = {key: str(folder / value) if key in ("train", "dev", "test") else value for key, value in table.items()}
    task = find_task(task_name, here)
    return task, [question for split in task.splits for question in task.questions(split)][::every]


def main() -> None:
    """The table, then the failures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("data", type=Path, help="folder that holds the question files")
    parser.add_argument("--every", type=int, default=1, help="look at every so-manieth question only")
    asked = parser.parse_args()
    failed = []
    print(f"{'set':20} {'answers':>8} {'statements':>10} {'equal themselves':>17} {'seconds':>8}")
    for name in SETS:
        started = time.perf_counter()
        task, found = questions(asked.data, name, asked.every)
        counts: Counter = Counter()
        for question in found:
            lost = list(failures(task, question))
            counts["statements"] += len(list(statements(question))) + bool(question.solution)
            counts["lost"] += len(lost)
            failed += [(name, question, lost)] if lost else []
        share = 1 - counts["lost"] / counts["statements"]
        print(f"{name:20} {len(found):8,} {counts['statements']:10,} {share:17.3%} "
              f"{time.perf_counter() - started:8.1f}", flush=True)
    for name, question, lost in failed:
        print(f"\n{name} {question.source}: {question.answer!r}")
        for form, became in lost:
            print(f"    {form}: {became}")


if __name__ == "__main__":
    main()
