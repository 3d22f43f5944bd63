"""Questions of your own: any JSONL, CSV or TSV file with named columns.

One design decision: a row is brought into one form when it is read: choices become lines "(A) ..." of the
question's text and a letter answer is the letter, so that every stage and prompt sees the whole question.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from lema import seams
from lema.errors import DataError
from lema.grading import (
    Reading,
    is_maths,
    read_letter,
    read_number,
    read_text,
    read_value,
    same_letter,
    same_number,
    same_text,
)
from lema.models import Message
from lema.prompting import find_prompt
from lema.records import Question
from lema.steps import answer_sentence, drop_calculator_marks, number_steps, split_steps
from lema.tasks._files import Row, held_out, once, read_file, text_of

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_READ = {"number": read_number, "text": read_text, "letter": read_letter}
_SAME = {"number": same_number, "text": same_text, "letter": same_letter}
_LABEL = re.compile(r"\s*\(?([A-Za-z])[).:]\s*")


class Columns(seams.Settings):
    """[task.columns]: what the columns of the files are called."""

    question: str = "question"
    answer: str = "answer"
    solution: str | None = Field(default=None, description="a worked solution; may be empty in some rows")
    level: str | None = Field(default=None, description='a difficulty: 3 or "Level 3"')
    choices: str | None = Field(default=None, description='a list; in CSV "a|b|c" or a JSON list')
    id: str | None = Field(default=None, description="an id, only checked to be unique")


class Settings(seams.Settings):
    """[task] for name = "rows": a file per split and what its columns are called."""

    train: str | None = Field(default=None, description="JSONL, CSV or TSV file")
    dev: str | int | None = Field(default=None, description="a file, or how many rows to hold out of train")
    test: str | None = None
    columns: Columns = Columns()
    answers: Literal["number", "text", "letter"] = Field(
        default="number", description="what an answer is; letter: of one of the choices")
    prompt: str = Field(default="zero_shot", description="a shipped prompt's name, or a file of your own")

    def files(self) -> tuple[Path, ...]:
        return tuple(Path(name) for name in (self.train, self.dev, self.test) if isinstance(name, str))

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if not self.train and not self.test:
            raise ValueError("no questions: give train and test files")
        if isinstance(self.dev, int) and (self.dev < 1 or not self.train):
            raise ValueError("dev as a number holds rows out of train: give train, and a number of at least 1")
        if self.answers == "letter" and not self.columns.choices:
            raise ValueError('answers = "letter" needs columns.choices')
        return self


class Task:
    """The question set."""

    name = "rows"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.splits = tuple(split for split in ("train", "dev", "test") if getattr(settings, split))
        self._prompt = find_prompt(settings.prompt, self.name)

    def questions(self, split: str, limit: int | None = None) -> Iterator[Question]:
        """The questions of a split in the order of its file."""
        column = self.settings.columns.id
        return islice(once((row, text_of(row, column, "no id") if column else None, self._question(row, split))
                           for row in self._rows(split)), limit)

    def prompt(self, question: Question) -> list[Message]:
        """What trained models are asked and trained on; [sample] may name a few-shot prompt for untrained ones."""
        return [Message("user", self._prompt.render(question=question.text))]

    def read(self, text: str) -> Reading:
        """The last stated number, text or letter."""
        return _READ[self.settings.answers](text)

    def same(self, answer: str, gold: str) -> bool:
        """Equality of numbers, of words, or of letters."""
        return _SAME[self.settings.answers](answer, gold)

    def _rows(self, split: str) -> Iterator[Row]:
        dev, train = self.settings.dev, self.settings.train
        if isinstance(dev, int) and split in ("train", "dev"):
            held = held_out(self._named(train), self.settings.columns.question, dev)
            return (row for row in self._named(train) if (row.place in held) == (split == "dev"))
        return self._named(getattr(self.settings, split))

    def _named(self, path: str) -> Iterator[Row]:
        """The file's rows, checked to have the columns that the settings name. JSON rows may leave out what they
        do not have, but not question, answer or choices; and a column that no row has is a mistake too."""
        columns = self.settings.columns
        needed = [name for name in (columns.question, columns.answer, columns.choices) if name]
        wanted = [name for name in columns.model_dump().values() if name]
        seen: dict[str, None] = {}
        row = None
        for row in read_file(path):
            seen.update(dict.fromkeys(row.values))
            if absent := [name for name in needed if name not in row.values]:
                raise _no_column(row, absent[0], row.values)
            yield row
        if row is not None and (absent := [name for name in wanted if name not in seen]):
            raise _no_column(row, absent[0], seen)

    def _question(self, row: Row, split: str) -> Question:
        columns = self.settings.columns
        text = text_of(row, columns.question, "no question")
        choices = _choices(row, columns.choices) if columns.choices else ()
        answer = self._answer(row, choices)
        lines = [text, *(f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))]
        return Question(text="\n".join(lines), answer=answer, solution=self._solution(row, answer), split=split,
                        level=_level(row, columns.level), choices=choices, source=row.short)

    def _answer(self, row: Row, choices: tuple[str, ...]) -> str:
        answer = text_of(row, self.settings.columns.answer, "question without an answer")
        if self.settings.answers == "number" and read_value(answer) is None and not is_maths(answer):
            raise DataError(f'{row.place}: the answer {answer[:40]!r} is not a number; set answers = "text", or '
                            "take the row out")
        if self.settings.answers != "letter":
            return answer
        letter = answer.strip("() .").upper()
        if len(letter) == 1 and letter in LETTERS[:len(choices)]:
            return letter
        if choices.count(answer) == 1:
            return LETTERS[choices.index(answer)]
        raise DataError(f"{row.place}: the answer {answer[:40]!r} is neither a letter nor one of the "
                        f"{len(choices)} choices; mend the row")

    def _solution(self, row: Row, answer: str) -> str | None:
        """The worked solution as numbered steps, closed by the answer sentence where it does not state it."""
        column = self.settings.columns.solution
        if column is None or row.values.get(column) in (None, ""):
            return None
        steps = split_steps(drop_calculator_marks(text_of(row, column, "no solution")))
        stated = self.read(steps[-1] if steps else "")
        closed = bool(steps) and steps[-1].lower().startswith("the answer is ")
        if not closed or stated.answer is None or not self.same(stated.answer, answer):
            steps = (*steps, answer_sentence(f"({answer})" if self.settings.answers == "letter" else answer))
        return number_steps(steps)


def _no_column(row: Row, name: str, known: Iterable[str]) -> DataError:
    return DataError(f"{row.place}: no column {name!r}{seams.near_miss(name, list(known))} "
                     "([task.columns] says what the columns are called)")


def _choices(row: Row, column: str) -> tuple[str, ...]:
    value = row.values[column]
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split("|")
        except ValueError:
            value = None
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(v, str | int | float) for v in value):
        raise DataError(f'{row.place}: {column} must be a list of at least two choices, or "a|b|c"; mend the row')
    if len(value) > len(LETTERS):
        raise DataError(f"{row.place}: {len(value)} choices; there are letters for {len(LETTERS)}")
    texts = [str(choice).strip() for choice in value]
    labels = [_LABEL.match(text) for text in texts]
    if all(label and label[1].upper() == letter for label, letter in zip(labels, LETTERS, strict=False)):
        texts = [text[label.end():] for text, label in zip(texts, labels, strict=True)]
    return tuple(texts)


def _level(row: Row, column: str | None) -> int | None:
    value = row.values.get(column) if column else None
    if value in (None, ""):
        return None
    digits = re.search(r"-?[0-9]{1,6}", str(value))
    if digits is None:
        raise DataError(f"{row.place}: level {str(value)[:40]!r} holds no number; mend it or unset columns.level")
    return int(digits[0])
