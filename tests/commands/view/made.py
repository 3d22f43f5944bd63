"""Runs to look at: a real small one, and one whose stages are written by hand, with any text in any field."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from lema.commands.run import run_config
from lema.commands.run_folder import stages_of
from lema.config import load_config
from lema.records import Checkpoint, Correction, Example, Question, ReasoningPath, write_rows
from lema.runs.run import Stage

LAB = """
name = "small"
task = { name = "lab", train = 40, worked = 5, dev = 0, test = 1, levels = [1, 2] }
sample = { models = ["student"], paths = 2 }
correct = { model = "teacher" }
arms = ["cot", "lema", "step"]
[models.student]
backend = "teacher"
slip = 0.7
[models.teacher]
backend = "teacher"
slip = 0.3
"""
TRAINED = """
name = "byhand"
task = { name = "rows", train = "q.jsonl", test = "q.jsonl" }
sample = { models = ["student"] }
correct = { model = "teacher" }
arms = ["cot", "lema"]
train = { base = "student", seeds = [1, 2], budget = { tokens = 100 } }
report = { baseline = "cot", headline = "lema" }
[models.student]
backend = "transformers"
path = "nowhere"
[models.teacher]
backend = "teacher"
"""


def small_run(folder: Path, *overrides: str) -> Path:
    """A real run of the lab without training."""
    (folder / "small.toml").write_text(LAB)
    return run_config(str(folder / "small.toml"), list(overrides), folder / "runs")


def written(stage: Stage, rows: Iterable[object]) -> None:
    """Puts a finished stage in its place."""
    stage.part.mkdir(parents=True)
    count = write_rows(stage.part / "rows.jsonl", rows)
    stage.finish({"rows": count, "usage": {}})


def run_by_hand(folder: Path, texts: str = "", questions: int = 3) -> Path:
    """A finished run with training whose every text ends in `texts`."""
    run = folder / "runs" / "byhand"
    run.mkdir(parents=True)
    table = {"question": "0?", "answer": "1"}
    (folder / "q.jsonl").write_text(json.dumps(table) + "\n")
    (run / "config.toml").write_text(TRAINED.replace("q.jsonl", str(folder / "q.jsonl")))
    hand = Hand(texts, questions)
    for stage in stages_of(run, load_config(str(run / "config.toml"))).values():
        written(stage, hand.rows(stage))
    return run


class Hand:
    """Rows for the stages of `TRAINED`: every second question is solved, and every wrong path corrected."""

    def __init__(self, texts: str, questions: int) -> None:
        self.texts = texts
        self.questions = [Question(text=f"What is {n} + {n}?{texts}", answer=f"{2 * n}{texts}", level=n % 3 + 1,
                                   solution=f"Step 1: It is {2 * n}.{texts}", source=f"by hand:{n}{texts}")
                          for n in range(questions)]

    def rows(self, stage: Stage) -> Iterator[object]:
        if stage.kind is Question:
            return iter(self.questions)
        if stage.kind is Checkpoint:
            counts = {"steps": 1, "examples": 1, "tokens": 1, "all_tokens": 1}
            return iter([Checkpoint(name=stage.folder.name, loss=0.1, weights="x", **counts)])
        if stage.kind is ReasoningPath:
            return self.paths(stage)
        makers = {Correction: self.corrections, Example: self.examples}
        return makers[stage.kind](stage) if stage.kind in makers else iter(())

    def paths(self, stage: Stage) -> Iterator[ReasoningPath]:
        models = ["student"]
        if stage.name.startswith("answers/"):
            models = [stage.folder.name]
        if stage.name == "examined":
            models = ["student", "cot-1", "cot-2", "lema-1", "lema-2"]
        for model in models:
            for number, question in enumerate(self.questions):
                right = number % 2 == 0 or (model.startswith("lema") and number % 3 != 2)
                yield self.path(model, number, question, right)

    def path(self, model: str, number: int, question: Question, right: bool) -> ReasoningPath:
        answer = 2 * number + (not right)
        return ReasoningPath(
            question=question.id, model=model, answer=f"{answer}{self.texts}", tokens=number,
            text=f"Step 1: {number} + {number} = {answer}.{self.texts}\nStep 2: The answer is {answer}.",
            verdict="right" if right else "wrong", how=f"by hand{self.texts}")

    def corrections(self, stage: Stage) -> Iterator[Correction]:
        for number, question in enumerate(self.questions):
            if number % 2:
                wrong, kept = self.path("student", number, question, False), number % 3 == 1
                yield Correction(
                    question=question.id, path=wrong.id, model=f"teacher{self.texts}",
                    reply=f"Step 1.{self.texts}", step=1, explanation=f"The sum is wrong.{self.texts}",
                    answer=f"{2 * number}", tokens=9,
                    steps=(f"{number} + {number} = {2 * number}.{self.texts}", f"The answer is {2 * number}."),
                    verified=kept, rejected="" if kept else f"a reason{self.texts}")

    def examples(self, stage: Stage) -> Iterator[Example]:
        for correction in self.corrections(stage):
            yield Example(kind="correction", source=f"corrections{self.texts}", prompt=f"Mend it.{self.texts}",
                          completion=f" Step 1.{self.texts}", prefix=self.texts, question=correction.question,
                          parent=correction.id, tokens=3)


