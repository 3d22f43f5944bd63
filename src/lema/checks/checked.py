"""What a check looks at: a correction, the mistake that it corrects, and what is known of the question.

One design decision: texts are compared as bare words, numbers and signs, so that bold, spaces, capitals and
calculator marks never decide.
"""

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lema.records import Correction, Question
from lema.replies import drop_calculator_marks, number_steps

if TYPE_CHECKING:
    from lema.tasks import Answers

_BARE = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?|[-+*/=^%]")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3})")


@dataclass(frozen=True)
class Checked:
    """One correction beside its mistake. `mistake` are the wrong path's steps without numbers."""

    correction: Correction
    mistake: tuple[str, ...]
    question: str
    gold: str
    right: bool  # whether its final answer is the gold one
    again: bool = False  # whether the same correction of the same mistake came before

    @classmethod
    def of(cls, correction: Correction, mistake: tuple[str, ...], question: Question, answers: "Answers",
           again: bool = False) -> "Checked":
        """The correction with the final answer that it states, as the task reads it."""
        text = number_steps(correction.steps) if correction.step else "\n".join(correction.steps)
        answer = answers.read(text).answer if correction.steps else None
        right = answer is not None and answers.agree(answer, question.answer)
        return cls(dataclasses.replace(correction, answer=answer), mistake, question.text, question.answer, right,
                   again)

    @property
    def rewrites(self) -> bool:
        """Whether it is of a path without steps: no step named, the whole answer anew."""
        return self.correction.step is None

    @property
    def wrong_step(self) -> str:
        """The text of the named step; empty where there is none."""
        number = self.correction.step or 0
        return self.mistake[number - 1] if 1 <= number <= len(self.mistake) else ""


def bare(text: str) -> tuple[str, ...]:
    """The words, numbers and signs of a text, in order."""
    return tuple(_BARE.findall(_THOUSANDS.sub("", drop_calculator_marks(text).replace("**", " ").lower())))
