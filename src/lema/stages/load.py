"""Questions: read from the task, checked once, so that no later stage meets a row it cannot use.

One design decision: all splits go into one folder, each question marked with its own, so that everything after
it names one input and leaks between splits can be seen in one place.
"""

from collections.abc import Iterator

from pydantic import BaseModel

from lema.errors import DataError
from lema.records import Question
from lema.tools import Tools

VERSION = 1


def load(tools: Tools, settings: BaseModel) -> Iterator[Question]:
    """The task's questions, train, dev and test in turn. DataError on an empty answer or a repeated question."""
    seen: dict[str, Question] = {}
    for split in tools.task.splits:
        for question in tools.task.questions(split):
            if not question.answer.strip():
                raise DataError(f"{question.source}: question without an answer; add one or take the row out")
            twin = seen.setdefault(question.id, question)
            if twin is not question:
                raise DataError(f"{question.source}: the same question as {twin.source} ({question.split} and "
                                f"{twin.split}); take one of them out")
            yield question
            tools.show(len(seen))
    if not any(question.split == "train" for question in seen.values()):
        raise DataError(f"task {tools.task.name}: no training questions; check the [task] table")
