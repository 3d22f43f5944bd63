"""What a stage's verb may use: the task, the models it was given, its prompts, a folder, a progress line.

One design decision: a verb never opens a journal, a run or a config; it gets these few things, so that it can
be called in a test with plain lists and runs alike in this process, in a worker or, later, on a cluster.
"""

import contextlib
import itertools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from lema.config import Config
from lema.figures import money
from lema.journal import Journal, complete
from lema.journal.waiting import OPEN
from lema.messages import Completion, Model, Request
from lema.models import find_model
from lema.prompting import Prompt, find_prompt
from lema.records import Question
from lema.runs.bills import Bill, ancestors, draw_up
from lema.runs.budget import Budget, Gate, weighing
from lema.runs.dependencies import decoding
from lema.runs.prices import HERE, Price, Usage, price_of, served_prices
from lema.runs.run import Stage
from lema.tasks import Task, find_task


class News(NamedTuple):
    """How far a stage is; `total` is None where it is not known."""

    stage: str
    state: Literal["started", "moving", "finished", "remembered"]
    done: int = 0
    total: int | None = None
    note: str = ""  # what it cost so far, how far a batch is


Progress = Callable[[News], None]


@dataclass
class StageContext:
    """Made anew for every stage that is performed; `usage` counts what each of its models gave."""

    _stage: Stage
    _config: Config
    progress: Progress
    _journal: Journal
    folder: Path
    usage: dict[str, Usage] = field(default_factory=lambda: defaultdict(Usage))
    budget: Budget | None = None
    _shown: float = 0.0
    _models: dict[str, Model] = field(default_factory=dict)
    _prices: dict[str, Price | None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The stage's name: its folder below the run's."""
        return self._stage.name

    @property
    def run_folder(self) -> Path:
        return self._stage.run

    @property
    def kept_model(self) -> Path:
        """Where a model that these settings make is kept between runs, complete or not there."""
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        cache = Path(self._config.machine.cache or Path(home) / "lema" / "students")
        return cache / self._stage.fingerprint

    @cached_property
    def task(self) -> Task:
        return find_task(self._config.task.name, self._config.task.own)

    def prompt(self, name: str, path: str | None = None) -> Prompt:
        """The prompt of that name: the user's file, the task's own, or the general one."""
        return find_prompt(path or name, self.task.name)

    def model(self, name: str) -> Model:
        """The backend behind a model's name; a grown or trained one is its checkpoint folder."""
        if name not in self._models:
            self._models[name] = self._opened(name)
        return self._models[name]

    def _opened(self, name: str) -> Model:
        given = self._stage.models[name]
        if isinstance(given, Stage):
            return find_model(name, "transformers", {**decoding(self._config, name),
                                                     "path": str(given.folder / "model")})
        if name not in self._config.models:  # the base of the training, named by its folder or hub id
            return find_model(name, "transformers", {"path": given["path"]})
        return find_model(name, self._config.models[name].backend, self._config.models[name].own)

    def checkpoint(self, name: str) -> Path | str:
        """The checkpoint folder (or hub id) behind a model's name."""
        given = self._stage.models[name]
        if isinstance(given, Stage):
            return given.folder / "model"
        return Path(given["path"]) if Path(given["path"]).exists() else given["path"]

    def bill(self) -> Bill:
        """What the stages before this one cost."""
        return draw_up(ancestors(self._stage), lambda name: price_of(self._config, name), self._journal.spent(),
                       served_prices(self._config))

    def available(self, name: str, question: Question, wanted: int) -> int:
        """How many paths of a question a model can give: recorded ones may be fewer than wanted."""
        model = self.model(name)
        return min(wanted, model.available(question)) if hasattr(model, "available") else wanted

    def ask(self, name: str, requests: Iterable[Request], total: int | None = None) -> Iterator[Completion]:
        """Completions in request order, each kept in the journal before it is seen here."""
        model, done = self.model(name), itertools.count(1)
        answered = 0

        def arrived(completion: Completion, known: bool) -> None:
            nonlocal answered
            self.usage[name].add(completion, known)
            answered = next(done)
            if total is not None:
                self.show(answered, total)

        if hasattr(model, "watched"):  # it works for hours without a reply, but can say how far it is
            model.watched = lambda ready, said: self.show(answered + ready, total, said)
        with self._gate(name, model) as gate:
            yield from complete(self._journal, model, requests, arrived, gate)

    def show(self, done: int, total: int | None = None, said: str = "") -> None:
        """Moves the progress line, at most ten times a second."""
        now = time.monotonic()
        if now - self._shown >= 0.1 or done == total:
            self._shown = now
            note = ", ".join(filter(None, [self.cost, said]))
            self.progress(News(self._stage.name, "moving", done, total, note))

    @property
    def cost(self) -> str:
        """What the stage's new replies cost so far, in words; nothing where they cost nothing."""
        spent, unknown = 0.0, 0
        for name, usage in self.usage.items():
            price = self._price(name)
            if price is None:
                unknown += usage.new_tokens
            else:
                spent += price.of(usage.new_paid_prompt_tokens, usage.new_paid_tokens)
        said = [money(spent)] if spent else []
        return " + ".join([*said, f"{unknown:,} tokens of unknown price"] if unknown else said)

    def _price(self, name: str) -> Price | None:
        if name not in self._prices:
            made_here = isinstance(self._stage.models[name], Stage)
            self._prices[name] = HERE if made_here else price_of(self._config, name)
        return self._prices[name]

    @contextlib.contextmanager
    def _gate(self, name: str, model: Model) -> Iterator[Gate]:
        """The gate that the model's requests go through; an open one where they take nothing out of a budget."""
        price = None
        if self.budget is not None and not isinstance(self._stage.models[name], Stage):
            price = weighing(self._config, name, self.budget.unit)
        if price is None:
            yield OPEN
            return
        with contextlib.closing(Gate(self.budget, price, self._stage.name, getattr(model, "share", 1.0))) as gate:
            yield gate
