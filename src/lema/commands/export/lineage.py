"""Where a training row came from: its question, the path, correction or critique it was made of, and who wrote it.

One design decision: lineage is looked up in the run's own rows at the time of the export and written beside every
row, so that a file that left the run still says which model wrote which part of it.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from lema.config import Config
from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.runs.run import Stage
from lema.scratch import ScratchTable


class Lineage:
    """What a run's examples are made of, found by id; kept on disk while it is open."""

    COLUMNS: ClassVar = {  # column -> Arrow type
        "prompt": "string", "completion": "string", "prefix": "string", "kind": "string", "source": "string",
        "arm": "string", "id": "string", "prompt_tokens": "int64", "tokens": "int64", "teacher_tokens": "int64",
        "question": "string", "answer": "string", "question_id": "string", "question_source": "string",
        "parent": "string", "writer": "string", "writer_prompt": "string", "mistake": "string",
        "mistake_model": "string", "mistake_step": "int64", "judged": "string", "judged_model": "string",
        "judged_verdict": "string", "concluded": "string", "task": "string", "run": "string"}

    def __init__(self, folder: Path, config: Config, done: dict[str, Stage]) -> None:
        self.config, self._done, self._folder = config, done, folder

    def __enter__(self) -> "Lineage":
        self._open = ExitStack()
        self._questions, self._paths, self._corrections, self._critiques = (
            self._open.enter_context(ScratchTable(self._folder, kind))
            for kind in (Question, ReasoningPath, Correction, Critique))
        for name, stage in self._done.items():
            last = name.rsplit("/", 1)[-1]
            if last == "questions":
                self._questions.fill((row.id, row) for row in stage)
            elif last == "graded":
                self._paths.fill((row.id, row) for row in stage)
            elif last == "verified":
                self._corrections.fill((row.id, row) for row in stage)
            elif stage.verb.__name__ == "critique":
                self._critiques.fill((row.id, row) for row in stage)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def row(self, example: Example) -> dict:
        """The example with its lineage: every column but the arm. The prompt holds all that carries no loss;
        `prefix` is its end, where the model itself is made to have begun."""
        question = self._questions.get(example.question)
        correction = self._corrections.get(example.parent)
        critique = self._critiques.get(example.parent)
        path = self._paths.get((correction or critique).path if correction or critique else example.parent)
        writer = correction or critique or path
        return {
            "prompt": example.prompt + example.prefix, "completion": example.completion, "prefix": example.prefix,
            "kind": example.kind, "source": example.source, "id": example.id,
            "prompt_tokens": example.prompt_tokens, "tokens": example.tokens,
            "teacher_tokens": example.teacher_tokens, "question": question.text, "answer": question.answer,
            "question_id": question.id, "question_source": question.source, "parent": example.parent or None,
            "writer": writer.model if writer else None, "writer_prompt": writer.prompt if writer else None,
            "mistake": path.id if correction else None, "mistake_model": path.model if correction else None,
            "mistake_step": correction.step if correction else None,
            "judged": path.id if critique else None, "judged_model": path.model if critique else None,
            "judged_verdict": critique.verdict if critique else None,
            "concluded": critique.said if critique else None,
            "task": self.config.task.name, "run": self.config.name}
