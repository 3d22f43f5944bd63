"""Whether a continuation goes on: behind the steps that it was given come new ones, counted on from the last.

One design decision: what a student wrote behind a prefix is read together with it, as any path is; if the steps of
the prefix come out as they went in, and what follows is new, it goes on, else it counts for nothing.
"""

from collections.abc import Sequence

from lema.checks.checked import bare
from lema.replies import split_steps
from lema.replies.marks import step_mark


def whole_path(prefix: str, steps: Sequence[str], text: str) -> tuple[str, ...] | None:
    """All steps of the path that begins with `prefix`, whose steps are `steps`, and goes on with `text`; None
    where that does not go on: it numbers anew, repeats a step, writes on at one of the prefix, or says
    nothing."""
    whole = split_steps(prefix + text)
    if len(whole) <= len(steps) or whole[:len(steps)] != tuple(steps):
        return None
    marks = filter(None, map(step_mark, text.split("\n")))
    numbers = [int(mark[1]) for mark in marks]
    if numbers != list(range(len(steps) + 1, len(steps) + 1 + len(numbers))):
        return None
    texts = list(map(bare, whole))
    return whole if len(set(texts)) == len(texts) else None
