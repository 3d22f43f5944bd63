"""A task: a question set, how to ask it, how to read an answer and when two answers are the same.

One design decision: everything that differs between question sets stands behind these four calls; stages know
nothing of arithmetic or letters. A new task is one module with a `Settings` and a `Task` (docs/guide.md).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from lema.grading import Grade, GradingTimeout, Reading, false_equation, grade_path
from lema.messages import Message
from lema.plugins import find, settings_of
from lema.records import Question, ReasoningPath


class Task(Protocol):
    """What a task module's `Task(settings)` must do. `tests/contracts/test_tasks.py` asks it of every one."""

    name: str  # also the folder of its own prompts: prompts/<name>/
    splits: tuple[str, ...]  # which of train, dev, test it has

    def questions(self, split: str, limit: int | None = None) -> Iterator[Question]:
        """The questions of a split, always the same in the same order. DataError names file and line."""

    def prompt(self, question: Question) -> list[Message]:
        """What a model is asked, so that it solves the question step by step: one user message, because the same
        text is also what a training example has before its completion."""

    def read(self, text: str) -> Reading:
        """The final answer that a reasoning path states."""

    def same(self, answer: str, gold: str) -> bool:
        """Whether a stated answer equals the gold one. Raises GradingTimeout (lema.grading) if undecidable."""


class Answers(NamedTuple):
    """How the answers to one question are read and compared."""

    read: Callable[[str], Reading]
    same: Callable[[str, str], bool]

    def agree(self, answer: str, other: str) -> bool:
        """Whether two answers are the same; what cannot be decided is not."""
        try:
            return self.same(answer, other)
        except GradingTimeout:
            return False


def answers_to(task: Task, choices: tuple[str, ...]) -> Answers:
    """The task's two calls; where it offers `choosing(choices)`, a question's choices are known to them."""
    if choices and hasattr(task, "choosing"):
        return task.choosing(choices)
    return Answers(task.read, task.same)


def verdict_on(path: ReasoningPath, question: Question, task: Task) -> Grade:
    """What the task makes of one path: its answer read and compared with the gold one."""
    answers = answers_to(task, question.choices)
    return grade_path(path.text, question.answer, finish=path.finish, read=answers.read, same=answers.same)


def fault_in(task: Task, question: Question, steps: Sequence[str]) -> str:
    """What is wrong with a path's steps, in a word or two; "" where nothing is seen. A task may offer its own
    review, `fault(question, steps)`; elsewhere the first false equation is all that can be told."""
    if hasattr(task, "fault"):
        return task.fault(question, steps)
    return "false equation" if false_equation(steps) else ""


def find_task(name: str, table: dict) -> Task:
    """The task called `name` (or at that dotted path), built from its settings table."""
    module = find("tasks", name, "Task", "task.name")
    return module.Task(settings_of(module.Settings, table, "task"))
