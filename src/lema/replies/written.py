"""A correction as it is read and as it is written: what a reply was, and what follows the cue of a prompt.

One design decision: the form is the paper's, and nothing here decides what is true of a correction.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lema.replies.numbered import number_steps


class Parsed(NamedTuple):
    """A correction as read. `steps` are texts without numbers; `first_number` is the number that the corrector
    gave the first of them, which a good correction makes equal to `step`."""

    step: int
    explanation: str
    steps: tuple[str, ...]
    first_number: int
    has_dots: bool  # whether "..." stands before the first corrected step
    quote: str = ""  # what the corrector repeats of the named step, where it does


class Rewrite(NamedTuple):
    """A correction of an answer that has no steps: what was wrong, and the whole answer anew."""

    mistakes: str
    answer: str


class Unparsed(NamedTuple):
    """A reply that is not a correction, and why not."""

    reason: str


def render_correction(step: int, explanation: str, steps: Sequence[str]) -> str:
    """What follows the cue "Incorrect Step:"; the line "..." stands for the kept steps, where there are any."""
    dots = "...\n" if step > 1 else ""
    solution = number_steps(steps, step)
    return f" Step {step}.\nExplanation: {explanation}\nCorrect Solution:\n{{\n{dots}{solution}\n}}"


def render_rewrite(mistakes: str, answer: str) -> str:
    """What follows the cue "Mistakes:" of a path without steps: what was wrong, and the whole answer anew."""
    return f" {mistakes}\nCorrected Answer:\n{{\n{answer}\n}}"
