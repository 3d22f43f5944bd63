"""Corrections: a corrector names the wrong step of a mistake, explains it and corrects it from there.

    {"question": "37835c9b8f2262cb", "text": "Step 1: The answer is 8 = 7.", "verdict": "wrong", …}
    → {"path": "113b64d5f66f8a9a", "step": 1, "explanation": "This step does not say…", "steps": ["Sam =…", …], …}

One design decision: the corrector gets the question and the numbered wrong path, never the gold answer (unless the
config has it told on a second try); and a budget in its output tokens is spent in waves, mistake by mistake in an
order that content alone decides, so that a run that was killed spends it on the same mistakes.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from operator import attrgetter
from pathlib import Path

from lema.checks import objection
from lema.checks.form import without_repeated
from lema.config import Config, CorrectConfig
from lema.examples import is_bought
from lema.messages import Completion, Message, Request
from lema.prompting import REWRITE_CUE, Prompt, correction_values
from lema.prompting.order import in_turn, messages
from lema.records import Correction, Question, ReasoningPath
from lema.replies import Rewrite, Unparsed, parse_correction, parse_rewrite, split_steps
from lema.runs.context import StageContext
from lema.runs.spending import within_budget
from lema.runs.workload import Workload
from lema.scratch import IdTable, ScratchTable, TurnTable, by_field, by_id

VERSION = 5


def correcting(config: Config, round_name: str) -> CorrectConfig | None:
    """The corrector's table, where there is one that corrects whole paths; an evolved round has its own budget,
    and where its mistakes are made by models trained in the run, which no table can name, all of them are
    corrected."""
    if config.correct is None or config.correct.extent == "step":
        return None
    if not round_name:
        return config.correct
    if not is_bought(map(attrgetter("take"), config.arms.values()), "corrections", round_name):
        return None
    evolution = config.evolve[round_name]
    whose = {"models": ()} if evolution.students else {}
    return config.correct.model_copy(update={"tokens": evolution.correction_tokens, **whose})


def correct(context: StageContext, settings: CorrectConfig, questions: Iterable[Question],
            graded: Iterable[ReasoningPath], imported: tuple[Iterable[Correction], ...] = (),
            tried: Iterable[Correction] = ()) -> Iterator[Correction]:
    """`settings.samples` corrections per distinct wrong path, as far as the budget reaches; an unreadable reply
    is rejected. With the verified corrections of the try before (`tried`), these come again, and where none of a
    mistake's passed one more follows, asked for with what was wrong."""
    wrong = _mistakes(context.folder, settings, graded, imported)
    with (by_id(context.folder, Question, questions) as texts, in_turn(context.folder, wrong) as mistakes,
          by_field("path", context.folder, Correction, tried) as before):
        if len(before):
            yield from _second_tries(context, settings, texts, mistakes, before)
            return
        prompt = context.prompt("correct", settings.prompt)
        requests = (
            Request(_messages(prompt, settings, texts.get(path.question), path), settings.sampling, index, (path,))
            for path in mistakes for index in range(settings.samples))
        total = len(mistakes) * settings.samples
        for request, reply in within_budget(context, settings.model, requests, settings.tokens, total):
            yield read(reply, request, settings, prompt)


def _mistakes(folder: Path, settings: CorrectConfig, graded: Iterable[ReasoningPath],
              imported: tuple[Iterable[Correction], ...]) -> Iterator[ReasoningPath]:
    """The wrong paths that no imported correction is about, of the models whose mistakes are wanted."""
    with IdTable(folder) as corrected:
        for correction in chain.from_iterable(imported):
            corrected.add(correction.path)
        for path in graded:
            wanted = not settings.models or path.model in settings.models
            if path.verdict == "wrong" and wanted and path.id not in corrected:
                yield path


def read(reply: Completion, request: Request, settings: CorrectConfig, prompt: Prompt,
         **more: object) -> Correction:
    """A corrector's reply as a row, whatever it says."""
    path = request.about[0]
    return Correction(
        question=path.question, path=path.id, model=settings.model, reply=reply.text, prompt=prompt.id,
        index=request.index, finish=reply.finish, prompt_tokens=reply.prompt_tokens,
        repeated_tokens=reply.repeated, tokens=reply.tokens,
        **fields_of(reply.text, path, prompt.cue), **more)


def fields_of(reply: str, path: ReasoningPath, cue: str) -> dict:
    """What a reply to this cue says of the path, as fields of a Correction; unreadable: why it is `rejected`."""
    parsed = parse_rewrite(reply) if cue == REWRITE_CUE else parse_correction(reply)
    if isinstance(parsed, Unparsed):
        return {"rejected": f"unreadable: {parsed.reason}"}
    if isinstance(parsed, Rewrite):  # of a path without steps, which is corrected as a whole
        return {"explanation": parsed.mistakes, "steps": split_steps(parsed.answer)}
    first, steps = without_repeated(parsed.step, parsed.first_number, parsed.steps, split_steps(path.text))
    return {"step": parsed.step, "explanation": parsed.explanation, "steps": steps, "first_number": first,
            "quote": parsed.quote}


def _messages(prompt: Prompt, settings: CorrectConfig, question: Question, path: ReasoningPath) -> tuple:
    return messages(prompt, settings.form, correction_values(question, path.text, prompt.cue))


def _second_tries(context: StageContext, settings: CorrectConfig, texts: ScratchTable[Question],
                  mistakes: TurnTable[ReasoningPath], before: ScratchTable[Correction]) -> Iterator[Correction]:
    """The corrections of the try before and behind them, for every mistake without a verified one, one more, as
    far as what is left of the budget reaches."""
    prompt, again = context.prompt("correct", settings.prompt), context.prompt("again", settings.again)
    hint = settings.hint if settings.hint == "answer" else ""

    def requests() -> Iterator[Request]:
        for path in mistakes:
            rows = before.under(path.id)
            if _failed(rows):
                question = texts.get(path.question)
                answer = question.answer if hint else ""
                note = again.render(problem=objection(rows[-1]), answer=answer, cue=prompt.cue)
                conversation = (*_messages(prompt, settings, question, path),
                                Message("assistant", rows[-1].reply.strip() or "-"), Message("user", note))
                yield Request(conversation, settings.sampling, 0, (path, rows[-1]))

    total = sum(_failed(rows) for _, rows in before.groups())
    left = None if settings.tokens is None else max(0, settings.tokens - sum(map(attrgetter("tokens"), before)))
    with closing(within_budget(context, settings.model, requests(), left, total)) as replies:
        for path in mistakes:
            rows = before.under(path.id)
            yield from map(_unverified, rows)
            # Requests go out in the order of `mistakes`, so the next reply, while there is one, is about this one.
            if _failed(rows) and (answered := next(replies, None)):
                request, reply = answered
                yield read(reply, request, settings, prompt, attempt=rows[-1].attempt + 1, hint=hint)


def _failed(rows: Sequence[Correction]) -> bool:
    """Whether a mistake was asked about and none of its corrections was kept."""
    return bool(rows) and not any(map(attrgetter("verified"), rows))


def _unverified(row: Correction) -> Correction:
    """The row as it was before it was verified."""
    rejected = row.rejected if row.rejected.startswith("unreadable") else ""
    return dataclasses.replace(row, verified=None, answer=None, rejected=rejected)


def expected(settings: CorrectConfig) -> Workload:
    """Every mistake is asked about so many times."""
    return Workload(None, settings.samples, "wrong", settings.prompt or "correct")
