"""One-step corrections as rows: a mistake, the step that mends it, how the student went on, and what came of that.

One design decision: a row holds one correction with everything that followed from it, and names the path that it
corrects; so the rows of one question tell its whole chain, from the student's own mistake to the path that is
trained on, and each can be read alone.
"""

from dataclasses import dataclass

from lema.records import Identified, Verdict

NOT_GOING_ON = "does not go on from the prefix"
"""Why a continuation counts for nothing: it numbers its steps anew, repeats one, or rewrites the prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation(Identified):
    """One way in which a student went on from a corrected step, or, where that states the answer, from the steps
    before it."""

    correction: str  # what names the reply and the path that it is about
    text: str
    index: int = 0
    finish: str = "stop"
    prompt_tokens: int = 0
    tokens: int = 0
    verdict: Verdict | None = None  # of the whole path, prefix included
    answer: str | None = None
    rejected: str = ""
    id: str = ""

    _identity = ("correction", "index", "text")

    @property
    def agrees(self) -> bool:
        """Whether it goes on and ends in the gold answer."""
        return self.verdict == "right" and not self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCorrection(Identified):
    """A corrector's reply that writes one step of a wrong path anew, and the student's continuations.

    `rejected` is empty where a path is kept, else the check that the step failed, or that too few went on to the
    gold answer.
    """

    question: str  # question id
    path: str  # id of the student's own wrong path, with which the chain begins
    corrects: str  # id of what is corrected: that path, or a continuation of the correction before
    student: str  # the model whose path it is, and which goes on
    model: str  # the corrector
    mistake: tuple[str, ...]  # the steps of what is corrected
    reply: str  # exactly what the corrector wrote
    attempt: int = 1
    prompt: str = ""
    finish: str = "stop"
    prompt_tokens: int = 0
    repeated_tokens: int = 0
    tokens: int = 0
    step: int | None = None  # 1-based number of the step that is written anew
    text: str = ""  # that step
    explanation: str = ""
    first: int | None = None  # the first step of the path that is not of the student's own first try
    continuations: tuple[Continuation, ...] = ()
    agree: int = 0  # how many of them end in the gold answer
    kept: str = ""  # id of the one that is trained on
    steps: tuple[str, ...] = ()  # the whole path that is kept
    student_prompt_tokens: int = 0
    student_tokens: int = 0  # all that was sampled to go on from this step
    rejected: str = ""
    id: str = ""

    _identity = ("path", "corrects", "model", "prompt", "attempt", "reply")
