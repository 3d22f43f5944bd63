"""Grade-school maths in the official GSM8K format: {"question", "answer"}, the answer ending in "#### N".

One design decision: the worked solution becomes what a model is to write, numbered steps whose last one is the
answer sentence; calculator marks and thousands separators of the gold answer are gone before anyone sees them.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import Field, model_validator

from lema import seams
from lema.errors import ConfigError, DataError
from lema.grading import Reading, read_number, read_value, same_number
from lema.models import Message
from lema.prompting import find_prompt
from lema.records import Question
from lema.steps import answer_sentence, drop_calculator_marks, number_steps, split_steps
from lema.tasks._files import Row, held_out, once, read_file, text_of

MARK = "####"


class Settings(seams.Settings):
    """[task] for name = "gsm8k": files of your own, or a Hugging Face dataset with the same two columns."""

    train: str | None = Field(default=None, description="JSONL file of training questions")
    dev: str | int | None = Field(default=None, description="JSONL file, or how many rows to hold out of train")
    test: str | None = Field(default=None, description="JSONL file of test questions")
    dataset: str | None = Field(default=None, description='instead of files: a dataset id, like "openai/gsm8k"')
    subset: str | None = Field(default=None, description='its configuration, "main" for openai/gsm8k')
    prompt: str = Field(default="zero_shot", description="a shipped prompt's name, or a file of your own")

    def files(self) -> tuple[Path, ...]:
        return tuple(Path(name) for name in (self.train, self.dev, self.test) if isinstance(name, str))

    @model_validator(mode="after")
    def _has_questions(self) -> "Settings":
        if self.dataset and (self.train or self.test or isinstance(self.dev, str)):
            raise ValueError("give files (train, dev, test) or a dataset, not both")
        if not self.dataset and not self.train and not self.test:
            raise ValueError('no questions: give train and test files, or dataset = "openai/gsm8k"')
        if isinstance(self.dev, int) and (self.dev < 1 or not (self.train or self.dataset)):
            raise ValueError("dev as a number holds rows out of train: give train, and a number of at least 1")
        return self


class Task:
    """The question set."""

    name = "gsm8k"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        given = {"train": settings.train or settings.dataset, "dev": settings.dev,
                 "test": settings.test or settings.dataset}
        self.splits = tuple(split for split, source in given.items() if source)
        self._prompt = find_prompt(settings.prompt, self.name)

    def questions(self, split: str, limit: int | None = None) -> Iterator[Question]:
        """The questions of a split in the order of its file."""
        return islice(once((row, row.values.get("id"), _question(row, split)) for row in self._rows(split)), limit)

    def prompt(self, question: Question) -> list[Message]:
        """What trained models are asked and trained on; [sample] may name a few-shot prompt for untrained ones."""
        return [Message("user", self._prompt.render(question=question.text))]

    def read(self, text: str) -> Reading:
        """The last stated number."""
        return read_number(text)

    def same(self, answer: str, gold: str) -> bool:
        """Equality of numbers."""
        return same_number(answer, gold)

    def _rows(self, split: str) -> Iterator[Row]:
        dev = self.settings.dev
        if isinstance(dev, int) and split in ("train", "dev"):
            held = held_out(self._file("train"), "question", dev)
            return (row for row in self._file("train") if (row.place in held) == (split == "dev"))
        return self._file(split)

    def _file(self, split: str) -> Iterator[Row]:
        if self.settings.dataset:
            return _published(self.settings.dataset, self.settings.subset, split)
        return read_file(getattr(self.settings, split))


def _question(row: Row, split: str) -> Question:
    text = text_of(row, "question", "no question")
    told = drop_calculator_marks(text_of(row, "answer", "question without an answer"))
    worked, mark, gold = told.rpartition(MARK)
    answer = gold.strip().replace(",", "")
    if not mark or not answer:
        raise DataError(f'{row.place}: question without an answer; its "answer" must end in a line "{MARK} N" '
                        '(for other formats use the task "rows")')
    if read_value(answer) is None:
        raise DataError(f"{row.place}: the answer {answer[:40]!r} is not a number; mend the row or take it out")
    steps = split_steps(worked)
    solution = number_steps((*steps, answer_sentence(answer))) if steps else None
    return Question(text=text, answer=answer, solution=solution, split=split, source=row.short)


def _published(dataset: str, subset: str | None, split: str) -> Iterator[Row]:
    """The rows of a Hugging Face dataset's split; downloads it when it is not yet in its cache."""
    try:
        from datasets import load_dataset
    except ImportError:
        raise ConfigError(f"task.dataset: {dataset!r} needs the package datasets; pip install 'lema[train]', "
                          "or give local files") from None
    try:
        table = load_dataset(dataset, subset, split=split)
    except Exception as error:  # the library raises what its parts raise: network, hub, builder, file errors
        raise DataError(f"dataset {dataset!r}, split {split!r}: {str(error).splitlines()[0][:200]}; check the id "
                        "and `subset`, or give local files") from None
    for number, values in enumerate(table):
        place = f"{dataset}/{split}:{number}"
        yield Row(place, place, values)
