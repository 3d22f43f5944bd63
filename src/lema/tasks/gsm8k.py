r"""Grade-school maths in the official GSM8K format: {"question", "answer"}, the answer ending in "#### N".

    in   {"question": "Mia has 3 pens and buys 2 bags of 4. How many?", "answer": "2 * 4 = <<2*4=8>>8\n#### 11"}
    out  {"text": "Mia has 3 pens and buys 2 bags of 4. How many?", "answer": "11",
          "solution": "Step 1: 2 * 4 = 8\nStep 2: The answer is 11."}

One design decision: the worked solution becomes what a model is to write, numbered steps whose last one is the
answer sentence; calculator marks and thousands separators of the gold answer are gone before anyone sees them.
"""

from lema.errors import DataError
from lema.records import Question
from lema.replies import drop_calculator_marks
from lema.tasks._files import FileRow, is_lema, lema_row, number_question, text_of
from lema.tasks._sets import QuestionSet, Source

MARK = "####"


class Settings(Source):
    """[task] for name = "gsm8k": files of your own, or a dataset, "openai/gsm8k" with subset "main"."""


class Task(QuestionSet):
    """The question set."""

    name = kind = "gsm8k"

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question; its "answer" is the worked solution and the answer behind the mark."""
        text, worked, answer = lema_row(row) if is_lema(row) else _official(row)
        return number_question(row, split, text, worked, answer.replace(",", ""))


def _official(row: FileRow) -> tuple[str, str, str]:
    text = text_of(row, "question", "no question")
    solution = drop_calculator_marks(text_of(row, "answer", "question without an answer"))
    worked, mark, gold = solution.rpartition(MARK)
    if not mark or not gold.strip():
        raise DataError(f'{row.place}: question without an answer; its "answer" must end in a line "{MARK} N" '
                        '(for other formats use the task "rows")')
    return text, worked, gold.strip()
