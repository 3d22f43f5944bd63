r"""MATH: competition problems in the format of hendrycks/math, {"problem", "level", "type", "solution"}.

    in   {"problem": "What is $2^3 + 3$?", "level": "Level 1", "solution": "It is $8 + 3 = \\boxed{11}$."}
    out  {"text": "What is $2^3 + 3$?", "answer": "11", "level": 1,
          "solution": "Step 1: It is $8 + 3 = \\boxed{11}$.\nStep 2: The answer is 11."}

One design decision: the gold answer is what the last \boxed of the solution holds, as it stands there; a file
with an "answer" column of its own (MATH-500) is taken at its word. Lines of one formula or drawing stay one step.
"""

import re

from lema.errors import DataError
from lema.records import Question
from lema.tasks._files import FileRow, is_lema, lema_row, text_of, worked_steps
from lema.tasks._sets import QuestionSet, Source

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s*")
_BRACE = re.compile(r"\\.|[{}]", re.S)
_BARE = re.compile(r"\\?[^\s\\{}$]+")
_OPENS = re.compile(r"\\begin\{|\[asy\]|\\\[")
_CLOSES = re.compile(r"\\end\{|\[/asy\]|\\\]")


class Settings(Source):
    """[task] for name = "math": files of your own, or a dataset, like "HuggingFaceH4/MATH-500"."""


class Task(QuestionSet):
    """The question set."""

    name = kind = "math"
    held_by = ("problem",)

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question, its level where it has one, and its solution as steps."""
        text, worked, answer = lema_row(row) if is_lema(row) else _official(row)
        return Question(text=text, answer=answer, solution=worked_steps(_joined(worked), answer), split=split,
                        level=_level(row), source=row.short)


def last_box(text: str) -> str | None:
    """What the last \\boxed or \\fbox holds: its braces, or without braces the word after it; None without one."""
    boxes = list(_BOX.finditer(text))
    if not boxes:
        return None
    start = boxes[-1].end()
    if not text.startswith("{", start):
        bare = _BARE.match(text, start)
        return bare[0].rstrip(".,") or None if bare else None
    depth = 0
    for brace in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[start + 1:brace.start()].strip() or None
    return None


def _official(row: FileRow) -> tuple[str, str, str]:
    text = text_of(row, "problem", "no question")
    if row.values.get("answer") not in (None, ""):
        return text, str(row.values.get("solution") or ""), text_of(row, "answer", "question without an answer")
    worked = text_of(row, "solution", "question without an answer")
    answer = last_box(worked)
    if answer is None:
        raise DataError(f'{row.place}: question without an answer; its "solution" must hold it in \\boxed{{...}}, '
                        'or give it as "answer"')
    return text, worked, answer


def _joined(worked: str) -> str:
    """The solution with one line per step: a formula or a drawing over several lines is one of them."""
    lines: list[str] = []
    open_now = 0
    for line in filter(str.strip, worked.splitlines()):
        if open_now > 0:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.strip())
        open_now += len(_OPENS.findall(line)) - len(_CLOSES.findall(line))
    return "\n".join(lines)


def _level(row: FileRow) -> int | None:
    """The level in "Level 3", 3 or 3.0; "Level ?" is none."""
    value = row.values.get("level", row.values.get("difficulty"))
    digits = re.search(r"[0-9]{1,2}", str(value)) if value is not None else None
    return int(digits[0]) if digits else None
