"""The text of a path that may be trained on, corrected and judged: the model's own reply up to its answer.

One design decision: what graders pass over is cut here, once for all who read a path: thoughts before the reply,
turns and questions invented after it, and what stands behind the answer. The last only where it states nothing, so
that no verdict ever stands on what is cut.
"""

import re
from collections.abc import Callable, Sequence

from lema.replies.marks import step_mark
from lema.replies.opened import with_line_ends
from lema.replies.reply_span import reply_span

_POLITE = (
    r"(?:(?:i (?:really )?)?hope (?:this|that|it|you)\b|(?:please )?(?:feel free|let me know)\b"
    r"|if you (?:(?:still )?have (?:any|more|other|further|questions)|need|would like|want|['’]d like)\b"
    r"|is there anything\b|would you like\b|do you (?:want|have any|need)\b|(?:always )?happy to help\b"
    r"|i(?:['’]m| am) (?:here|happy|glad)\b|thank(?:s for|s!|s\.| you)|you['’]re welcome\b|good luck\b"
    r"|best regards\b|have a (?:nice|great|good)\b|does (?:this|that) (?:help|make sense)\b)")
_POLITENESS = re.compile(rf"[*_#>() \t-]{{0,6}}{_POLITE}[^0-9=]{{0,300}}$", re.I)
_BEHIND = re.compile(
    rf"(?<=[.!?)\]}}*$])[ \t]{{1,3}}[*_(]{{0,3}}(?:{_POLITE}[^0-9=]{{0,300}}$"
    r"|(?:(?:next|new)[ \t])?(?:question|problem|exercise|q)[ \t]?[0-9]{0,4}[*_]{0,3}:)", re.I)
_STATES = re.compile(
    r"(?:\banswer(?:[*_]{0,3} is\b|[*_]{0,3} ?[:=])[:*_ \t]{0,6}|^[ \t]{0,8}(?:####(?!#)|A:)[ \t]{0,8})"
    r"(?:\\[(\[]|\\(?:boxed|text|mathrm|mathbf|[dt]?frac|sqrt) ?\{?|[$£€{\[+(*_ -]){0,6}"
    r"(?:\.?[0-9]|\([A-Z]\)|[A-Z]\b(?![ '’][a-z]))", re.I)
_MAY_STATE = re.compile(
    r"answer|boxed|####|^\s{0,8}(?:A|Ans)\b[.:]|option|choice|correct|solution|r[ée]ponse|respuesta|resposta|rispost"
    r"|antwort|ответ|答案", re.I)
_GOES_ON = re.compile(r"(?:[:=+*/,(\[{\\-]|\b(?:and|or|but|not))[ \t]{0,9}$", re.I)
_CALCULATES = re.compile(r"[0-9=]")
_PAIRS = ("()", "[]", "{}")


def own_text(text: str) -> str:
    """The reply without what it says behind its answer: politeness, remarks, another problem."""
    lines = reply_span(with_line_ends(text)).split("\n")
    last_step = _last(lines, step_mark)
    stated = _last(lines, _MAY_STATE.search)  # of several statements the last one counts
    if stated >= max(last_step, 0) and _states(lines[stated]):
        return "\n".join(_with_polite_end(lines[:stated + 1]))
    for place in range(max(last_step, stated, _last(lines, _CALCULATES.search), 0) + 1, len(lines)):
        if _POLITENESS.match(lines[place]):
            return "\n".join(_with_polite_end(lines[:place]))
    return "\n".join(_with_polite_end(lines))


def _last(lines: Sequence[str], holds: Callable[[str], object]) -> int:
    """The place of the last line for which this holds; -1 where there is none."""
    return next((place for place in range(len(lines) - 1, -1, -1) if holds(lines[place])), -1)


def without_politeness(line: str) -> str:
    """A line without the politeness, or the next problem, that stands behind a sentence of it and states
    nothing."""
    behind = _BEHIND.search(line)
    return line if behind is None or _MAY_STATE.search(line, behind.end()) else line[:behind.start()]


def _with_polite_end(lines: list[str]) -> list[str]:
    return [*lines[:-1], without_politeness(lines[-1])]


def _states(line: str) -> bool:
    """Whether the line states a whole answer: a value right behind the words, and nothing left open. (A box may
    stand in the midst of a display or a proof.)"""
    if not _STATES.search(line) or _GOES_ON.search(line):
        return False
    whole = all(line.count(left) == line.count(right) for left, right in _PAIRS)
    return whole and (line.count("$") % 2 == 0 or re.search(r"\$[0-9]", line) is not None)
