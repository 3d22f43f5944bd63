"""Judgements: what a model says of a path that it was asked to judge: right, or wrong from which step on.

One design decision: a judgement is read from the labels that stand behind each other at the beginnings of lines
("Final Judgement", "First Error Step", "Error Analysis" and their kin), the last of each counting, because models
repeat the form before they fill it in; only a reply without labels is read for a plain sentence, a critique, which
talks of every step, for one in its last line.
"""

import re
from typing import NamedTuple

from lema.replies import Unparsed, finds_nothing, opened, own_text, parse_correction


class Judgement(NamedTuple):
    """`step` is the 1-based number of the first wrong step; None where the path is called right, or where it is
    called wrong without a step."""

    right: bool
    step: int | None
    reason: str = ""


class ParsedCritique(NamedTuple):
    """A critique as read: its whole text, and the judgement that it ends in."""

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
    """Reads a judgement, a correction (which calls its path wrong) or the plain sentence that all steps are
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


def parse_critique(reply: str) -> ParsedCritique | Unparsed:
    """Reads a critique, with or without its cue, up to where a model goes on with a question of its own. What it
    says of single steps counts for nothing: its labels do, or else its last line."""
    text = reply.replace("\r\n", "\n")
    text = text[cue.end():] if (cue := _CRITIQUE.match(text)) else text
    text = text[:following.start()] if (following := _NEXT_EXAMPLE.search(text)) else text
    text = own_text(text).strip()
    last = text.rpartition("\n")[2]
    judgement = _labelled(text) or (None if _OPENING.match(last) else _plain(last))
    if judgement is None:
        return Unparsed("no conclusion" if text else "no critique")
    return ParsedCritique(text, judgement)


def critique_judgement(reply: str) -> Judgement | Unparsed:
    """The judgement that a critique ends in."""
    critique = parse_critique(reply)
    return critique if isinstance(critique, Unparsed) else critique.judgement


def _plain(text: str) -> Judgement | None:
    """The judgement in a plain sentence."""
    if finds_nothing(text) or _CUE_NONE.match(text):
        return Judgement(True, None)
    named = _NAMED.search(text)
    return Judgement(False, int(named[1])) if named else None


def _labelled(text: str) -> Judgement | None:
    """The judgement in its labelled form; None where there is no such label."""
    labels, steps = list(_RIGHTNESS.finditer(text)), list(_STEP.finditer(text))
    if labels:
        last = labels[-1]
        behind = [match for match in steps if match.start() > last.start()]
        named = next(iter(behind or steps), None)
    elif steps and _REASON.search(text, steps[-1].end()):  # "error step" alone may be a remark about one
        last = named = steps[-1]
    else:
        return None
    step = int(named[1]) if named and named[1].isdecimal() else 0  # "none", "-1" and "0" name no step
    if last[1].lower() in ("correct", "right") if labels else not step:
        return Judgement(True, None)
    reason = _REASON.search(text, last.end())
    return Judgement(False, step or None, text[reason.end():].strip() if reason else "")
