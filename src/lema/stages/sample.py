"""Reasoning paths: every question asked n times of one model.

One design decision: the same verb serves the students' mistakes, bought worked solutions, the votes on evolved
questions and the examination; they differ in settings and input only. Where `[sample.adaptive]` says when a
question has been sampled enough, paths are asked for in waves, one path of every open question in each.
"""

from collections.abc import Iterable, Iterator

from lema.grading import grade_path
from lema.models import Completion, Message, Request
from lema.money.spending import within_budget
from lema.quotas import Tally
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.steps import split_steps
from lema.tables import AdaptiveConfig, PurchaseConfig, SampleConfig
from lema.tasks import answers_to
from lema.tools import Tools

VERSION = 1


def sample(tools: Tools, settings: SampleConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath] = (),
           corrections: Iterable[Correction] = ()) -> Iterator[ReasoningPath]:
    """`settings.paths` paths of the one model in `settings.models` for each chosen question, or fewer where
    `settings.adaptive` says so, as far as the budget reaches. A purchase may look at `graded` for who failed, and
    at `corrections` for what they cost."""
    (model,) = settings.models
    asked = chosen(settings, questions, graded)
    tokens = sum(c.tokens for c in corrections) if settings.tokens == "corrections" else settings.tokens
    if settings.adaptive:
        yield from _in_waves(tools, settings, settings.adaptive, asked, tokens)
        return
    requests = [_request(tools, settings, question, index) for question in asked
                for index in range(tools.available(model, question, settings.paths))]
    for request, reply in within_budget(tools, model, requests, tokens):
        yield _path(model, request, reply)


def _in_waves(tools: Tools, settings: SampleConfig, told: AdaptiveConfig, asked: list[Question],
              left: int | None) -> Iterator[ReasoningPath]:
    """Paths, wave by wave, the most promising questions first; a question leaves once it has given enough.
    `left` is the budget in tokens.

    A wave follows from the verdicts on those before it, which the journal gives again: a run that was killed asks
    the same waves, and each is one whole list to the model.
    """
    (model,) = settings.models
    most = {question.id: tools.available(model, question, settings.paths) for question in asked}
    tallies = {question.id: Tally(told.right) for question in asked}
    wave = [question for question in asked if most[question.id]]
    done = 0
    while wave and (left is None or left > 0):
        requests = [_request(tools, settings, question, tallies[question.id].paths) for question in wave]
        for request, reply in within_budget(tools, model, requests, left):
            path = _path(model, request, reply)
            yield path
            _count(tools, tallies[path.question], path, request.about[0])
            left = None if left is None else left - path.tokens
            done += 1
        tools.show(done)
        wave = [question for question in asked if tallies[question.id].paths < most[question.id]
                and not tallies[question.id].enough(told)]
        wave.sort(key=lambda question: -tallies[question.id].promise)


def _count(tools: Tools, tally: Tally, path: ReasoningPath, question: Question) -> None:
    answers = answers_to(tools.task, question.choices)
    graded = grade_path(path.text, question.answer, finish=path.finish, read=answers.read, same=answers.same)
    tally.add(graded.verdict, split_steps(path.text))


def _request(tools: Tools, settings: SampleConfig, question: Question, index: int) -> Request:
    return Request(_messages(tools, settings, question), settings.sampling, index, (question,))


def _path(model: str, request: Request, reply: Completion) -> ReasoningPath:
    (question,) = request.about
    return ReasoningPath(
        question=question.id, model=model, text=reply.text, index=request.index, sampling=request.sampling,
        prompt=content_id([m.content for m in request.messages]), finish=reply.finish,
        prompt_tokens=reply.prompt_tokens, tokens=reply.tokens)


def chosen(settings: SampleConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath] | None = None) -> list[Question]:
    """The questions that are asked, in that order; a limit takes the first of them. Without `graded` it is not
    known who failed, and all count."""
    found = [q for q in questions if q.split == settings.split and not q.rejected
              and (settings.only == "all" or q.solution is None)]
    if isinstance(settings, PurchaseConfig) and settings.questions == "failed" and graded is not None:
        failed = {path.question for path in graded if path.verdict == "wrong"}
        found = [question for question in found if question.id in failed]
    if settings.order == "random":
        found.sort(key=lambda question: content_id(settings.seed, question.id))
    return found[:settings.limit]


def _messages(tools: Tools, settings: SampleConfig, question: Question) -> tuple[Message, ...]:
    if settings.prompt is None:
        return tuple(tools.task.prompt(question))
    return (Message("user", tools.prompt("solve", settings.prompt).render(question=question.text)),)
