"""Questions of your own: any JSONL, CSV or TSV file with named columns.

    in   {"question": "What is 3 + 8?", "answer": "11"}
    out  {"text": "What is 3 + 8?", "answer": "11", "solution": null}

One design decision: a row is brought into one form when it is read: choices become lines "(A) ..." of the
question's text and a letter answer is the letter, so that every stage and prompt sees the whole question.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from lema import plugins
from lema.errors import DataError
from lema.grading import Conventions, Reading, is_maths, read, read_letter, read_value, same
from lema.records import Question
from lema.replies import answer_sentence, drop_calculator_marks, number_steps, split_steps
from lema.tasks._choices import ChoiceSet, choices_of, letter_of, with_choices
from lema.tasks._files import FileRow, read_file, text_of
from lema.tasks._sets import NO_ROWS_TO_HOLD, SplitFiles, laid_over


class RowColumns(plugins.Settings):
    """[task.columns]: what the columns of the files are called."""

    question: str = "question"
    answer: str = "answer"
    solution: str | None = Field(default=None, description="a worked solution; may be empty in some rows")
    level: str | None = Field(default=None, description='a difficulty: 3 or "Level 3"')
    choices: str | None = Field(default=None, description='a list; in CSV "a|b|c" or a JSON list')
    id: str | None = Field(default=None, description="an id, only checked to be unique")


class Settings(SplitFiles):
    """[task] for name = "rows": a file per split and what its columns are called."""

    train: str | None = Field(default=None, description="JSONL, CSV or TSV file")
    dev: str | int | None = Field(default=None, description="a file, or how many rows to hold out of train")
    test: str | None = None
    columns: RowColumns = RowColumns()
    answers: Literal["number", "expression", "text", "letter"] = Field(
        default="number", description="what an answer is; expression: LaTeX; letter: of one of the choices")
    conventions: Conventions | None = Field(
        default=None, description="which answers count as the same, like { decimals = 2 }")
    repeated: Literal["refused", "kept"] = Field(
        default="refused", description="what becomes of a question that stands in a file twice")
    prompt: str = Field(default="zero_shot", description="a shipped prompt's name, or a file of your own")

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if not self.train and not self.test:
            raise ValueError("no questions: give train and test files")
        if isinstance(self.dev, int) and (self.dev < 1 or not self.train):
            raise ValueError(NO_ROWS_TO_HOLD)
        if self.answers == "letter" and not self.columns.choices:
            raise ValueError('answers = "letter" needs columns.choices')
        return self


class Task(ChoiceSet):
    """The question set."""

    name = "rows"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.repeated, self.held_by = settings.repeated, (settings.columns.question,)

    def id_of(self, row: FileRow) -> object:
        """What the column of ids holds, where there is one."""
        column = self.settings.columns.id
        return text_of(row, column, "no id") if column else None

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

    def _source(self, split: str) -> Iterator[FileRow]:
        """The file's rows, checked to have the columns that the settings name. JSON rows may leave out what they
        do not have, but not question, answer or choices; and a column that no row has is a mistake too."""
        columns = self.settings.columns
        needed = tuple(filter(None, (columns.question, columns.answer, columns.choices)))
        wanted = tuple(filter(None, columns.model_dump().values()))
        seen: dict[str, None] = {}
        row = None
        for row in read_file(self.settings.sources[split]):
            seen.update(dict.fromkeys(row.values))
            _check_columns(row, needed, row.values)
            yield row
        if row is not None:
            _check_columns(row, wanted, seen)

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question, its choices as lines below it."""
        columns = self.settings.columns
        text = text_of(row, columns.question, "no question")
        choices = choices_of(row, columns.choices) if columns.choices else ()
        answer = self._answer(row, choices)
        return Question(text=with_choices(text, choices), answer=answer, solution=self._solution(row, answer),
                        split=split, level=_level(row, columns.level), choices=choices, source=row.short)

    def _answer(self, row: FileRow, choices: tuple[str, ...]) -> str:
        column, kind = self.settings.columns.answer, self.settings.answers
        if isinstance(row.values[column], list) and len(row.values[column]) == 1:  # a list of one answer
            row = row._replace(values={**row.values, column: row.values[column][0]})
        answer = text_of(row, column, "question without an answer")
        if kind == "number" and read_value(answer) is None and not is_maths(answer):
            raise DataError(f'{row.place}: the answer {answer[:40]!r} is not a number; set answers = "text", or '
                            "take the row out")
        return letter_of(row, answer, choices) if kind == "letter" else answer

    def _solution(self, row: FileRow, answer: str) -> str | None:
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


def _check_columns(row: FileRow, names: Collection[str], there: Collection[str]) -> None:
    for name in names:
        if name not in there:
            raise DataError(f"{row.place}: no column {name!r}{plugins.near_miss(name, list(there))} "
                            "([task.columns] says what the columns are called)")


def _level(row: FileRow, column: str | None) -> int | None:
    value = row.values.get(column) if column else None
    if value in (None, ""):
        return None
    digits = re.search(r"-?[0-9]{1,6}", str(value))
    if digits is None:
        raise DataError(f"{row.place}: level {str(value)[:40]!r} holds no number; mend it or unset columns.level")
    return int(digits[0])
