"""What opens a line of a worked solution: a step's number, and the answer sentence.

One design decision: a mark is only read where it opens its line, behind bold, heading or list marks.
"""

import re

DECORATION = " \t#*_>•-"
"""Marks that may stand before a step's number and mean nothing."""

STEP = re.compile(
    r"(?:(?:corrected|revised|new)[ \t]{1,3})?step[ \t]{0,3}#?([0-9]{1,4})[*_]{0,3}[ \t]{0,3}"
    r"(?:[(\[](?:corrected|correct|revised|fixed|new|updated|unchanged|same|kept)[)\]][*_]{0,3}[ \t]{0,3})?"
    r"(?:[:：][*_]{0,3}|[.)–—-][*_]{0,3}(?=[ \t]|$)|$)", re.I)
"""The number of a step where it opens a line, and what stands between it and the step's text."""

ANSWER_SENTENCE = re.compile(r"(?:so|thus|hence|therefore)?,? ?(?:the )?(?:final )?answer(?: is\b|:)", re.I)


def step_mark(line: str) -> re.Match | None:
    """The number of a step where it opens the line, behind marks that mean nothing."""
    return STEP.match(line.lstrip(DECORATION))
