"""Verdicts: what a model says of a path that it was asked to judge: right, or wrong from which step on.

One design decision: a verdict is read from the labels that stand behind each other at the beginnings of lines
("Final Judgement", "First Error Step", "Error Analysis" and their kin), the last of each counting, because models
repeat the form before they fill it in; only a reply without labels is read for a plain sentence, a critique, which
talks of every step, for one in its last line.
"""

import re
from typing import NamedTuple

from lema.replies import Unparsed, finds_nothing, opened, parse_correction


class Judgement(NamedTuple):
    """`step` is the 1-based number of the first wrong step; None where the path is called right, or where it is
    called wrong without a step."""

    right: bool
    step: int | None
    reason: str = ""


class Criticised(NamedTuple):
    """A critique as read: its whole text, and the verdict that it ends in."""

    text: str
    judgement: Judgement


_RIGHTNESS = re.compile(
    r"^[\s*#>_-]{0,9}(?:final |overall )?(?:judge?ment|verdict|conclusion|correctness)[*_ \t]{0,4}:"
    r"[*_ \t\n\"']{0,6}(?:the )?(?:student'?s? )?(?:solution |answer )?(?:is )?"
    r"(correct|right|incorrect|wrong|not correct)\b", re.I | re.M)
_STEP = re.compile(
    r"^[\s*#>_-]{0,9}(?:the )?(?:first )?(?:error|wrong|incorrect|mistaken?)[ \t]steps?[*_ \t]{0,4}:[*_ \t\n]{0,6}"
    r"(?:step[ \t]{0,2})?#?(-?[0-9]{1,4}|none|n/?a|null|no)\b", re.I | re.M)
_REASON = re.compile(
    r"^[\s*#>_-]{0,9}(?:error (?:analysis|reason)|explanation|reason)[*_ \t]{0,4}:[*_ \t]{0,4}", re.I | re.M)
_NAMED = re.compile(
    r"\b(?:incorrect|wrong|erroneous) step[*_ ]{0,3}(?:is|:)[*_ ]{0,3}(?:step )?([0-9]{1,4})\b", re.I)
_OPENING = re.compile(r"\s{0,4}step ([0-9]{1,4})\b", re.I)
_CRITIQUE = re.compile(r"\s{0,9}[*#_]{0,3}critique[*_ \t]{0,4}:[*_]{0,3}\s{0,9}", re.I)
_NEXT_EXAMPLE = re.compile(r"\n[ \t]*\n[*#_ \t]{0,6}(?:question|problem)[*_ \t]{0,4}:", re.I)
_CUE_NONE = re.compile(r"^[\s*#]{0,6}(?:incorrect step[*_ ]{0,3}:)?[*_ ]{0,3}(?:none|no step|n/a|step 0|0|-1)\b",
                       re.I)


def parse_judgement(reply: str) -> Judgement | Unparsed:
    """Reads a verdict, a correction (which calls its path wrong) or the plain sentence that all steps are
    right."""
    text, corrected = opened(reply), parse_correction(reply)
    if not isinstance(corrected, Unparsed):
        return Judgement(False, corrected.step, corrected.explanation)
    labelled = _labelled(text)
    if labelled is not None:
        return labelled
    if plain := _plain(text):
        return plain
    opening = _OPENING.match(text)
    return Judgement(False, int(opening[1])) if opening else Unparsed("no step named")


def parse_critique(reply: str) -> Criticised | Unparsed:
    """Reads a critique, with or without its cue, up to where a model goes on with a question of its own. What it
    says of single steps counts for nothing: its labels do, or else its last line."""
    text = reply.replace("\r\n", "\n")
    text = text[cue.end():] if (cue := _CRITIQUE.match(text)) else text
    text = text[:following.start()] if (following := _NEXT_EXAMPLE.search(text)) else text
    text = text.strip()
    last = text.rpartition("\n")[2]
    judgement = _labelled(text) or (None if _OPENING.match(last) else _plain(last))
    if judgement is None:
        return Unparsed("no conclusion" if text else "no critique")
    return Criticised(text, judgement)


def critique_verdict(reply: str) -> Judgement | Unparsed:
    """The verdict of a critique."""
    found = parse_critique(reply)
    return found if isinstance(found, Unparsed) else found.judgement


def _plain(text: str) -> Judgement | None:
    """The verdict in a plain sentence."""
    if finds_nothing(text) or _CUE_NONE.match(text):
        return Judgement(True, None)
    named = _NAMED.search(text)
    return Judgement(False, int(named[1])) if named else None


def _labelled(text: str) -> Judgement | None:
    """The verdict in its labelled form; None where there is no such label."""
    said = [match for match in _RIGHTNESS.finditer(text)]
    steps = [match for match in _STEP.finditer(text)]
    if not said and not (steps and _REASON.search(text, steps[-1].end())):
        return None
    if said:
        behind = [match for match in steps if match.start() > said[-1].start()]
        steps = behind or steps
    number = steps[0 if said else -1][1] if steps else ""
    step = int(number) if number.isdecimal() and int(number) else None
    right = said[-1][1].lower() in ("correct", "right") if said else step is None
    reason = _REASON.search(text, said[-1].end() if said else steps[-1].end())
    return Judgement(right, None if right else step, text[reason.end():].strip() if reason and not right else "")
