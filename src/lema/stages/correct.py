"""Corrections: a corrector names the wrong step of a mistake, explains it and corrects it from there.

One design decision: the corrector gets the question and the numbered wrong path, never the gold answer; and a
budget in its output tokens is spent in waves, mistake by mistake in an order that content alone decides, so that
a run that was killed spends it on the same mistakes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from lema.models import Message, Request
from lema.records import Correction, Question, ReasoningPath
from lema.spending import within_budget
from lema.steps import number_steps, parse_correction, split_steps
from lema.tables import CorrectConfig
from lema.tools import Tools

VERSION = 1


def correct(tools: Tools, settings: CorrectConfig, questions: Iterable[Question],
            graded: Iterable[ReasoningPath],
            imported: tuple[Iterable[Correction], ...] = ()) -> Iterator[Correction]:
    """One correction per distinct wrong path, as far as the budget reaches; an unreadable reply is rejected. Paths
    that an `imported` correction is about are not asked about."""
    has_one = {correction.path for rows in imported for correction in rows}
    texts = {question.id: question.text for question in questions}
    prompt = tools.prompt("correct", settings.prompt)
    mistakes = in_turn(distinct(path for path in graded if path.verdict == "wrong" and path.id not in has_one
                                and (not settings.models or path.model in settings.models)))
    requests = [
        Request((Message("user", prompt.render(question=texts[path.question],
                                               steps=number_steps(split_steps(path.text)))),),
                settings.sampling, 0, (path,))
        for path in mistakes]
    for request, reply in within_budget(tools, settings.model, requests, settings.tokens):
        (path,) = request.about
        parsed = parse_correction(reply.text)
        readable = {} if hasattr(parsed, "reason") else {
            "step": parsed.step, "explanation": parsed.explanation, "steps": parsed.steps}
        yield Correction(
            question=path.question, path=path.id, model=settings.model, reply=reply.text, prompt=prompt.id,
            finish=reply.finish, prompt_tokens=reply.prompt_tokens, tokens=reply.tokens,
            rejected=f"unreadable: {parsed.reason}" if hasattr(parsed, "reason") else "", **readable)


def distinct(paths: Iterable[ReasoningPath]) -> Iterator[ReasoningPath]:
    """The first of every set of paths that have the same steps for the same question."""
    seen = set()
    for path in paths:
        key = (path.question, split_steps(path.text))
        if key not in seen:
            seen.add(key)
            yield path


def in_turn(paths: Iterable[ReasoningPath]) -> Sequence[ReasoningPath]:
    """First one mistake of every question, then a second of those that have one, and so on; within a turn in
    the order of their ids, which is as good as random and always the same."""
    turns: dict[str, int] = defaultdict(int)
    ordered = []
    for path in sorted(paths, key=lambda path: path.id):
        ordered.append((turns[path.question], path.id, path))
        turns[path.question] += 1
    return [path for _, _, path in sorted(ordered, key=lambda item: item[:2])]
