"""One path, one verdict.

One design decision: a verdict of `wrong` needs a whole text, a stated answer and a finished comparison; where
any of these is missing the verdict says which, because a right path called wrong poisons the training set.
"""

from collections.abc import Callable
from typing import NamedTuple

from lema.grading.extract import EXPLICIT, Reading
from lema.grading.statements import CUT
from lema.grading.symbolic import GradingTimeout
from lema.records import Verdict


class Grade(NamedTuple):
    """A verdict, the answer as read, and how it was found (or why there is no verdict)."""

    verdict: Verdict
    answer: str | None
    how: str


def grade_path(text: str, gold: str, *, finish: str = "stop", read: Callable[[str], Reading],
               same: Callable[[str, str], bool]) -> Grade:
    """The verdict on one reasoning path, read and compared by its task.

    A text that did not end by itself (`finish` other than "stop") is truncated, unless it states its answer in an
    explicit form (lema.grading.EXPLICIT) before the cut; so is one that ends in an open box or an unfinished
    thought, whatever its finish. A completion that never came is ungradable.
    """
    if finish.startswith("error"):
        return Grade("ungradable", None, finish)
    answer, how = read(text)
    if how == CUT:
        return Grade("truncated", answer, how)
    if finish != "stop" and (answer is None or how not in EXPLICIT or text.rstrip().endswith(answer)):
        return Grade("truncated", answer, how)
    if answer is None:
        return Grade("no_answer", None, how)
    try:
        return Grade("right" if same(answer, gold) else "wrong", answer, how)
    except GradingTimeout as late:
        return Grade("ungradable", answer, f"{how}, {late}")
