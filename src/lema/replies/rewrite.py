"""A corrector's reply to an answer without steps: the mistakes in prose, and the whole answer anew.

One design decision: everything before the new answer is what was wrong with the old one, less the label and the
politeness that open it.
"""

import re

from lema.replies.marks import DECORATION
from lema.replies.naming import denies, finds_nothing
from lema.replies.opened import LONGEST, opened
from lema.replies.solution import solution_lines, without_tail
from lema.replies.written import Rewrite, Unparsed

_END = r"[*_ \t]{0,4}(?:[:：][*_]{0,3}|$)"
_MISTAKES = re.compile(
    r"(?:(?:the|identified|main|key) ){0,2}(?:mistakes?|errors?|problems?|what (?:is|was|went) wrong|explanation|"
    r"analysis)(?: (?:in|with|of)\b[^:\n]{0,50})?" + _END, re.I)
_ANSWER = re.compile(
    r"(?:here(?: is|['’]s) )?(?:the )?(?:correct(?:ed)?|revised|rewritten|new) "
    r"(?:answer|solution|reasoning|version)(?: (?:is|in full))?(?: ?\([^)\n]{0,40}\))?" + _END, re.I)
_POLITE = re.compile(
    r"(?:sure|certainly|of course|absolutely|okay|ok|here(?:['’]s| is| are)|let(?:['’]s| us)|looking at)\b"
    r"[^\n]{0,200}$", re.I)


def parse_rewrite(reply: str) -> Rewrite | Unparsed:
    """Reads "Mistakes: ..." and "Corrected Answer:", in braces or not, whatever stands around them."""
    if len(reply) > LONGEST:
        return Unparsed("longer than a correction can be")
    lines = opened(reply).split("\n")
    place, body = _answer(lines)
    head = lines[:place]
    if place == len(lines):
        return Unparsed("finds no mistake" if finds_nothing("\n".join(head)) else "no corrected answer")
    mistakes = _mistakes(head)
    if not mistakes:
        return Unparsed("no mistake named")
    if denies(mistakes):
        return Unparsed("finds no mistake")
    answer = "\n".join(without_tail(solution_lines(body)))
    return Rewrite(mistakes, answer) if answer else Unparsed("no corrected answer")


def _answer(lines: list[str]) -> tuple[int, str]:
    """(place of the first line that opens the new answer, the text behind its label)."""
    for place, line in enumerate(lines):
        if match := _ANSWER.match(_bare(line)):
            return place, "\n".join([_bare(line)[match.end():], *lines[place + 1:]])
    return len(lines), ""


def _mistakes(head: list[str]) -> str:
    """What stands behind the label of the mistakes; without one, all but a first line of politeness."""
    for place, line in enumerate(head):
        if match := _MISTAKES.match(_bare(line)):
            return _tidy("\n".join([_bare(line)[match.end():], *head[place + 1:]]))
    while head and (not head[0].strip() or _POLITE.match(_bare(head[0]))):
        head = head[1:]
    return _tidy("\n".join(head))


def _bare(line: str) -> str:
    return re.sub(r"^\(?[0-9][.)][ \t*_]{1,6}", "", line.lstrip(DECORATION))


def _tidy(text: str) -> str:
    text = re.sub(r"\n[\s*_>#-]{0,12}(?:[0-9][.)])?[\s*_>#-]{0,12}$", "", text.rstrip())
    return text.strip().rstrip(DECORATION).rstrip()
