"""Where a training row came from: its question, the path, correction or critique it was made of, and who wrote it.

One design decision: lineage is looked up in the run's own rows at the time of the export and written beside every
row, so that a file that left the run still says which model wrote which part of it.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import filterfalse
from operator import attrgetter
from pathlib import Path
from typing import ClassVar

from lema.config import Config
from lema.records import Correction, Critique, Example, Question, ReasoningPath
from lema.runs.run import Stage
from lema.scratch import ScratchTable
from lema.stages.critique import critique
from lema.stages.evolve import settle
from lema.stages.grade import grade
from lema.stages.load import load
from lema.stages.verify import verify

LAST = (load, settle, grade, verify, critique)
"""The verbs after which nothing changes in a question, a path, a correction or a critique."""


class Lineage:
    """What a run's examples are made of, found by id; kept on disk while it is open."""

    COLUMNS: ClassVar = {  # column -> Arrow type
        "prompt": "string", "completion": "string", "prefix": "string", "kind": "string", "source": "string",
        "arm": "string", "id": "string", "prompt_tokens": "int64", "tokens": "int64", "teacher_tokens": "int64",
        "question": "string", "answer": "string", "question_id": "string", "question_source": "string",
        "parent": "string", "writer": "string", "writer_prompt": "string", "mistake": "string",
        "mistake_model": "string", "mistake_step": "int64", "judged": "string", "judged_model": "string",
        "judged_verdict": "string", "concluded": "string", "task": "string", "run": "string"}

    def __init__(self, folder: Path, config: Config, stages: Iterable[Stage]) -> None:
        self.config, self._stages, self._folder = config, stages, folder

    def __enter__(self) -> "Lineage":
        self._open = ExitStack()
        self._tables = {}
        for kind in (Question, ReasoningPath, Correction, Critique):
            self._tables[kind] = self._open.enter_context(ScratchTable(self._folder, kind))
        for stage in self._stages:
            if stage.verb in LAST:
                self._tables[stage.kind].fill((row.id, row) for row in stage)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def rows(self, arm: str, examples: Iterable[Example]) -> Iterator[dict]:
        """An arm's examples with their lineage: every column. The prompt holds all that carries no loss; `prefix`
        is its end, where the model itself is made to have begun."""
        for example in filterfalse(attrgetter("rejected"), examples):
            question = self._tables[Question].get(example.question)
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
        correction, critique = self._tables[Correction].get(parent), self._tables[Critique].get(parent)
        about = correction or critique
        path = self._tables[ReasoningPath].get(about.path if about else parent)
        columns = dict.fromkeys(name for name in self.COLUMNS if name.startswith(("writer", "mistake", "judged")))
        if writer := about or path:
            columns |= {"writer": writer.model, "writer_prompt": writer.prompt}
        if correction:
            columns |= {"mistake": path.id, "mistake_model": path.model, "mistake_step": correction.step}
        if critique:
            columns |= {"judged": path.id, "judged_model": path.model, "judged_verdict": critique.verdict}
        return {**columns, "concluded": critique.said if critique else None}
