"""How a correction is written: what follows the cue of its prompt.

One design decision: the form is the paper's, and nothing here decides what is true of a correction.
"""

from collections.abc import Sequence

from lema.replies.numbered import number_steps


def render_correction(step: int, explanation: str, steps: Sequence[str]) -> str:
    """What follows the cue "Incorrect Step:"; the line "..." stands for the kept steps, where there are any."""
    dots = "...\n" if step > 1 else ""
    solution = number_steps(steps, step)
    return f" Step {step}.\nExplanation: {explanation}\nCorrect Solution:\n{{\n{dots}{solution}\n}}"


def render_rewrite(mistakes: str, answer: str) -> str:
    """What follows the cue "Mistakes:" of a path without steps: what was wrong, and the whole answer anew."""
    return f" {mistakes}\nCorrected Answer:\n{{\n{answer}\n}}"
