r"""MAWPS: elementary word problems, {"input", "target"} or the family's {"sQuestion", "lEquations", "lSolutions"}.

    in   {"sQuestion": " Mia has 3 pens and buys 8. How many? ", "lEquations": ["X=(3.0+8.0)"],
          "lSolutions": [11.0]}
    out  {"text": "Mia has 3 pens and buys 8. How many?", "answer": "11",
          "solution": "Step 1: (3+8) = 11\nStep 2: The answer is 11."}

One design decision: both forms become the same question; answers are compared at two decimals, since the files
write a third as 0.3333333333. A problem that stands twice, as some do in the published files, stays twice.
"""

import re

from lema.errors import DataError
from lema.records import Question
from lema.tasks._files import FileRow, is_lema, lema_row, number_question, text_of
from lema.tasks._sets import QuestionSet, Source

_WHOLE = re.compile(r"\.0+(?![0-9])")
_SOLVED = re.compile(r"\s*[A-Za-z]\s*=([^=]+)")  # the unknown stands alone on one side


class Settings(Source):
    """[task] for name = "mawps": files of your own, or a dataset with the same columns."""


class Task(QuestionSet):
    """The question set."""

    name = kind = "mawps"
    held_by = ("input", "sQuestion")
    repeated = "kept"

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question; an equation that is solved for its unknown is the worked solution."""
        return number_question(row, split, *(lema_row(row) if is_lema(row) else _official(row)))


def _official(row: FileRow) -> tuple[str, str, str]:
    if "sQuestion" not in row.values:
        answer = _WHOLE.sub("", text_of(row, "target", "question without an answer"))
        return text_of(row, "input", "no question").strip(), "", answer
    solutions, equations = row.values.get("lSolutions"), row.values.get("lEquations") or [""]
    if not isinstance(solutions, list) or len(solutions) != 1:
        raise DataError(f'{row.place}: question without an answer; "lSolutions" must be a list of one number')
    answer = _WHOLE.sub("", str(solutions[0]))
    solved = _SOLVED.fullmatch(_WHOLE.sub("", str(equations[0])))
    return text_of(row, "sQuestion", "no question").strip(), f"{solved[1]} = {answer}" if solved else "", answer
