"""Training questions that stand among those of an examination, found by their words, refused or left out.

    {"text": "MIA has 3 pens …", "split": "train"} → {…, "split": "left out", "rejected": "leak: already … (test)"}

One design decision: what is left out stays as a row that says where else it stands, so that the funnel counts it;
it is of no split any more, so that nothing that looks for training questions meets it.
"""

import dataclasses
from collections.abc import Iterable, Iterator

from lema.config import LeaksConfig
from lema.decontamination import Overlap
from lema.errors import DataError
from lema.records import Question
from lema.runs.context import StageContext

VERSION = 1
LEFT_OUT = "left out"


def find_leaks(context: StageContext, settings: LeaksConfig, questions: Iterable[Question],
               sets: tuple[Iterable[Question], ...] = ()) -> Iterator[Question]:
    """The questions, those for training held against dev, test and every further test set. DataError with the
    first that is there and how many are, unless such are to be dropped."""
    examined = Overlap(settings.ways)
    for question in questions:
        if question.split != "train":
            examined.learn(question.split, [question.text])
    for name, others in zip(settings.sets, sets, strict=True):
        examined.learn(f"test set {name}", (question.text for question in others))
    first, leaks = "", 0
    for done, question in enumerate(questions, 1):
        reason = examined.reason(question.text) if question.split == "train" else ""
        if reason:
            leaks += 1
            first = first or f"{question.source}: {reason}"
            question = dataclasses.replace(question, split=LEFT_OUT, rejected=f"leak: {reason}")
        if settings.then == "drop" or not leaks:
            yield question
        context.show(done)
    if leaks and settings.then == "refuse":
        plural, ways = "s" * (leaks > 1), ", ".join(settings.ways)
        raise DataError(f"{first}; {leaks:,} training question{plural} in all would be examined, by {ways}: take "
                        'them out, or leave them out of the training with leaks.then = "drop"')
