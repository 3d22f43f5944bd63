"""Reasoning paths: every question asked n times of one model.

One design decision: the same verb serves the students' mistakes, bought worked solutions, the votes on evolved
questions and the examination; they differ in settings and input only. Where `[sample.adaptive]` says when a
question has been sampled enough, paths are asked for in waves, one path of every open question in each.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from lema.adaptive_sampling import Tally
from lema.config import AdaptiveConfig, PurchaseConfig, SampleConfig
from lema.grading import grade_path
from lema.messages import Completion, Message, Request
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.replies import split_steps
from lema.runs.context import StageContext
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import IdTable, ScratchTable
from lema.tasks import answers_to

VERSION = 1


def sample(context: StageContext, settings: SampleConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath] = (),
           corrections: Iterable[Correction] = ()) -> Iterator[ReasoningPath]:
    """`settings.paths` paths of the one model in `settings.models` for each chosen question, or fewer where
    `settings.adaptive` says so, as far as the budget reaches. A purchase may look at `graded` for who failed, and
    at `corrections` for what they cost."""
    (model,) = settings.models
    tokens = sum(c.tokens for c in corrections) if settings.tokens == "corrections" else settings.tokens
    with Chosen(context.folder, settings, questions, graded) as asked:
        if settings.adaptive:
            yield from _in_waves(context, settings, settings.adaptive, asked, tokens)
            return
        paths = ((question, context.available(model, question, settings.paths)) for question in asked)
        requests = (_request(context, settings, each, index) for each, most in paths for index in range(most))
        total = None if tokens else sum(context.available(model, each, settings.paths) for each in asked)
        for request, reply in within_budget(context, model, requests, tokens, total):
            yield _path(model, request, reply)


def _in_waves(context: StageContext, settings: SampleConfig, told: AdaptiveConfig, asked: Iterable[Question],
              left: int | None) -> Iterator[ReasoningPath]:
    """Paths, wave by wave, the most promising questions first; a question leaves once it has given enough.
    `left` is the budget in tokens.

    A wave follows from the verdicts on those before it, which the journal gives again: a run that was killed asks
    the same waves, and each is one whole list to the model. What a question has given is kept in memory, some
    thousand bytes each; its text is not.
    """
    (model,) = settings.models
    most = {question.id: context.available(model, question, settings.paths) for question in asked}
    tallies = {name: Tally(told.right) for name in most}
    with ScratchTable(context.folder, Question) as texts:
        texts.fill((question.id, question) for question in asked)
        wave = [name for name in most if most[name]]
        done = 0
        while wave and (left is None or left > 0):
            requests = (_request(context, settings, texts.get(name), tallies[name].paths) for name in wave)
            for request, reply in within_budget(context, model, requests, left):
                path = _path(model, request, reply)
                yield path
                _count(context, tallies[path.question], path, request.about[0])
                left = None if left is None else left - path.tokens
                done += 1
            context.show(done)
            wave = [name for name in most if tallies[name].paths < most[name] and not tallies[name].enough(told)]
            wave.sort(key=lambda name: -tallies[name].promise)


def _count(context: StageContext, tally: Tally, path: ReasoningPath, question: Question) -> None:
    answers = answers_to(context.task, question.choices)
    graded = grade_path(path.text, question.answer, finish=path.finish, read=answers.read, same=answers.same)
    tally.add(graded.verdict, content_id(split_steps(path.text)))


def _request(context: StageContext, settings: SampleConfig, question: Question, index: int) -> Request:
    return Request(_messages(context, settings, question), settings.sampling, index, (question,))


def _path(model: str, request: Request, reply: Completion) -> ReasoningPath:
    (question,) = request.about
    return ReasoningPath(
        question=question.id, model=model, text=reply.text, index=request.index, sampling=request.sampling,
        prompt=content_id([m.content for m in request.messages]), finish=reply.finish,
        prompt_tokens=reply.prompt_tokens, tokens=reply.tokens)


def units(settings: SampleConfig, questions: Iterable[Question]) -> int:
    """What its work grows with: how many questions are asked, before anybody knows who failed."""
    return sum(1 for _ in islice(_fitting(settings, questions), settings.limit))


def _fitting(settings: SampleConfig, questions: Iterable[Question]) -> Iterator[Question]:
    return (question for question in questions if question.split == settings.split and not question.rejected
            and (settings.only == "all" or question.solution is None))


class Chosen:
    """The questions that are asked, in that order, as often as wanted; a limit takes the first of them."""

    def __init__(self, folder: Path, settings: SampleConfig, questions: Iterable[Question],
                 graded: Iterable[ReasoningPath]) -> None:
        self._settings, self._questions, self._open = settings, questions, ExitStack()
        self._failed, self._drawn = None, None
        if isinstance(settings, PurchaseConfig) and settings.questions == "failed":
            self._failed = self._open.enter_context(IdTable(folder))
            for path in graded:
                if path.verdict == "wrong":
                    self._failed.add(path.question)
        if settings.order == "random":
            self._drawn = self._open.enter_context(ScratchTable(folder, Question)).fill(
                (content_id(settings.seed, question.id), question) for question in self._fit())

    def __iter__(self) -> Iterator[Question]:
        found = self._fit() if self._drawn is None else (
            question for _, several in self._drawn.groups() for question in several)
        return islice(found, self._settings.limit)

    def __enter__(self) -> "Chosen":
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _fit(self) -> Iterator[Question]:
        return (question for question in _fitting(self._settings, self._questions)
                if self._failed is None or question.id in self._failed)


def _messages(context: StageContext, settings: SampleConfig, question: Question) -> tuple[Message, ...]:
    if settings.prompt is None:
        return tuple(context.task.prompt(question))
    return (Message("user", context.prompt("solve", settings.prompt).render(question=question.text)),)


def expected(settings: SampleConfig) -> Workload:
    """So many paths of each question."""
    return Workload(settings.paths)
