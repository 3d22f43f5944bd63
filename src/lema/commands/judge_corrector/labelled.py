"""Mistakes whose first wrong step is known: from files of labelled paths, or planted in problems of the lab.

One design decision: one record for both; what makes them differ is how a correction is told good from bad, and
that is asked of the record (`is_bad`).
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lema import grading
from lema.errors import DataError
from lema.records import Question
from lema.replies import rejoin, split_steps


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A path and what people (or the lab) say of it. `first_error` is 1-based; None where every step is right."""

    id: str
    source: str
    question: str
    gold: str
    steps: tuple[str, ...]
    first_error: int | None
    reason: str = ""
    corrected_step: str = ""
    proves: Callable[[tuple[str, ...]], bool] | None = field(default=None, compare=False)

    @property
    def as_question(self) -> Question:
        """The question as backends that replay look for it: by text, or by the id of this row."""
        return Question(id=self.id, text=self.question, answer=self.gold or "?")

    def is_bad(self, step: int, corrected: tuple[str, ...], begins: int | None = None) -> bool:
        """Whether a correction that names this step is known to be bad: another step than the first wrong one, or,
        where that can be proved, a corrected path that is not right. `begins` is the number of the first corrected
        step, where it is an earlier one."""
        if step != self.first_error:
            return True
        begins = min(step, begins or step)
        return bool(self.proves and corrected and not self.proves(rejoin(self.steps, begins, corrected)))

    def read(self, text: str) -> grading.Reading:
        """The final answer of a text, as answers to this question are written."""
        return _reading(self.gold)[0](text)

    def same(self, answer: str) -> bool:
        """Whether it is the gold answer."""
        return _reading(self.gold)[1](answer, self.gold)


def read_labelled(path: Path) -> Iterator[Labelled]:
    """The rows of a JSONL file with question, steps and first_error_step (0-based, null where all is right);
    id, source, subset, gold_answer, error_reason and corrected_step where there are any. DataError names a row
    gone bad."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: a JSON text may hold U+2028
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); give a JSONL file of labelled paths") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _row(line, f"{path}:{number}", path.stem)


def planted(count: int, seed: int, levels: tuple[int, ...] = (1, 2, 3, 4, 5)) -> Iterator[Labelled]:
    """`count` problems of the lab with one planted mistake each, every fifth or so a right path instead."""
    from lema.tasks.lab import Settings, Task
    from lema.tasks.lab.mistakes import plant
    from lema.tasks.lab.problems import worked_steps
    from lema.tasks.lab.review import review
    from lema.tasks.lab.wording import parse

    task = Task(Settings(seed=seed, train=count, worked=0, dev=0, test=0, levels=levels))
    rng = random.Random(f"judged {seed}")
    for question in task.questions("train"):
        problem = parse(question.text)
        wrong = plant(rng, problem) if rng.random() < 0.8 else None
        yield Labelled(
            id=question.id, source=f"lab level {question.level}", question=question.text, gold=question.answer,
            steps=wrong.steps if wrong else worked_steps(problem), first_error=wrong.step if wrong else None,
            proves=lambda steps, problem=problem: review(problem, steps) is None)


def _row(line: str, place: str, stem: str) -> Labelled:
    try:
        row = json.loads(line)
        steps = tuple(map(_bare, row["steps"]))
        first = row["first_error_step"]
        if not isinstance(row["question"], str) or not (first is None or 0 <= first < len(steps)):
            raise ValueError("first_error_step must be null or the place of a step, counted from 0")
    except (ValueError, KeyError, TypeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else error
        raise DataError(f"{place}: not a labelled path ({reason}); give question, steps, "
                        "first_error_step") from None
    source = "/".join(str(row[key]) for key in ("source", "subset") if row.get(key)) or stem
    return Labelled(id=str(row.get("id") or place), source=source, question=row["question"],
                    gold=_text(row.get("gold_answer")), steps=steps,
                    first_error=None if first is None else first + 1, reason=_text(row.get("error_reason")),
                    corrected_step=_bare(_text(row.get("corrected_step"))))


def _bare(step: str) -> str:
    """A step in one line, without its number."""
    return " ".join(split_steps(step)) if step.strip() else step.strip()


def _text(value: object) -> str:
    if isinstance(value, list):
        return next(filter(None, map(_text, value)), "")
    return "" if value is None else str(value).strip()


@cache
def _reading(gold: str) -> tuple[Callable[[str], grading.Reading], Callable[[str, str], bool]]:
    if len(gold) == 1 and gold in "ABCDEFGHIJ":
        return grading.read_letter, grading.same_letter
    if grading.read_value(gold) is not None or grading.is_maths(gold):
        return grading.read_number, grading.same_number
    return grading.read_text, grading.same_text
