"""Verified corrections: which of them may be trained on, and for each other one why not.

One design decision: a check is a small function from a correction to yes or no (lema.checks), named in the config;
the first that fails is the reason that the row carries, so the funnel is counted from rows.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby

from lema.checks import CHECK, Checked, failed
from lema.config import VerifyConfig
from lema.grading import GradingTimeout
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.replies import number_steps, split_steps
from lema.runs.context import StageContext
from lema.scratch import IdTable, ScratchTable
from lema.tasks import Answers, answers_to

VERSION = 4

NO_MISTAKE = "its path is not wrong"
ANOTHER_KEPT = "another correction of this mistake is kept"
ANOTHER_STEP = "names another step than most replies"


def verify(context: StageContext, settings: VerifyConfig, questions: Iterable[Question], graded: Iterable[ReasoningPath],
           corrections: Iterable[Correction],
           imported: tuple[Iterable[Correction], ...] = ()) -> Iterator[Correction]:
    """The same corrections with `answer`, `verified` and, where one is not kept, `rejected`. Corrections of one
    mistake stand behind each other. An imported correction of a path that is not wrong is rejected for that."""
    done = 0
    with (ScratchTable(context.folder, Question) as asked, ScratchTable(context.folder, ReasoningPath) as mistakes,
          IdTable(context.folder) as seen):
        asked.fill((question.id, question) for question in questions)
        mistakes.fill((path.id, path) for path in graded if path.verdict == "wrong")
        for path, several in groupby(chain(corrections, *imported), key=lambda correction: correction.path):
            mistake = mistakes.get(path)
            judged = [_judged(context, settings, correction, split_steps(mistake.text) if mistake else None,
                              asked.get(correction.question), seen) for correction in several]
            done += len(judged)
            context.show(done)
            yield from _kept(settings.keep, judged)


def _judged(context: StageContext, settings: VerifyConfig, correction: Correction, mistake: tuple[str, ...] | None,
            question: Question, seen: IdTable) -> Correction:
    """The correction with its answer and the first check that it fails. What passes is entered in `seen`."""
    answers = answers_to(context.task, question.choices)
    answer = answers.read(solution_of(correction)).answer if correction.steps else None
    if mistake is None:
        return dataclasses.replace(correction, answer=answer, verified=False,
                                   rejected=correction.rejected or NO_MISTAKE)
    kept_steps = mistake[:correction.step or 0]
    key = content_id(question.id, kept_steps, correction.explanation, correction.steps)
    checked = Checked(correction, mistake, question.text, question.answer, _same(answers, answer, question.answer),
                      key in seen)
    reasons = failed(checked, settings.checks)
    if not reasons:
        seen.add(key)
    return dataclasses.replace(correction, answer=answer, verified=not reasons,
                               rejected=correction.rejected or (CHECK[reasons[0]].reason if reasons else ""))


def solution_of(correction: Correction) -> str:
    """The corrected steps as a text to read an answer from."""
    return number_steps(correction.steps) if correction.step else "\n".join(correction.steps)


def _kept(rule: str, judged: Sequence[Correction]) -> Iterator[Correction]:
    """Of the verified corrections of one mistake all, the first, or the first of those that name the step that
    most of its readable replies name."""
    if rule == "majority":
        named = Counter(one.step for one in judged if one.steps)
        most = max(named.values(), default=0)
        judged = [one if not one.verified or named[one.step] == most else _refused(one, ANOTHER_STEP)
                  for one in judged]
    held = False
    for one in judged:
        if one.verified and held and rule != "all":
            one = _refused(one, ANOTHER_KEPT)
        held |= bool(one.verified)
        yield one


def _refused(correction: Correction, reason: str) -> Correction:
    return dataclasses.replace(correction, verified=False, rejected=reason)


def _same(answers: Answers, answer: str | None, gold: str) -> bool:
    try:
        return answer is not None and answers.same(answer, gold)
    except GradingTimeout:
        return False
