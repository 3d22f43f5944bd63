"""Verified corrections: which of them may be trained on, and for each other one why not.

    {"step": 1, "steps": ["Sam = Mia * 2 = 7 * 2 = 14.", "The answer is 14."], …} → {… "verified": true, …}

One design decision: a check is a small function from a correction to yes or no (lema.checks), named in the config;
the first that fails is the reason that the row carries, so the funnel is counted from rows.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path

from lema.checks import CHECK, Checked, failed
from lema.config import Config, VerifyConfig
from lema.config.stages import VerifyOneConfig
from lema.records import Correction, Question, ReasoningPath, content_id
from lema.replies import split_steps
from lema.runs.context import StageContext
from lema.runs.ratings import BY_HAND, rejections
from lema.scratch import IdTable, by_id
from lema.tasks import answers_to

VERSION = 8

NO_MISTAKE = "its path is not wrong"
ANOTHER_KEPT = "another correction of this mistake is kept"
ANOTHER_STEP = "names another step than most replies"


def verifying(config: Config, run: Path, name: str) -> VerifyOneConfig:
    """What the stage of that name depends on: the table [verify], and which of its rows people rejected."""
    return VerifyOneConfig(**config.verify.model_dump(), by_hand=rejections(run, name))


def verify(context: StageContext, settings: VerifyConfig, questions: Iterable[Question],
           graded: Iterable[ReasoningPath], corrections: Iterable[Correction],
           imported: tuple[Iterable[Correction], ...] = ()) -> Iterator[Correction]:
    """The same corrections with `answer`, `verified` and, where one is not kept, `rejected`. Corrections of one
    mistake stand behind each other. An imported correction of a path that is not wrong is rejected for that."""
    done, wrong = 0, filter(lambda path: path.verdict == "wrong", graded)
    with (by_id(context.folder, Question, questions) as texts,
          by_id(context.folder, ReasoningPath, wrong) as mistakes, IdTable(context.folder) as seen):
        for path, several in groupby(chain(corrections, *imported), key=attrgetter("path")):
            mistake = mistakes.get(path)
            steps = split_steps(mistake.text) if mistake else None
            judged = [_judged(context, settings, correction, steps, texts.get(correction.question), seen)
                      for correction in several]
            done += len(judged)
            context.show(done)
            yield from _kept(settings.keep, judged)


def _judged(context: StageContext, settings: VerifyConfig, correction: Correction,
            mistake: tuple[str, ...] | None, question: Question, seen: IdTable) -> Correction:
    """The correction with its answer and the first check that it fails. What passes is entered in `seen`."""
    key = content_id(question.id, (mistake or ())[:correction.step or 0], correction.explanation, correction.steps)
    answers = answers_to(context.task, question.choices)
    checked = Checked.of(correction, mistake or (), question, answers, key in seen)
    answer = checked.correction.answer
    if mistake is None:
        rejected = correction.rejected or NO_MISTAKE
        return dataclasses.replace(correction, answer=answer, verified=False, rejected=rejected)
    reasons = failed(checked, settings.checks)
    if not reasons:
        seen.add(key)
    if not reasons and not correction.rejected and correction.id in getattr(settings, "by_hand", ()):
        return dataclasses.replace(correction, answer=answer, verified=False, rejected=BY_HAND)
    return dataclasses.replace(correction, answer=answer, verified=not reasons,
                               rejected=correction.rejected or (CHECK[reasons[0]].reason if reasons else ""))


def _kept(rule: str, judged: Sequence[Correction]) -> Iterator[Correction]:
    """Of the verified corrections of one mistake all, the first, or the first of those that name the step that
    most of its readable replies name."""
    named = Counter(map(attrgetter("step"), filter(attrgetter("steps"), judged)))
    most, kept = max(named.values(), default=0), False
    for correction in judged:
        reason = ANOTHER_KEPT if kept and rule != "all" else ""
        if rule == "majority" and named[correction.step] < most:
            reason = ANOTHER_STEP
        if correction.verified and reason:
            correction = dataclasses.replace(correction, verified=False, rejected=reason)
        kept |= bool(correction.verified)
        yield correction
