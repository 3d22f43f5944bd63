r"""SVAMP: elementary word problems with changed structure, {"Body", "Question", "Equation", "Answer"}.

    in   {"Body": "Mia had 3 pens", "Question": "How many has she with 8 more?", "Equation": "( 3.0 + 8.0 )",
          "Answer": 11.0}
    out  {"text": "Mia had 3 pens, How many has she with 8 more?", "answer": "11",
          "solution": "Step 1: 3 + 8 = 11\nStep 2: The answer is 11."}

One design decision: the equation of a problem is its worked solution, one step, written without the ".0" of the
file; answers are compared at two decimals, as the LeMa paper compares them.
"""

import re

from lema.records import Question
from lema.tasks._files import FileRow, is_lema, lema_row, number_question, text_of
from lema.tasks._sets import QuestionSet, Source

_WHOLE = re.compile(r"\.0+(?![0-9])")


class Settings(Source):
    """[task] for name = "svamp": files of your own, or a dataset like "ChilleD/SVAMP"."""


class Task(QuestionSet):
    """The question set."""

    name = kind = "svamp"
    held_by = ("Body", "Question")

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question: its body, which may lack its end, and what is asked of it."""
        return number_question(row, split, *(lema_row(row) if is_lema(row) else _official(row)))


def _official(row: FileRow) -> tuple[str, str, str]:
    body, request = text_of(row, "Body", "no question"), text_of(row, "Question", "no question")
    answer = _WHOLE.sub("", text_of(row, "Answer", "question without an answer"))
    equation = _WHOLE.sub("", str(row.values.get("Equation") or "")).strip()
    if equation.startswith("( ") and equation.endswith(" )"):
        equation = equation[2:-2]
    comma = "" if body.endswith((".", ",", "?", "!", ";", ":")) else ","
    return f"{body}{comma} {request}", f"{equation} = {answer}" if equation else "", answer
