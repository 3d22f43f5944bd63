"""Verdicts: every path's final answer read and compared with the gold one.

    {"model": "student", "text": "Step 1: The answer is 8 = 7.", …} → {… "verdict": "wrong", "answer": "8", …}

One design decision: grading adds a verdict and takes nothing away; whoever wants the pool of mistakes filters
for `wrong`, and everything else stays countable.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from itertools import chain

from lema.records import Question, ReasoningPath
from lema.runs.context import StageContext
from lema.scratch import by_id

VERSION = 5


def grade(context: StageContext, settings: None, questions: Iterable[Question],
          paths: tuple[Iterable[ReasoningPath], ...]) -> Iterator[ReasoningPath]:
    """The same paths with verdict, answer and how it was found."""
    done = 0
    with by_id(context.folder, Question, questions) as texts:
        pairs = ((path, texts.get(path.question)) for path in chain.from_iterable(paths))
        for path, (verdict, answer, how) in context.verdicts(pairs):
            done += 1
            context.show(done)
            yield dataclasses.replace(path, verdict=verdict, answer=answer, how=how)
