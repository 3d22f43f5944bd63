"""Reasoning paths: every question asked n times of one model.

One design decision: the same verb serves the students' mistakes, bought worked solutions, the votes on evolved
questions and the examination; they differ in settings and input only.
"""

from collections.abc import Iterable, Iterator

from lema.models import Message, Request
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.spending import within_budget
from lema.tables import PurchaseConfig, SampleConfig
from lema.tools import Tools

VERSION = 1


def sample(tools: Tools, settings: SampleConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath] = (),
           corrections: Iterable[Correction] = ()) -> Iterator[ReasoningPath]:
    """`settings.paths` paths of the one model in `settings.models` for each chosen question, as far as the
    budget reaches. A purchase may look at `graded` for who failed, and at `corrections` for what they cost."""
    (model,) = settings.models
    requests = [Request(_messages(tools, settings, question), settings.sampling, index, (question,))
                for question in chosen(settings, questions, graded)
                for index in range(tools.available(model, question, settings.paths))]
    tokens = sum(c.tokens for c in corrections) if settings.tokens == "corrections" else settings.tokens
    for request, reply in within_budget(tools, model, requests, tokens):
        (question,) = request.about
        yield ReasoningPath(
            question=question.id, model=model, text=reply.text, index=request.index, sampling=settings.sampling,
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
