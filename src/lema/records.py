"""The nouns that cross every file boundary, and their rows.

One design decision: a record is a frozen dataclass whose `id` is a hash of what it says, so that the same
question, path or correction has the same id in every run and a training row leads back to the reply it was
made of. Rows are JSON lines, validated by pydantic when they are read.
"""

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from lema.errors import DataError
from lema.printable import one_line

Record = TypeVar("Record")
Verdict = Literal["right", "wrong", "no_answer", "truncated", "ungradable"]  # `ungradable`: or it never came


def content_id(*parts: object) -> str:
    """16 hex digits of SHA-256 over the canonical JSON of `parts`."""
    canonical = json.dumps(parts, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


class Identified:
    """Fills an empty `id` from the fields that `_identity` names."""

    __slots__ = ()
    _identity: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.id:  # type: ignore[attr-defined]
            parts = [type(self).__name__, *map(self.__getattribute__, self._identity)]
            object.__setattr__(self, "id", content_id(*parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Identified):
    """A question with its gold answer; `solution` is a worked solution where there is one."""

    text: str
    answer: str
    solution: str | None = None
    level: int | None = None
    choices: tuple[str, ...] = ()
    split: str = "train"
    source: str = ""  # where it came from: "file:line", "lab:seed", "evolved:model"
    parent: str | None = None  # id of the question it was grown from
    agreement: float | None = None  # share of the votes its answer got, for evolved questions
    prompt_tokens: int = 0  # tokens a teacher read to make it, votes included
    repeated_tokens: int = 0  # of these, those that a cache of prompts can serve (`Completion.repeated`)
    tokens: int = 0  # tokens a teacher wrote to make it, votes included
    rejected: str = ""  # why it may not be used, for evolved questions
    id: str = ""

    _identity = ("text", "answer", "choices", "solution")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How text is drawn. `temperature` 0 is greedy; `max_tokens` counts new tokens."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningPath(Identified):
    """One model's attempt at one question, and what the grader made of it."""

    question: str  # question id
    model: str
    text: str
    index: int = 0  # which of the n paths that this model gave this question
    sampling: Sampling = Sampling()
    prompt: str = ""  # id of the prompt it answered
    finish: str = "stop"  # stop | length | content_filter | error: ...
    prompt_tokens: int = 0
    repeated_tokens: int = 0
    tokens: int = 0  # generated tokens
    verdict: Verdict | None = None  # None until graded
    answer: str | None = None  # the final answer as read
    how: str = ""  # how the answer was found and compared
    id: str = ""

    _identity = ("question", "model", "prompt", "index", "sampling_key", "text")

    @property
    def sampling_key(self) -> list[object]:
        return list(dataclasses.astuple(self.sampling))


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction(Identified):
    """A corrector's reply to one wrong path: the step it names, why, and the steps from there on.

    `steps` are the texts of the corrected steps, without numbers, the first being number `step`. Of a path without
    steps `step` is None, `explanation` names the mistakes, and `steps` are the lines of the answer written anew.
    `rejected` is empty for a kept correction, else the reason (the name of the check that failed first).
    """

    question: str  # question id
    path: str  # id of the wrong path
    model: str
    reply: str  # exactly what the corrector wrote
    index: int = 0
    prompt: str = ""
    finish: str = "stop"
    prompt_tokens: int = 0
    repeated_tokens: int = 0
    tokens: int = 0
    step: int | None = None  # 1-based number of the first wrong step
    explanation: str = ""
    steps: tuple[str, ...] = ()
    first_number: int | None = None  # the number that the corrector gave the first of them
    quote: str = ""  # what it repeats of the wrong step, where it does
    attempt: int = 1  # 2: asked again after a check failed
    hint: str = ""  # "answer": the corrector had been told the gold answer
    answer: str | None = None
    verified: bool | None = None  # None until verified
    rejected: str = ""
    id: str = ""

    _identity = ("path", "model", "prompt", "index", "reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Critique(Identified):
    """What a model says of one path, right or wrong, that it was asked to judge without the gold answer.

    `rejected` is the reason why it cannot be trained on; whether it agrees with the grader rejects nothing.
    """

    question: str  # question id
    path: str  # id of the path
    verdict: Verdict  # the grader's, on the path
    model: str
    reply: str  # exactly what the critic wrote
    prompt: str = ""
    finish: str = "stop"
    prompt_tokens: int = 0
    repeated_tokens: int = 0
    tokens: int = 0
    text: str = ""  # the critique as read
    said: Literal["right", "wrong"] | None = None  # its own judgement
    step: int | None = None  # 1-based number of the first wrong step, where it names one
    rejected: str = ""
    id: str = ""

    _identity = ("path", "model", "prompt", "reply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example(Identified):
    """One training example: the user says `prompt`, the model has answered `prefix`; `completion` has the loss."""

    kind: str  # cot | correction | step | a rival's kind
    source: str  # worked | own | teacher | corrections | ...
    prompt: str
    completion: str
    prefix: str = ""
    question: str  # question id
    parent: str = ""  # id of the path or correction it was made of
    prompt_tokens: int = 0
    tokens: int = 0  # trained tokens, the end token included
    teacher_tokens: int = 0  # tokens the teacher wrote to make it
    rejected: str = ""  # why it is not trained on: too long for the student
    dispreferred: str = ""  # of a pair: what was written in the place of the completion, and is worse
    id: str = ""

    _identity = ("kind", "prompt", "prefix", "completion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a training run made: counted, and named by a hash of its weights."""

    name: str
    steps: int
    examples: int  # rows seen, repeats counted
    tokens: int  # tokens with loss, over all rows seen
    all_tokens: int
    loss: float
    weights: str  # hash of the weights file
    merge_difference: float | None = None  # what merging an adapter changed, as a share of the adapter's effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What an arm's training set holds and what it cost, counted from rows."""

    arm: str
    examples: int
    questions: int  # different ones
    prompt_tokens: int
    tokens: int  # with loss, each example once
    teacher_tokens: int  # everything the teacher wrote for it, rejected replies included
    teacher_replies: int
    teachers: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)  # model -> tokens read, written
    repeated: dict[str, int] = dataclasses.field(default_factory=dict)  # of these read, what a cache can serve
    student_tokens: int = 0  # sampled of the students for it: paths, and what went on from corrected steps
    kinds: dict[str, int]  # "kind source" (and round) -> examples
    overlong: int = 0  # rows that were made and left out, too long for the student
    epochs: float | None = None  # how often an example is seen within the budget; None where nothing is trained
    shared: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)  # other arm: examples, questions


@cache
def adapter(kind: type) -> TypeAdapter:
    """What reads and writes records of a kind; made once, for that takes milliseconds."""
    return TypeAdapter(kind)


def to_row(record: object) -> str:
    """The record as one JSON line, without the line end. A lone surrogate becomes "?"; the journal keeps it."""
    return one_line(_json(_fields(record))).encode("utf-8", "replace").decode()


@cache
def _shape(kind: type) -> tuple[tuple[str, ...], Callable[[object], tuple]]:
    names = tuple(field.name for field in dataclasses.fields(kind))
    return names, attrgetter(*names)


def _fields(record: object) -> dict[str, object]:
    """What dataclasses.asdict gives, without its deep copies: a record only holds JSON values and `Sampling`."""
    names, values = _shape(type(record))
    return dict(zip(names, values(record), strict=True))


_json = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=_fields).encode

def from_row(kind: type[Record], line: str | bytes, where: str) -> Record:
    """The record in one JSON line; `where` ("file:line") goes into the error."""
    try:
        return adapter(kind).validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "line"
        raise DataError(f"{where}: not a {kind.__name__} row ({place}: {first['msg']})") from None


def read_rows(kind: type[Record], path: Path, holding: str = "") -> Iterator[Record]:
    """The records of a JSONL file, one at a time, without blank lines and those that lack the text `holding`."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if (not holding or holding.encode() in line) and line.strip():
                yield from_row(kind, line, f"{path}:{number}")


def write_rows(path: Path, records: Iterable[object]) -> int:
    """Writes records as JSONL and returns how many."""
    count = 0
    with path.open("w", encoding="utf-8") as out:
        for record in records:
            out.write(to_row(record) + "\n")
            count += 1
    return count
