"""What a stage's verb may use: the task, the models it was given, its prompts, a folder, a progress line.

One design decision: a verb never opens a journal, a run or a config; it gets these few things, so that it can
be called in a test with plain lists and runs alike in this process, in a worker or, later, on a cluster.
"""

import itertools
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from lema.config import Config
from lema.journal import Journal, complete
from lema.models import Completion, Model, Request, find_model
from lema.prompting import Prompt, find_prompt
from lema.records import Question
from lema.runs import Stage
from lema.tasks import Task, find_task


class News(NamedTuple):
    """How far a stage is; `total` is None where it is not known."""

    stage: str
    state: Literal["started", "moving", "finished", "remembered"]
    done: int = 0
    total: int | None = None


Progress = Callable[[News], None]


@dataclass
class Tools:
    """Made anew for every stage that is performed; `usage` counts what its models were asked."""

    stage: Stage
    config: Config
    progress: Progress
    journal: Journal
    folder: Path
    usage: Counter = field(default_factory=Counter)
    _shown: float = 0.0
    _models: dict[str, Model] = field(default_factory=dict)

    @cached_property
    def task(self) -> Task:
        return find_task(self.config.task.name, self.config.task.own)

    def prompt(self, name: str, path: str | None = None) -> Prompt:
        """The prompt of that name: the user's file, the task's own, or the general one."""
        return find_prompt(path or name, self.task.name)

    def model(self, name: str) -> Model:
        """The backend behind a model's name; a grown or trained one is its checkpoint folder."""
        if name not in self._models:
            self._models[name] = self._found(name)
        return self._models[name]

    def _found(self, name: str) -> Model:
        given = self.stage.models[name]
        if isinstance(given, Stage):
            table = self.config.models[name].own if name in self.config.models else {}
            return find_model(name, "transformers", {**table, "path": str(given.folder / "model")})
        return find_model(name, self.config.models[name].backend, self.config.models[name].own)

    def checkpoint(self, name: str) -> Path | str:
        """The checkpoint folder (or hub id) behind a model's name."""
        given = self.stage.models[name]
        if isinstance(given, Stage):
            return given.folder / "model"
        return Path(given["path"]) if Path(given["path"]).exists() else given["path"]

    @property
    def cache(self) -> Path:
        """Where grown students are kept between runs."""
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(self.config.machine.cache or Path(home) / "lema" / "students")

    def available(self, name: str, question: Question, wanted: int) -> int:
        """How many paths of a question a model can give: recorded ones may be fewer than wanted."""
        model = self.model(name)
        return min(wanted, model.available(question)) if hasattr(model, "available") else wanted

    def ask(self, name: str, requests: Iterable[Request], total: int | None = None) -> Iterator[Completion]:
        """Completions in request order, each kept in the journal before it is seen here."""
        done = itertools.count(1)

        def arrived(completion: Completion, known: bool) -> None:
            self._count(completion, known)
            if total is not None:
                self.show(next(done), total)

        yield from complete(self.journal, self.model(name), requests, arrived)

    def show(self, done: int, total: int | None = None) -> None:
        """Moves the progress line, at most ten times a second."""
        now = time.monotonic()
        if now - self._shown >= 0.1 or done == total:
            self._shown = now
            self.progress(News(self.stage.name, "moving", done, total))

    def _count(self, completion: Completion, known: bool) -> None:
        self.usage["known" if known else "asked"] += 1
        self.usage["failed"] += completion.failed
        self.usage["prompt_tokens"] += completion.prompt_tokens
        self.usage["tokens"] += completion.tokens
