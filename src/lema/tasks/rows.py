"""Questions of your own: any JSONL, CSV or TSV file with named columns.

One design decision: a row is brought into one form when it is read: choices become lines "(A) ..." of the
question's text and a letter answer is the letter, so that every stage and prompt sees the whole question.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from lema import plugins
from lema.errors import DataError
from lema.grading import Conventions, Reading, is_maths, read, read_letter, read_value, same
from lema.messages import Message
from lema.prompting import find_prompt
from lema.records import Question
from lema.replies import answer_sentence, drop_calculator_marks, number_steps, split_steps
from lema.tasks import Answers
from lema.tasks._choices import choices_of, letter_of, with_choices
from lema.tasks._files import Row, held_out, numbered, once, read_file, text_of
from lema.tasks._sets import laid_over


class Columns(plugins.Settings):
    """[task.columns]: what the columns of the files are called."""

    question: str = "question"
    answer: str = "answer"
    solution: str | None = Field(default=None, description="a worked solution; may be empty in some rows")
    level: str | None = Field(default=None, description='a difficulty: 3 or "Level 3"')
    choices: str | None = Field(default=None, description='a list; in CSV "a|b|c" or a JSON list')
    id: str | None = Field(default=None, description="an id, only checked to be unique")


class Settings(plugins.Settings):
    """[task] for name = "rows": a file per split and what its columns are called."""

    train: str | None = Field(default=None, description="JSONL, CSV or TSV file")
    dev: str | int | None = Field(default=None, description="a file, or how many rows to hold out of train")
    test: str | None = None
    columns: Columns = Columns()
    answers: Literal["number", "expression", "text", "letter"] = Field(
        default="number", description="what an answer is; expression: LaTeX; letter: of one of the choices")
    conventions: Conventions | None = Field(
        default=None, description="which answers count as the same, like { decimals = 2 }")
    repeated: Literal["refused", "kept"] = Field(
        default="refused", description="what becomes of a question that stands in a file twice")
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
        found = ((row, text_of(row, column, "no id") if column else None, self._question(row, split))
                 for row in self._rows(split))
        return islice((once if self.settings.repeated == "refused" else numbered)(found), limit)

    def prompt(self, question: Question) -> list[Message]:
        """What trained models are asked and trained on; [sample] may name a few-shot prompt for untrained ones."""
        return [Message("user", self._prompt.render(question=question.text))]

    def read(self, text: str, choices: Sequence[str] = ()) -> Reading:
        """The last stated number, expression, text or letter; a choice's text too where `choices` are known."""
        if self.settings.answers == "letter":
            return read(text, task="choice", choices=choices) if choices else read_letter(text)
        return read(text, task=self.settings.answers)

    def same(self, answer: str, gold: str, choices: Sequence[str] = ()) -> bool:
        """Equality of numbers, of expressions, of words, or of choices."""
        kind = "choice" if self.settings.answers == "letter" else self.settings.answers
        conventions = laid_over(kind, self.settings.conventions)
        return same(answer, gold, task=kind, conventions=conventions, choices=choices)

    def choosing(self, choices: Sequence[str]) -> Answers:
        """The same two calls for a question with these choices."""
        return Answers(partial(self.read, choices=choices), partial(self.same, choices=choices))

    def _rows(self, split: str) -> Iterator[Row]:
        dev, train = self.settings.dev, self.settings.train
        if isinstance(dev, int) and split in ("train", "dev"):
            held = held_out(self._named(train), (self.settings.columns.question,), dev)
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
        choices = choices_of(row, columns.choices) if columns.choices else ()
        answer = self._answer(row, choices)
        return Question(text=with_choices(text, choices), answer=answer, solution=self._solution(row, answer),
                        split=split, level=_level(row, columns.level), choices=choices, source=row.short)

    def _answer(self, row: Row, choices: tuple[str, ...]) -> str:
        answer = text_of(_alone(row, self.settings.columns.answer), self.settings.columns.answer,
                         "question without an answer")
        if self.settings.answers == "number" and read_value(answer) is None and not is_maths(answer):
            raise DataError(f'{row.place}: the answer {answer[:40]!r} is not a number; set answers = "text", or '
                            "take the row out")
        if self.settings.answers != "letter":
            return answer
        return letter_of(row, answer, choices)

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
    return DataError(f"{row.place}: no column {name!r}{plugins.near_miss(name, list(known))} "
                     "([task.columns] says what the columns are called)")


def _alone(row: Row, column: str) -> Row:
    """The row with an answer that is a list of one taken out of its list."""
    value = row.values[column]
    if not isinstance(value, list) or len(value) != 1:
        return row
    return row._replace(values={**row.values, column: value[0]})


def _level(row: Row, column: str | None) -> int | None:
    value = row.values.get(column) if column else None
    if value in (None, ""):
        return None
    digits = re.search(r"-?[0-9]{1,6}", str(value))
    if digits is None:
        raise DataError(f"{row.place}: level {str(value)[:40]!r} holds no number; mend it or unset columns.level")
    return int(digits[0])
