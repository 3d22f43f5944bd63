"""Reasoning paths: every question asked n times of one model.

    {"text": "At the fair Mia wins 7 coins. Sam wins double what Mia wins. …", "id": "37835c9b8f2262cb", …}
    → {"question": "37835c9b8f2262cb", "model": "student", "text": "Step 1: The answer is 8 = 7.", "index": 0, …}

One design decision: the same verb serves the students' mistakes, bought worked solutions, the votes on evolved
questions and the examination; they differ in settings and input only. Where `[sample.adaptive]` says when a
question has been sampled enough, paths are asked for in waves, one path of every open question in each.
"""

from collections.abc import Container, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain, islice
from operator import attrgetter, itemgetter
from pathlib import Path

from lema.adaptive_sampling import Tally
from lema.config import PurchaseConfig, SampleConfig
from lema.messages import Completion, Request
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.replies import split_steps
from lema.runs.context import StageContext
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import IdTable, ScratchTable
from lema.tasks import verdict_on

VERSION = 2


def sample(context: StageContext, settings: SampleConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath] = (),
           corrections: Iterable[Correction] = ()) -> Iterator[ReasoningPath]:
    """`settings.paths` paths of the one model in `settings.models` for each chosen question, or fewer where
    `settings.adaptive` says so, as far as the budget reaches. A purchase may look at `graded` for who failed, and
    at `corrections` for what they cost."""
    (model,), tokens = settings.models, settings.tokens
    available = partial(context.available, model, wanted=settings.paths)
    if tokens == "corrections":
        tokens = sum(map(attrgetter("tokens"), corrections))
    with Chosen(context.folder, settings, questions, graded) as chosen:
        if settings.adaptive:
            yield from _in_waves(context, settings, chosen, tokens)
            return
        requests = (_request(context, settings, question, index)
                    for question in chosen for index in range(available(question)))
        total = None if tokens else sum(map(available, chosen))
        for request, reply in within_budget(context, model, requests, tokens, total):
            yield _path(model, request, reply)


def _in_waves(context: StageContext, settings: SampleConfig, chosen: Iterable[Question],
              left: int | None) -> Iterator[ReasoningPath]:
    """Paths, wave by wave; a question leaves once it has given enough. `left` is the budget in tokens.

    A wave follows from the verdicts on those before it, which the journal gives again: a run that was killed asks
    the same waves, and each is one whole list to the model. What a question has given is kept in memory, some
    thousand bytes each; its text is not.
    """
    (model,), rules, done = settings.models, settings.adaptive, 0
    most: dict[str, int] = {}
    tallies: dict[str, Tally] = {}
    with ScratchTable(context.folder, Question) as texts:
        for question in chosen:
            texts.put(question.id, question)
            most[question.id] = context.available(model, question, settings.paths)
            tallies[question.id] = Tally(rules.right)
        while left is None or left > 0:
            wave = [name for name in most if tallies[name].paths < most[name] and not tallies[name].enough(rules)]
            if not wave:
                return
            # One path of each, as a second may be needless after the first; those that promise most come first, as
            # the budget may end within the wave.
            wave.sort(key=lambda name: -tallies[name].promise)
            requests = (_request(context, settings, texts.get(name), tallies[name].paths) for name in wave)
            for request, reply in within_budget(context, model, requests, left):
                path = _path(model, request, reply)
                yield path
                verdict = verdict_on(path, *request.about, context.task).verdict
                tallies[path.question].add(verdict, content_id(split_steps(path.text)))
                left = None if left is None else left - path.tokens
                done += 1
            context.show(done)


def _request(context: StageContext, settings: SampleConfig, question: Question, index: int) -> Request:
    return Request(context.asking(question, settings.prompt), settings.sampling, index, (question,))


def _path(model: str, request: Request, reply: Completion) -> ReasoningPath:
    (question,) = request.about
    return ReasoningPath(
        question=question.id, model=model, text=reply.text, index=request.index, sampling=request.sampling,
        prompt=content_id(list(map(attrgetter("content"), request.messages))), finish=reply.finish,
        prompt_tokens=reply.prompt_tokens, repeated_tokens=reply.repeated, tokens=reply.tokens)


def units(settings: SampleConfig, questions: Iterable[Question]) -> int:
    """What its work grows with: how many questions are asked, before anybody knows who failed."""
    return sum(1 for _ in islice(_fitting(settings, questions), settings.limit))


def _fitting(settings: SampleConfig, questions: Iterable[Question],
             among: Container[str] | None = None) -> Iterator[Question]:
    for question in questions:
        wanted = settings.only == "all" or question.solution is None
        wanted = wanted and question.split == settings.split and not question.rejected
        if wanted and (among is None or question.id in among):
            yield question


class Chosen(ExitStack):
    """The questions that are asked, in that order, as often as wanted; a limit takes the first of them."""

    def __init__(self, folder: Path, settings: SampleConfig, questions: Iterable[Question],
                 graded: Iterable[ReasoningPath]) -> None:
        super().__init__()
        self._settings, self._questions, self._failed, self._drawn = settings, questions, None, None
        if isinstance(settings, PurchaseConfig) and settings.questions == "failed":
            self._failed = self.enter_context(IdTable(folder))
            for path in graded:
                if path.verdict == "wrong":
                    self._failed.add(path.question)
        if settings.order == "random":
            self._drawn = self.enter_context(ScratchTable(folder, Question))
            for question in _fitting(settings, questions, self._failed):
                self._drawn.put(content_id(settings.seed, question.id), question)

    def __iter__(self) -> Iterator[Question]:
        fitting = _fitting(self._settings, self._questions, self._failed)
        if self._drawn is not None:
            fitting = chain.from_iterable(map(itemgetter(1), self._drawn.groups()))
        return islice(fitting, self._settings.limit)


def expected(settings: SampleConfig) -> Workload:
    """So many paths of each question."""
    return Workload(settings.paths)
