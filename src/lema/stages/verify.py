"""Verified corrections: which of them may be trained on, and for each other one why not.

One design decision: a check is a small function from a correction to yes or no, named in the config; the first
that fails is the reason that the row carries, so the funnel is counted from rows.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import chain

from lema.grading import GradingTimeout
from lema.records import Correction, Question, ReasoningPath
from lema.shelf import Shelf
from lema.steps import number_steps, split_steps
from lema.tables import VerifyConfig
from lema.tasks import Answers, answers_to
from lema.tools import Tools

VERSION = 2

REASONS = {
    "mistake": "its path is not wrong",
    "complete": "cut off or failed",
    "parsed": "unreadable",
    "step": "names a step that is not there",
    "changed": "repeats the mistake",
    "answer": "wrong final answer",
}


def verify(tools: Tools, settings: VerifyConfig, questions: Iterable[Question], graded: Iterable[ReasoningPath],
           corrections: Iterable[Correction],
           imported: tuple[Iterable[Correction], ...] = ()) -> Iterator[Correction]:
    """The same corrections with `answer`, `verified` and, where one check failed, `rejected`. An imported
    correction of a path that is not wrong is rejected for that."""
    with Shelf(tools.folder, Question) as asked, Shelf(tools.folder, ReasoningPath) as mistakes:
        asked.fill((question.id, question) for question in questions)
        mistakes.fill((path.id, path) for path in graded if path.verdict == "wrong")
        for done, correction in enumerate(chain(corrections, *imported), 1):
            mistake = mistakes.get(correction.path)
            steps = split_steps(mistake.text) if mistake else ()
            question = asked.get(correction.question)
            answers = answers_to(tools.task, question.choices)
            answer = answers.read(number_steps(correction.steps)).answer if correction.steps else None
            right = _same(answers, answer, question.answer)
            failed = _first_failed(settings, correction, steps, right) if mistake else "mistake"
            tools.show(done)
            yield dataclasses.replace(correction, answer=answer, verified=failed is None,
                                      rejected=correction.rejected or (REASONS[failed] if failed else ""))


def _first_failed(settings: VerifyConfig, correction: Correction, mistake: tuple[str, ...],
                  right: bool) -> str | None:
    """The first failed check. A reply that cannot be read at all fails whichever checks are asked for."""
    step = correction.step or 0
    there = 1 <= step <= len(mistake)
    passed = {
        "complete": correction.finish == "stop",
        "parsed": bool(correction.steps) and not correction.rejected,
        "step": there,
        "changed": there and correction.steps[:1] != mistake[step - 1:step],
        "answer": right,
    }
    asked = [check for check in passed if check in settings.checks or check == "parsed"]
    return next((check for check in asked if not passed[check]), None)


def _same(answers: Answers, answer: str | None, gold: str) -> bool:
    try:
        return answer is not None and answers.same(answer, gold)
    except GradingTimeout:
        return False
