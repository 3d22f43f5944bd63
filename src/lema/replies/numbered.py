"""A reasoning path as numbered steps: cut, numbered, and put together with its correction.

One design decision: a number is read where it opens a line, behind bold, heading or list marks; text without
numbers has one step per line.
"""

import re
from collections.abc import Sequence

from lema.replies.marks import ANSWER_SENTENCE, DECORATION, STEP
from lema.replies.own_text import own_text

_MARK = re.compile(r"<<[^<>\n]*>>")
_FINAL = re.compile(r"(?:#{4}|A:)[ \t]*(?=\S)")


def drop_calculator_marks(text: str) -> str:
    """The text without GSM8K's <<48/2=24>> marks."""
    return _MARK.sub("", text)


def split_steps(text: str) -> tuple[str, ...]:
    """The steps of a path, without their numbers; each is one line.

    Numbered text ("Step 2: ...") is cut at its numbers, and the lines below a numbered line belong to it; a
    lead-in before Step 1 is no step. Text without numbers has one step per line. A last line "#### 5" or "A: 5"
    becomes the answer step. Only the model's own text counts (lema.replies.own_text): no thoughts, and nothing
    behind its answer.
    """
    lines = list(filter(None, map(str.strip, own_text(text).split("\n"))))
    answer = ()
    if lines and (final := _FINAL.match(lines[-1])):
        answer = (answer_sentence(lines.pop()[final.end():]),)
    lead_in, steps = numbered(lines)
    if steps and steps[0][0] == 1:
        lead_in = []
    return (*lead_in, *(text for _, text in steps if text), *answer)


def answer_sentence(value: str) -> str:
    """The sentence that closes every path: "The answer is 5."."""
    return f"The answer is {value.strip().removesuffix('.')}."


def number_steps(steps: Sequence[str], start: int = 1) -> str:
    """The steps as lines "Step 1: ...", "Step 2: ...", the first being number `start`."""
    return "\n".join(f"Step {number}: {step}" for number, step in enumerate(steps, start))


def rejoin(path_steps: Sequence[str], step: int, corrected_steps: Sequence[str]) -> tuple[str, ...]:
    """The whole corrected path: the steps before number `step`, then the corrected ones.

    Raises ValueError where the path has no step before that number.
    """
    if not 1 <= step <= len(path_steps) + 1:
        raise ValueError(f"step {step} of a path of {len(path_steps)}")
    return (*path_steps[:step - 1], *corrected_steps)


def numbered(lines: Sequence[str]) -> tuple[list[str], list[tuple[int, str]]]:
    """(the lines before the first number, (number, text) per step). Lines below a numbered line join it, but an
    answer sentence stands alone: models forget its number, and glued to a calculation it would end no path."""
    lead_in: list[str] = []
    steps: list[tuple[int, list[str]]] = []
    for line in lines:
        bare = line.lstrip(DECORATION)
        if match := STEP.match(bare):
            steps.append((int(match[1]), _opening(line, bare, match)))
        elif not steps:
            lead_in.append(line)
        elif steps[-1][1] and ANSWER_SENTENCE.match(bare):
            steps.append((steps[-1][0] + 1, [line]))
        else:
            steps[-1][1].append(line)
    return lead_in, [(number, " ".join(parts)) for number, parts in steps]


def _opening(line: str, bare: str, match: re.Match) -> list[str]:
    """The text behind a step's number, without the end of a bold that began before it."""
    text = bare[match.end():].strip()
    bold = line[:len(line) - len(bare)].strip()
    if bold.endswith("*") and not match[0].endswith("*"):
        text = text.removesuffix("**").rstrip()
    return [text] if text else []
