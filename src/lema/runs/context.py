"""What a stage's verb may use: the task, the models it was given, its prompts, a folder, a progress line.

One design decision: a verb never opens a journal, a run or a config, which are this class's own; it gets these few
things, so that it can be called in a test with plain lists and runs alike in this process, in a worker or, later,
on a cluster.
"""

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Protocol

from lema.checkpoints.rendering import Form
from lema.config import Config, LeaksConfig
from lema.errors import ModelError
from lema.figures import money
from lema.grading import Grade
from lema.journal import Journal, complete
from lema.journal.usage import most_of
from lema.journal.waiting import OPEN
from lema.messages import Completion, Message, Model, Request
from lema.models import find_model
from lema.prompting import Prompt, find_prompt
from lema.records import Question, ReasoningPath, content_id
from lema.runs.beginnings import since_the_beginning
from lema.runs.bills import Bill, ancestors, draw_up
from lema.runs.budget import Budget, Gate, weighing
from lema.runs.dependencies import MADE_HERE, form_of
from lema.runs.news import News, Progress
from lema.runs.outcomes import Outcomes
from lema.runs.prices import HERE, Price, Usage, price_of, served_prices
from lema.runs.run import Stage
from lema.runs.weights import as_examined, place_of, table_of
from lema.tasks import Task, find_task, verdict_on

FEW = 1024  # paths of a stage that are graded here: for these no other process needs to start


class OtherMachines(Protocol):
    """Where a stage's models write and its paths are graded, where that is not this process."""

    def model(self, name: str, spec: tuple[str, dict], here: Model) -> Model:
        """The model that `here` is, made of its backend and table, as it is asked there."""

    def verdicts(self, pairs: Iterable[tuple[ReasoningPath, Question]],
                 task: tuple[str, dict]) -> Iterator[tuple[ReasoningPath, Grade]]:
        """Every path with its grade by a task, named with its table, in order."""


@dataclass
class StageContext:
    """Made anew for every stage that is performed; `usage` counts what each of its models gave."""

    _stage: Stage
    _config: Config
    _progress: Progress
    _journal: Journal
    folder: Path
    _budget: Budget | None = None
    _elsewhere: OtherMachines | None = None
    _served: object = None  # the server that was started for it and others (lema.runs.serving)
    usage: dict[str, Usage] = field(default_factory=lambda: defaultdict(Usage))
    _shown: float = 0.0
    _models: dict[str, Model] = field(default_factory=dict)
    _outcomes: dict[str, Outcomes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The stage's name: its folder below the run's."""
        return self._stage.name

    @property
    def run_folder(self) -> Path:
        return self._stage.run

    @property
    def leaks(self) -> LeaksConfig:
        """What becomes of training questions that stand in an examination."""
        return self._config.leaks

    def examined_as(self) -> str:
        """The fingerprints of the graded answers that this stage looks at, as one."""
        return content_id([each.fingerprint for each in self._stage.sources if each.kind is ReasoningPath
                           and each.name.endswith("examined")])

    def beginning(self) -> tuple[bool, str]:
        """Whether the plan of the run is the one of its first start, and what there is to say of it."""
        return since_the_beginning(self.run_folder, self._config)

    @property
    def kept_model(self) -> Path:
        """Where a model that these settings make is kept between runs, complete or not there."""
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        cache = Path(self._config.machine.cache or Path(home) / "lema" / "students")
        pinned = "-pinned" if self._config.machine.reproducible else ""  # other last bits, so another student
        return cache / f"{self._stage.fingerprint}{pinned}"

    @cached_property
    def task(self) -> Task:
        return find_task(self._config.task.name, self._config.task.own)

    def prompt(self, name: str, path: str | None = None) -> Prompt:
        """The prompt of that name: the user's file, the task's own, or the general one."""
        return find_prompt(path or name, self.task.name)

    def asking(self, question: Question, prompt: str | None) -> tuple[Message, ...]:
        """How a model is asked to solve a question: as the task asks, or by a few-shot prompt."""
        if prompt is None:
            return tuple(self.task.prompt(question))
        return (Message("user", self.prompt("solve", prompt).render(question=question.text)),)

    def model(self, name: str) -> Model:
        """The backend behind a model's name; a grown or trained one is its checkpoint folder."""
        if name not in self._models:
            model = self._models[name] = find_model(name, *self._made_of(name))
            if self._served is not None:
                model.served = self._served
        return self._models[name]

    def close(self) -> None:
        """Stops what its models started: the card is free for the next stage."""
        for model in self._models.values():
            if hasattr(model, "close"):
                model.close()

    def _made_of(self, name: str) -> tuple[str, dict]:
        """A model's backend and table; those of the backend that examines, where this is an examination."""
        backend, table = table_of(self._config, self._stage, name)
        examiner = getattr(self._stage.settings, "backend", MADE_HERE)
        if MADE_HERE == backend != examiner:
            return examiner, as_examined(self._stage.settings, table)
        return backend, table

    def checkpoint(self, name: str) -> Path | str:
        """The checkpoint folder (or hub id) behind a model's name."""
        return place_of(self._stage.models[name])

    def form(self, name: str) -> Form:
        """How prompts are put to a model, in its training and wherever it is asked."""
        return form_of(self._config, name)

    @property
    def before(self) -> list[Stage]:
        """Every stage that went into this one."""
        return ancestors(self._stage)

    def price(self, name: str) -> Price | None:
        """What a model's tokens cost."""
        return price_of(self._config, name)

    def bill(self) -> Bill:
        """What the stages before this one cost."""
        return draw_up(self.before, lambda name: price_of(self._config, name), self._journal.spent(),
                       served_prices(self._config))

    def available(self, name: str, question: Question, wanted: int) -> int:
        """How many paths of a question a model can give: recorded ones may be fewer than wanted."""
        model = self.model(name)
        return min(wanted, model.available(question)) if hasattr(model, "available") else wanted

    def ask(self, name: str, requests: Iterable[Request], total: int | None = None) -> Iterator[Completion]:
        """Completions in request order, each kept in the journal before it is seen here."""
        model, answered = self.model(name), 0
        asked_of = self._elsewhere.model(name, self._made_of(name), model) if self._elsewhere else model

        def arrived(completion: Completion, remembered: bool | None) -> None:
            nonlocal answered
            self._count(name, completion, remembered)
            answered += remembered is not None
            if total is not None:
                self.show(answered, total)

        if hasattr(model, "watched"):  # it works for hours without a reply, but can say how far it is
            model.watched = lambda ready, note: self.show(answered + ready, total, note)
        with self._gate(name, model) as gate:
            yield from complete(self._journal, asked_of, requests, arrived, gate)

    def verdicts(self, pairs: Iterable[tuple[ReasoningPath, Question]]
                 ) -> Iterator[tuple[ReasoningPath, Grade]]:
        """Every path with its grade, in order."""
        pairs = iter(pairs)
        first = list(islice(pairs, FEW)) if self._elsewhere else pairs
        for path, question in first:
            yield path, verdict_on(path, question, self.task)
        if self._elsewhere:
            yield from self._elsewhere.verdicts(pairs, (self._config.task.name, self._config.task.own))

    def _count(self, name: str, completion: Completion, remembered: bool | None) -> None:
        self.usage[name].add(completion, remembered)
        if remembered is None:
            return
        if name not in self._outcomes:
            self._outcomes[name] = Outcomes(served=not getattr(self.model(name), "runs_here", False))
        outcomes = self._outcomes[name]
        outcomes.add(completion)
        if outcomes.in_vain:
            raise ModelError(outcomes.in_words(self.name, name))

    def require_answers(self) -> None:
        """ModelError where a model that was asked gave nothing at all, with the reasons, counted."""
        for name, outcomes in self._outcomes.items():
            outcomes.require_any(self.name, name, lambda name=name: self._has_answered(name))

    def _has_answered(self, name: str) -> bool:
        """Whether a model ever gave this run a text; one that is computed here is taken to have."""
        served = self.model(name).identity().get("model", "")
        return not served or self._journal.has_text_of(served)

    @property
    def failures(self) -> str:
        """How many replies hold nothing, in words; nothing where each holds something."""
        empty = sum(map(attrgetter("empty"), self._outcomes.values()))
        replies = sum(map(attrgetter("replies"), self._outcomes.values()))
        return f"{empty:,} of {replies:,} replies hold nothing" if empty else ""

    def show(self, done: int, total: int | None = None, note: str = "") -> None:
        """Moves the progress line, at most ten times a second."""
        now = time.monotonic()
        if now - self._shown >= 0.1 or done == total:
            self._shown = now
            self._progress(News(self.name, "moving", done, total, ", ".join(filter(None, [self.cost, note]))))

    @property
    def cost(self) -> str:
        """What the stage's new replies cost so far, in words; nothing where they cost nothing."""
        spent, unknown = 0.0, 0
        for name, usage in self.usage.items():
            price = self._prices[name]
            if price is None:
                unknown += usage.new_tokens
            else:
                spent += price.of(usage.new_paid_prompt_tokens, usage.new_paid_tokens)
        parts = (spent and money(spent), unknown and f"{unknown:,} tokens of unknown price")
        return " + ".join(filter(None, parts))

    @cached_property
    def _prices(self) -> dict[str, Price | None]:
        """Looked up once: progress asks for them ten times a second."""
        prices = {}
        for name in self._stage.models:
            prices[name] = HERE if self._made_here(name) else price_of(self._config, name)
        return prices

    def _made_here(self, name: str) -> bool:
        """Whether a stage of this run makes the model, so that asking it costs nothing."""
        return isinstance(self._stage.models[name], Stage)

    def _gate(self, name: str, model: Model) -> contextlib.AbstractContextManager:
        """The gate that the model's requests go through; an open one where they take nothing out of a budget."""
        price = None
        if self._budget is not None and not self._made_here(name):
            price = weighing(self._config, name, self._budget.unit)
        if price is None:
            return contextlib.nullcontext(OPEN)
        most = getattr(model, "most", most_of)
        return contextlib.closing(Gate(self._budget, price, self.name, getattr(model, "share", 1.0), most))
