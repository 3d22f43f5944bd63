"""Corrections: a corrector names the wrong step of a mistake, explains it and corrects it from there.

One design decision: the corrector gets the question and the numbered wrong path, never the gold answer (unless the
config has it told on a second try); and a budget in its output tokens is spent in waves, mistake by mistake in an
order that content alone decides, so that a run that was killed spends it on the same mistakes.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lema.asking import distinct, in_turn, messages
from lema.checks.form import without_repeated
from lema.checks.telling import told
from lema.models import Completion, Message, Request
from lema.money.spending import within_budget
from lema.prompting import REWRITE_CUE, Prompt, correction_values
from lema.records import Correction, Question, ReasoningPath
from lema.steps import Rewrite, Unparsed, parse_correction, parse_rewrite, split_steps
from lema.tables import CorrectConfig
from lema.tools import Tools

VERSION = 3


def correct(tools: Tools, settings: CorrectConfig, questions: Iterable[Question], graded: Iterable[ReasoningPath],
            imported: tuple[Iterable[Correction], ...] = (), tried: Iterable[Correction] = (),
            ) -> Iterator[Correction]:
    """`settings.samples` corrections per distinct wrong path, as far as the budget reaches; an unreadable reply
    is rejected. With the verified corrections of the try before, these come again, and where none of a
    mistake's passed one more follows, asked for with what was wrong. Paths that an `imported` correction is
    about are not asked about."""
    has_one = {correction.path for rows in imported for correction in rows}
    asked = {question.id: question for question in questions}
    prompt = tools.prompt("correct", settings.prompt)
    mistakes = in_turn(distinct(path for path in graded if path.verdict == "wrong" and path.id not in has_one
                                and (not settings.models or path.model in settings.models)))
    before = _by_path(tried)
    if not before:
        requests = [
            Request(_messages(prompt, settings, asked[path.question], path), settings.sampling, index, (path,))
            for path in mistakes for index in range(settings.samples)]
        for request, reply in within_budget(tools, settings.model, requests, settings.tokens):
            yield read(reply, request, settings, prompt)
        return
    again = dict(_second_tries(tools, settings, asked, mistakes, before))
    for path in mistakes:
        yield from map(_as_asked, before.get(path.id, ()))
        if path.id in again:
            yield again[path.id]


def read(reply: Completion, request: Request, settings: CorrectConfig, prompt: Prompt,
         **more: object) -> Correction:
    """A corrector's reply as a row, whatever it says."""
    path = request.about[0]
    fields = fields_of(reply.text, path, prompt.cue)
    return Correction(question=path.question, path=path.id, model=settings.model, reply=reply.text,
                      prompt=prompt.id, index=request.index, finish=reply.finish,
                      prompt_tokens=reply.prompt_tokens, tokens=reply.tokens, **fields, **more)


def fields_of(reply: str, path: ReasoningPath, cue: str) -> dict:
    """What a reply to this cue says of the path, as fields of a Correction; unreadable: why it is `rejected`."""
    parsed = parse_rewrite(reply) if cue == REWRITE_CUE else parse_correction(reply)
    if isinstance(parsed, Unparsed):
        return {"rejected": f"unreadable: {parsed.reason}"}
    if isinstance(parsed, Rewrite):
        return {"explanation": parsed.mistakes, "steps": split_steps(parsed.answer)}
    first, steps = without_repeated(parsed.step, parsed.first_number, parsed.steps, split_steps(path.text))
    return {"step": parsed.step, "explanation": parsed.explanation, "steps": steps, "first_number": first,
            "quote": parsed.quote}


def _messages(prompt: Prompt, settings: CorrectConfig, question: Question,
              path: ReasoningPath) -> tuple[Message, ...]:
    return messages(prompt, settings.form, correction_values(question, path.text, prompt.cue))


def _second_tries(tools: Tools, settings: CorrectConfig, asked: Mapping[str, Question],
                  mistakes: Sequence[ReasoningPath], before: Mapping[str, Sequence[Correction]],
                  ) -> Iterator[tuple[str, Correction]]:
    """(path id, correction) of every mistake without a verified one, as far as what is left of the budget
    reaches."""
    prompt, again = tools.prompt("correct", settings.prompt), tools.prompt("again", settings.again)
    hint = settings.hint == "answer"
    requests = []
    for path in mistakes:
        rows = before.get(path.id, ())
        if rows and not any(row.verified for row in rows):
            question, last = asked[path.question], rows[-1]
            note = again.render(problem=told(last), answer=question.answer if hint else "", cue=prompt.cue)
            conversation = (*_messages(prompt, settings, question, path),
                            Message("assistant", last.reply.strip() or "-"), Message("user", note))
            requests.append(Request(conversation, settings.sampling, 0, (path, last)))
    spent = sum(row.tokens for rows in before.values() for row in rows)
    left = None if settings.tokens is None else max(0, settings.tokens - spent)
    for request, reply in within_budget(tools, settings.model, requests, left):
        path, last = request.about
        yield path.id, read(reply, request, settings, prompt, attempt=last.attempt + 1,
                            hint="answer" if hint else "")


def _by_path(tried: Iterable[Correction]) -> dict[str, list[Correction]]:
    rows: dict[str, list[Correction]] = defaultdict(list)
    for row in tried:
        rows[row.path].append(row)
    return rows


def _as_asked(row: Correction) -> Correction:
    """The row as it was before it was verified."""
    rejected = row.rejected if row.rejected.startswith("unreadable") else ""
    return dataclasses.replace(row, verified=None, answer=None, rejected=rejected)
