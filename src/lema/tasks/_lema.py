"""The LeMa repository's own test files: {"prompt", "completion"}; with choices also "answer", "candidates".

One design decision: the instruction around a question is dropped, so that a question has the same text, and the
same id, whether it was read from its first source or from one of these files.
"""

import re
from typing import NamedTuple

from lema.errors import DataError
from lema.tasks._files import FileRow, text_of

_QUESTION = re.compile(r"(?:\A|\n)(?:Question|Q):[ \t]*(.*?)\s*(?=\n(?:Candidate Answers|Answer|A):|\Z)", re.S)
_STATED = "The answer is "


class LemaRow(NamedTuple):
    """A question with its worked text, which may be empty, and its answer."""

    question: str
    worked: str
    answer: str


def is_lema(row: FileRow) -> bool:
    """Whether the row has the form of these files."""
    return "prompt" in row.values and ("completion" in row.values or "candidates" in row.values)


def lema_row(row: FileRow) -> LemaRow:
    """The parts of a row with a completion, which must end in the answer sentence."""
    worked, stated, answer = text_of(row, "completion", "question without an answer").rpartition(_STATED)
    answer = answer.strip().removesuffix(".").strip()
    if not stated or not answer:
        raise DataError(f'{row.place}: question without an answer; its completion must end in "{_STATED}N."')
    return LemaRow(lema_question(row), worked.strip(), answer)


def lema_question(row: FileRow) -> str:
    """The question that a prompt asks, without its instruction, its candidates and its cue."""
    prompt = text_of(row, "prompt", "no question")
    question = _QUESTION.search(prompt)
    return question[1] if question and question[1] else prompt
