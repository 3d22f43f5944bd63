r"""ASDiv: diverse school word problems, {"body", "question", "answer", "formula"} in either spelling of the names.

    in   {"body": "Mia has 3 pens and buys 8.", "question": "How many?", "answer": "11 (pen)", "formula": "3+8=11"}
    out  {"text": "Mia has 3 pens and buys 8. How many?", "answer": "11",
          "solution": "Step 1: 3+8=11\nStep 2: The answer is 11."}

One design decision: only problems whose answer is one number belong to the set, which keeps the 2,084 of the LeMa
paper: those whose answer text before "(" Python reads as a float. The one problem that stands twice stays twice.
"""

from lema.records import Question
from lema.tasks._files import FileRow, is_lema, lema_row, text_of, worked_steps
from lema.tasks._sets import QuestionSet, Source


class Settings(Source):
    """[task] for name = "asdiv": files of your own, or a dataset, "EleutherAI/asdiv", which has one split only."""

    PUBLISHED = {"test": "validation"}  # noqa: RUF012 - a ClassVar of the base


class Task(QuestionSet):
    """The question set."""

    name = kind = "asdiv"
    held_by = ("body", "question")
    repeated = "kept"

    def row_of(self, row: FileRow) -> FileRow | None:
        """The row with lower-case names; None where its answer is no single number."""
        row = row._replace(values={str(name).lower(): value for name, value in row.values.items()})
        if is_lema(row):
            return row
        try:
            float(text_of(row, "answer", "question without an answer").partition("(")[0])
        except ValueError:
            return None
        return row

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question; the formula, with its result, is the worked solution."""
        text, worked, answer = lema_row(row) if is_lema(row) else _official(row)
        return Question(text=text, answer=answer, solution=worked_steps(worked, answer), split=split,
                        source=row.short)


def _official(row: FileRow) -> tuple[str, str, str]:
    text = f"{text_of(row, 'body', 'no question')} {text_of(row, 'question', 'no question')}"
    answer = text_of(row, "answer", "question without an answer").partition("(")[0].strip()
    return text, str(row.values.get("formula") or ""), answer
