"""What question sets of files or published datasets share: splits, held-out rows, repeated rows, the prompt.

One design decision: a set says only how one row becomes a question (`question_of`) and, where there are several
forms, which rows belong to it (`row_of`); where rows come from is settled here, once for all.
"""

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import ClassVar, Literal, get_args

from pydantic import Field, model_validator

from lema import plugins
from lema.grading import KINDS, Conventions, Reading, read, same
from lema.messages import Message
from lema.prompting import find_prompt
from lema.records import Question
from lema.tasks._files import FileRow, held_out, numbered, once, published, read_file

Split = Literal["train", "dev", "test"]
NO_ROWS_TO_HOLD = "dev as a number holds rows out of train: give train, and a number of at least 1"


def laid_over(kind: str, given: Conventions | None) -> Conventions:
    """An answer kind's conventions, with those that were named laid over them."""
    own = KINDS[kind].conventions
    return own.model_copy(update=given.model_dump(exclude_unset=True)) if given else own


class SplitFiles(plugins.Settings):
    """Base of the tables that name a file per split; `dev` may be a number of rows instead."""

    @property
    def named(self) -> dict[str, str]:
        """Split to its file; without rows held out."""
        names = {split: getattr(self, split) for split in get_args(Split)}
        return {split: name for split, name in names.items() if name and isinstance(name, str)}

    @property
    def sources(self) -> dict[str, str]:
        """Where the rows of each split come from."""
        return self.named

    def files(self) -> tuple[Path, ...]:
        return tuple(map(Path, self.named.values()))


class Source(SplitFiles):
    """A question set's table: files of your own, or a Hugging Face dataset with the same columns."""

    PUBLISHED: ClassVar[dict[str, str]] = {"train": "train", "test": "test"}
    """What the published dataset calls its splits."""

    train: str | None = Field(default=None, description="file of training questions (JSONL, CSV or TSV)")
    dev: str | int | None = Field(default=None, description="file, or how many rows to hold out of train")
    test: str | None = Field(default=None, description="file of test questions")
    dataset: str | None = Field(default=None, description="instead of files: a Hugging Face dataset id")
    subset: str | None = Field(default=None, description='its configuration, like "main"')
    splits: dict[Split, str] | None = Field(
        default=None, description='what the dataset calls its splits, like { test = "validation" }')
    prompt: str = Field(default="zero_shot", description="a shipped prompt's name, or a file of your own")
    conventions: Conventions | None = Field(
        default=None, description="which answers count as the same, laid over the task's own")

    @property
    def sources(self) -> dict[str, str]:
        """Split to the file, or to the dataset's name of it; without rows held out."""
        return dict(self.splits or self.PUBLISHED) if self.dataset else self.named

    @model_validator(mode="after")
    def _has_questions(self) -> "Source":
        if self.dataset and (self.train or self.test or isinstance(self.dev, str)):
            raise ValueError("give files (train, dev, test) or a dataset, not both")
        if self.splits and not self.dataset:
            raise ValueError("splits names those of a dataset: give dataset, or name files as train, dev and test")
        if not self.dataset and not self.train and not self.test:
            raise ValueError('no questions: give train and test files, or dataset = "..." (a dataset id)')
        if isinstance(self.dev, int) and (self.dev < 1 or "train" not in self.sources):
            raise ValueError(NO_ROWS_TO_HOLD)
        return self


class QuestionSet:
    """Base of the tasks that read one published format; `kind` is the name that lema.grading knows it by."""

    name: str
    kind: str
    held_by: tuple[str, ...] = ("question",)
    """The columns whose content decides which rows are held out."""
    repeated: Literal["refused", "kept"] = "refused"

    def __init__(self, settings: Source) -> None:
        self.settings = settings
        there = {*settings.sources, "dev"} if isinstance(settings.dev, int) else {*settings.sources}
        self.splits = tuple(split for split in get_args(Split) if split in there)
        self._prompt = find_prompt(settings.prompt, self.name)

    def questions(self, split: str, limit: int | None = None) -> Iterator[Question]:
        """The questions of a split in the order of its file."""
        questions = ((row, self.id_of(row), self.question_of(row, split)) for row in self._rows(split))
        return islice(once(questions) if self.repeated == "refused" else numbered(questions), limit)

    def prompt(self, question: Question) -> list[Message]:
        """What trained models are asked and trained on; [sample] may name a few-shot prompt for untrained ones."""
        return [Message("user", self._prompt.render(question=question.text))]

    @cached_property
    def conventions(self) -> Conventions:
        """The kind's own, with what the settings lay over them."""
        return laid_over(self.kind, self.settings.conventions)

    def read(self, text: str) -> Reading:
        """The last stated answer."""
        return read(text, task=self.kind)

    def same(self, answer: str, gold: str) -> bool:
        """Whether two answers are the same one."""
        return same(answer, gold, task=self.kind, conventions=self.conventions)

    def id_of(self, row: FileRow) -> object:
        """The row's own id, which must be unique; None where it has none."""
        return row.values.get("id")

    def question_of(self, row: FileRow, split: str) -> Question:
        """The question that a row holds. DataError names the row."""
        raise NotImplementedError

    def row_of(self, row: FileRow) -> FileRow | None:
        """The row in the one form that `question_of` reads; None where it does not belong to the set."""
        return row

    def _rows(self, split: str) -> Iterator[FileRow]:
        dev = self.settings.dev
        if isinstance(dev, int) and split in ("train", "dev"):
            held = held_out(self._source("train"), self.held_by, dev)
            return (row for row in self._source("train") if (row.place in held) == (split == "dev"))
        return self._source(split)

    def _source(self, split: str) -> Iterator[FileRow]:
        name = self.settings.sources[split]
        dataset = self.settings.dataset
        rows = published(dataset, self.settings.subset, name) if dataset else read_file(name)
        return filter(None, map(self.row_of, rows))
