"""Where a training row came from: its question, the path, correction or critique it was made of, and who wrote it.

One design decision: lineage is looked up in the run's own rows at the time of the export and written beside every
row, so that a file that left the run still says which model wrote which part of it.
"""

from collections.abc import Iterable, Iterator
from itertools import filterfalse
from operator import attrgetter
from pathlib import Path
from typing import ClassVar

from lema.chains import StepCorrection
from lema.config import Config
from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.runs.run import Stage
from lema.scratch import ScratchTable
from lema.stages.continue_ import continue_steps
from lema.stages.critique import critique
from lema.stages.evolve import settle
from lema.stages.grade import grade
from lema.stages.load import load
from lema.stages.verify import verify

LAST = (load, settle, grade, verify, continue_steps, critique)
"""The verbs after which nothing changes in a question, a path, a correction (whole or of a step) or a critique."""


class Lineage(ScratchTable):
    """What a run's examples are made of, found by id; kept on disk while it is open."""

    COLUMNS: ClassVar = {  # column -> Arrow type
        "prompt": "string", "completion": "string", "prefix": "string", "kind": "string", "source": "string",
        "arm": "string", "id": "string", "prompt_tokens": "int64", "tokens": "int64", "teacher_tokens": "int64",
        "question": "string", "answer": "string", "question_id": "string", "question_source": "string",
        "parent": "string", "writer": "string", "writer_prompt": "string", "mistake": "string",
        "mistake_model": "string", "mistake_step": "int64", "judged": "string", "judged_model": "string",
        "judged_verdict": "string", "concluded": "string", "task": "string", "run": "string"}

    def __init__(self, folder: Path, config: Config, stages: Iterable[Stage]) -> None:
        super().__init__(folder, Question, ReasoningPath, Correction, StepCorrection, Critique)
        self.config = config
        for stage in stages:
            if stage.verb in LAST:
                self.fill((row.id, row) for row in stage)

    def rows(self, arm: str, examples: Iterable[Example]) -> Iterator[dict]:
        """An arm's examples with their lineage: every column. The prompt holds all that carries no loss; `prefix`
        is its end, where the model itself is made to have begun."""
        for example in filterfalse(attrgetter("rejected"), examples):
            question = self.get(example.question)
            yield {
                "prompt": example.prompt + example.prefix, "completion": example.completion,
                "prefix": example.prefix, "kind": example.kind, "source": example.source, "arm": arm,
                "id": example.id, "prompt_tokens": example.prompt_tokens, "tokens": example.tokens,
                "teacher_tokens": example.teacher_tokens, "question": question.text, "answer": question.answer,
                "question_id": question.id, "question_source": question.source,
                "parent": example.parent or None, **self._written(example.parent),
                "task": self.config.task.name, "run": self.config.name}

    def _written(self, parent: str) -> dict:
        """Who wrote what the example was made of, and about which path."""
        made_of = self.get(parent)
        path = made_of if isinstance(made_of, ReasoningPath | None) else self.get(made_of.path)
        columns = dict.fromkeys(name for name in self.COLUMNS if name.startswith(("writer", "mistake", "judged")))
        columns["concluded"] = None
        if made_of:
            columns |= {"writer": made_of.model, "writer_prompt": made_of.prompt}
        if isinstance(made_of, Correction | StepCorrection):
            columns |= {"mistake": path.id, "mistake_model": path.model, "mistake_step": made_of.step}
        if isinstance(made_of, Critique):
            columns |= {"judged": path.id, "judged_model": path.model, "judged_verdict": made_of.verdict,
                        "concluded": made_of.said}
        return columns
