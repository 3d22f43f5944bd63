"""Questions: read from the task, checked once, so that no later stage meets a row it cannot use.

    train.jsonl: {"question": "At the fair…", "answer": "14"} → {"text": "At the fair…", "split": "train", …}

One design decision: all splits go into one folder, each question marked with its own, so that everything after
it names one input and leaks between splits can be seen in one place.
"""

from collections.abc import Iterator
from itertools import chain

from lema.config import Config
from lema.decontamination import normal
from lema.errors import DataError
from lema.plugins import Settings, find, settings_of
from lema.records import Question, content_id
from lema.runs.context import StageContext
from lema.scratch import IdTable
from lema.tasks import Task

VERSION = 1


def task_settings(config: Config) -> Settings:
    """The task's own table, checked by the task's module."""
    module = find("tasks", config.task.name, "Task", "task.name")
    return settings_of(module.Settings, config.task.own, "task")


def load(context: StageContext, settings: Settings) -> Iterator[Question]:
    """The task's questions, train, dev and test in turn. DataError on an empty answer, a repeated question,
    and one that stands in two splits, however it is set: who trained on it knows its answer."""
    done = train = 0
    with IdTable(context.folder) as seen, IdTable(context.folder) as texts:
        for question in _every(context.task):
            if not question.answer.strip():
                raise DataError(f"{question.source}: question without an answer; add one or take the row out")
            if not seen.add(question.id):
                _refuse(question, filter(lambda first: first.id == question.id, _every(context.task)))
            words = _words(question)
            if any(f"{split} {words}" in texts for split in context.task.splits if split != question.split):
                _refuse(question, filter(lambda first: first.split != question.split and _words(first) == words,
                                         _every(context.task)))
            texts.add(f"{question.split} {words}")
            yield question
            done, train = done + 1, train + (question.split == "train")
            context.show(done)
    if not train:
        raise DataError(f"task {context.task.name}: no training questions; check the [task] table")


def load_set(context: StageContext, settings: Settings) -> Iterator[Question]:
    """The dev and test questions of a set that models are examined on; it may stand for nothing else. DataError on
    an empty answer. A question that a published set holds twice is asked twice, as elsewhere."""
    task, done = context.task, 0
    for split in filter(task.splits.__contains__, ("dev", "test")):
        for question in task.questions(split):
            if not question.answer.strip():
                raise DataError(f"{question.source}: question without an answer; add one or take the row out")
            yield question
            done += 1
            context.show(done)
    if not done:
        raise DataError(f"task {task.name}: no test questions; name a file of them with test = in its table")


def _refuse(question: Question, twins: Iterator[Question]) -> None:
    twin = next(twins)
    raise DataError(f"{question.source}: the same question as {twin.source} ({question.split} and {twin.split}); "
                    "take one of them out")


def _words(question: Question) -> str:
    """A question without case, accents, spaces and punctuation, as a key. Brackets count, for they change what is
    to be calculated; a text without words is itself."""
    words = normal(question.text) or question.text.split()
    return content_id(words, question.text.count("("))


def _every(task: Task) -> Iterator[Question]:
    """The questions of all splits in turn."""
    return chain.from_iterable(map(task.questions, task.splits))
