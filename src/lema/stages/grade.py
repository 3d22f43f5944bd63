"""Verdicts: every path's final answer read and compared with the gold one.

One design decision: grading adds a verdict and takes nothing away; whoever wants the pool of mistakes filters
for `wrong`, and everything else stays countable.
"""

import dataclasses
from collections.abc import Iterable, Iterator

from lema.grading import grade_path
from lema.records import Question, ReasoningPath
from lema.tools import Tools

VERSION = 1


def grade(tools: Tools, settings: None, questions: Iterable[Question],
          paths: tuple[Iterable[ReasoningPath], ...]) -> Iterator[ReasoningPath]:
    """The same paths with verdict, answer and how it was found."""
    gold = {question.id: question.answer for question in questions}
    done = 0
    for several in paths:
        for path in several:
            graded = grade_path(path.text, gold[path.question], finish=path.finish,
                                read=tools.task.read, same=tools.task.same)
            done += 1
            tools.show(done)
            yield dataclasses.replace(path, verdict=graded.verdict, answer=graded.answer, how=graded.how)
