"""Questions with choices: their lines, their letters, and answers that name a letter or a choice's text.

One design decision: the gold answer says both, "(B) bank", so that an answer may state either, and can be judged
without the other choices too; whoever has the question lets them be known. Nothing is guessed from nearness.
"""

import json
import re
from collections.abc import Sequence
from functools import partial
from string import ascii_uppercase as LETTERS

from lema.errors import DataError
from lema.grading import Reading, read, same
from lema.tasks import Answers
from lema.tasks._files import FileRow
from lema.tasks._sets import QuestionSet

_LABEL = re.compile(r"\s*\(?([A-Za-z])[).:]\s*")


class ChoiceSet(QuestionSet):
    """Base of the tasks whose questions have choices."""

    def read(self, text: str, choices: Sequence[str] = ()) -> Reading:
        """The last stated letter or choice."""
        return read(text, task=self.kind, choices=choices)

    def same(self, answer: str, gold: str, choices: Sequence[str] = ()) -> bool:
        """Whether both are the same choice, by letter or text; equal texts under two letters are the same."""
        return same(answer, gold, task=self.kind, conventions=self.conventions, choices=choices)

    def choosing(self, choices: Sequence[str]) -> Answers:
        """The same two calls for a question with these choices."""
        return Answers(partial(self.read, choices=choices), partial(self.same, choices=choices))


def with_choices(text: str, choices: Sequence[str]) -> str:
    """The question with a line "(A) ..." for each choice."""
    return "\n".join([text, *(f"({letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False))])


def labelled(letter: str, choices: Sequence[str]) -> str:
    """The choice of that letter, with it: "(B) bank"."""
    return f"({letter}) {choices[LETTERS.index(letter)]}"


def letter_of(row: FileRow, answer: str, choices: Sequence[str]) -> str:
    """The letter that a file's answer means: it is one, or the text of exactly one choice, or of equal ones, the
    first of which is taken. DataError where it is neither."""
    letter = answer.strip("() .").upper()
    if len(letter) == 1 and letter in LETTERS[:len(choices)]:
        return letter
    if answer in choices:
        return LETTERS[choices.index(answer)]
    raise DataError(f"{row.place}: the answer {answer[:40]!r} is neither a letter nor one of the "
                    f"{len(choices)} choices; mend the row")


def choices_of(row: FileRow, column: str) -> tuple[str, ...]:
    """The texts of a column of choices, without labels where all have theirs; a list, or "a|b|c"."""
    value = row.values.get(column)
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split("|")
        except ValueError:
            value = None
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(v, str | int | float) for v in value):
        raise DataError(f'{row.place}: {column} must be a list of at least two choices, or "a|b|c"; mend the row')
    if len(value) > len(LETTERS):
        raise DataError(f"{row.place}: {len(value)} choices; there are letters for {len(LETTERS)}")
    texts = tuple(str(choice).strip() for choice in value)
    bare = []
    for text, letter in zip(texts, LETTERS, strict=False):
        label = _LABEL.match(text)
        if label is None or label[1].upper() != letter:
            return texts  # "A) 5" is a label only where every choice has its own
        bare.append(text[label.end():])
    return tuple(bare)
