"""The corrected solution out of a corrector's reply: its steps, where they begin, and nothing that stands behind.

One design decision: what is numbered is believed as it is numbered; the answer step ends the solution, so that
politeness behind it is no step.
"""

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import NamedTuple

from lema.replies.marks import ANSWER_SENTENCE, DECORATION, STEP, step_mark
from lema.replies.numbered import answer_sentence, numbered
from lema.replies.own_text import without_politeness
from lema.replies.reply_span import opens_question

DOTS = frozenset(("...", "…", ". . .", "....", "[...]", "(...)"))
_ITEM = re.compile(r"[*_ \t-]{0,4}\(?([0-9]{1,2})[.)][*_]{0,3}[ \t]{1,4}(?=\S)")
_VALUE = re.compile(r"(?:#{4}[ \t]*|(?:the )?(?:final )?answer[*_]{0,3} ?[:：][*_ \t]{0,5})(\S.*)$", re.I)
_HEADING = re.compile(r"(?:the )?(?:final )?answer(?: is)?[*_]{0,3} ?[:：]?[*_ \t]{0,5}$", re.I)
_CHATTER = re.compile(
    r"(?:i )?hope (?:this|that|it)\b|(?:please )?let me know\b|feel free\b|if you (?:have|need|would|want)\b|is "
    r"there anything\b|would you like\b|happy to help\b|note(?: that)?[*_]{0,3}:|#{1,6}[ \t]|(?:summary|"
    r"verification|verify|check|comparison|conclusion|explanation|key (?:takeaways?|points?|changes?)|why)"
    r"[^:\n]{0,40}:|"
    r"this (?:corrected|revised|correction|ensures)\b|(?:-{3,}|\*{3,}|_{3,}|={3,})$", re.I)
_KEPT = re.compile(
    r"[\s*_(\[.…-]{0,6}(?:(?:remains?|is|stays?|kept|as) )?(?:the )?(?:unchanged|same|as before|no changes?|"
    r"(?:same )?as (?:in )?(?:the )?(?:original|above)|correct as is)"
    r"(?: as (?:before|above|in the original|the original)(?: solution)?)?[\s*_)\].…-]{0,6}$|"
    r"[\s(\[.…]{1,9}$", re.I)
_MARKED = re.compile(
    r"[*_ \t]{0,4}[(\[](?:unchanged|same(?: as (?:before|above|original))?|as before|no change|corrected|correct|"
    r"kept|from the original)[)\]][*_ \t]{0,4}$", re.I)
_LIST = re.compile(r"\\(?:begin|end)\{(?:enumerate|itemize)\}(?:\[[^\]\n]{0,40}\])?$")
_ONE_LINE = re.compile(r"(?<=[.!?)}$]) (?=\*{0,2}Step [0-9]{1,4}\*{0,2}:)")
_TOKENS = re.compile(r"(?:</s>|<\|[a-z_]{1,20}\|>|\[/?INST\])[ \t]*$")
_CALCULATES = re.compile(r"=|\bstep ?[0-9]{1,4}\.[0-9]", re.I)


class Solution(NamedTuple):
    """`first_number` is the number that the first step was given; None where none was. A step that only stands
    for one of the original is empty."""

    steps: tuple[str, ...]
    first_number: int | None
    has_dots: bool
    lacks: str = "no corrected steps"  # why there are no steps, where there are none


def solution_of(body: str) -> Solution:
    """The steps of a corrected solution, in braces or not, numbered or one to a line."""
    lines = without_tail(solution_lines(body))
    has_dots = not DOTS.isdisjoint(takewhile(lambda line: not step_mark(line), lines))
    lines = [line for line in lines if line not in DOTS]
    lead_in, steps = numbered(lines)
    if steps and any(map(_CALCULATES.search, lead_in)):
        return Solution((), None, has_dots, "corrected steps without numbers before those with")
    steps = steps or _listed(lines)
    if not steps:
        return Solution(tuple(filter(None, map(_step_text, _without_lead_in(lines)))), None, has_dots)
    steps = [(number, text) for number, text in steps if text]
    return Solution(tuple(_step_text(text) for _, text in steps), steps[0][0] if steps else None, has_dots)


def solution_lines(body: str) -> list[str]:
    """The lines between the braces; without braces, up to the next question or the end."""
    lines: list[str] = []
    opened = False
    for raw in _ONE_LINE.sub("\n", body).split("\n"):
        line = _TOKENS.sub("", raw.strip()).removeprefix("\\item").strip()
        if _LIST.match(line):
            continue
        if not lines and not opened and line.startswith("{"):
            opened, line = True, line[1:].strip()
        if line in ("}", "{}") or opens_question(line):
            break
        if line:
            lines.append(line)
    if lines and lines[-1].endswith("}") and lines[-1].count("}") > lines[-1].count("{"):
        lines[-1] = lines[-1][:-1].rstrip()
    return lines


def without_tail(lines: list[str]) -> list[str]:
    """The lines up to the answer, which is written as the answer sentence where it only has a label; without one,
    up to the first line of politeness."""
    lines = _with_answer(lines)
    last = max((place for place, line in enumerate(lines) if step_mark(line)), default=-1)
    answers = [place for place in range(max(last, 0), len(lines)) if states_the_answer(lines[place])]
    if answers:  # without numbered steps prose may speak of the answer before it states it at last
        return _with_plain_end(lines[:answers[0 if last >= 0 else -1] + 1])
    for place, line in enumerate(lines[last + 1:], last + 1):
        if _CHATTER.match(line.lstrip("*_ ") if line.strip("*_- ") else line):  # a rule "***" is chatter as it is
            return _with_plain_end(lines[:place])
    return _with_plain_end(lines)


def _with_plain_end(lines: list[str]) -> list[str]:
    return [*lines[:-1], *map(without_politeness, lines[-1:])]


def _with_answer(lines: Sequence[str]) -> list[str]:
    """The lines with "Final Answer: 5", "#### 5" and a heading above "5" written as the answer sentence."""
    rewritten: list[str] = []
    for place, line in enumerate(lines):
        bare = line if line.startswith("####") else line.lstrip(DECORATION)
        if place and _HEADING.match(lines[place - 1].lstrip(DECORATION)) and not step_mark(line):
            rewritten[-1] = answer_sentence(_undressed(line))
        elif value := _VALUE.match(bare):
            rewritten.append(answer_sentence(_undressed(value[1])))
        else:
            rewritten.append(line)
    return rewritten


def _undressed(value: str) -> str:
    """An answer without bold, and without the dollars and the box around all of it."""
    value = value.strip().strip("*_").strip().removesuffix(".")
    for before, after in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if value.startswith(before) and value.endswith(after) and len(value) > len(before + after):
            inside = value[len(before):-len(after)].strip()
            value = inside if before[0] not in inside[:1] and "$" not in inside else value
    if value.startswith("\\boxed{") and value.endswith("}") and _closes_at_end(value[6:]):
        value = value[7:-1].strip()
    return value


def _closes_at_end(text: str) -> bool:
    """Whether the brace that opens the text is closed by its last character."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return place == len(text) - 1
    return False


def states_the_answer(line: str) -> bool:
    """Whether a line, numbered or not, is the sentence that ends a path."""
    bare = line.lstrip(DECORATION)
    if step := STEP.match(bare):
        bare = bare[step.end():].lstrip(DECORATION)
    sentence = ANSWER_SENTENCE.match(bare)
    return bool(sentence) and bool(bare[sentence.end():].strip(" *_:："))


def _listed(lines: Sequence[str]) -> list[tuple[int, str]]:
    """The items of a list "3. ...", "4. ..." that counts on without a gap; a line between two belongs to the one
    above it. An answer sentence behind the last is an item of its own."""
    steps: list[tuple[int, str]] = []
    for line in lines:
        item = _ITEM.match(line)
        if item and (not steps or int(item[1]) == steps[-1][0] + 1):
            steps.append((int(item[1]), line[item.end():]))
        elif steps and ANSWER_SENTENCE.match(line.lstrip(DECORATION)):
            steps.append((steps[-1][0] + 1, line))
        elif steps:
            steps[-1] = (steps[-1][0], f"{steps[-1][1]} {line}")
    return steps if len(steps) > 1 else []  # a single "3." is more often a number than a list


def _without_lead_in(lines: Sequence[str]) -> Sequence[str]:
    """Without a first line that only announces the others."""
    return lines[1:] if len(lines) > 1 and lines[0].rstrip("*_").endswith(":") and "=" not in lines[0] else lines


def _step_text(text: str) -> str:
    """The text without "(unchanged)" or "(corrected)"; empty where it only stands for a step of the original."""
    return "" if _KEPT.match(text) else _MARKED.sub("", text).strip()
