r"""AQuA: algebra with five choices, {"question", "options": ["A)5", ...], "rationale", "correct": "A"}.

    in   {"question": "What is 3 + 8?", "options": ["A)10", "B)11"], "rationale": "3 + 8 = 11", "correct": "B"}
    out  {"text": "What is 3 + 8?\n(A) 10\n(B) 11", "answer": "(B) 11", "choices": ["10", "11"],
          "solution": "Step 1: 3 + 8 = 11\nStep 2: The answer is (B) 11."}

One design decision: the gold answer is letter and value, "(A) 5", and a path may state either; a value is compared
as a number. The rationale is the worked solution.
"""

from collections.abc import Sequence

from lema.grading import EXPLICIT, Reading, read, same
from lema.records import Question
from lema.tasks._choices import ChoiceSet, choices_of, labelled, letter_of, with_choices
from lema.tasks._files import FileRow, text_of, worked_steps
from lema.tasks._sets import Source


class Settings(Source):
    """[task] for name = "aqua": files of your own, or a dataset, "deepmind/aqua_rat" with subset "raw"."""

    PUBLISHED = {"train": "train", "dev": "validation", "test": "test"}  # noqa: RUF012 - a ClassVar of the base


class Task(ChoiceSet):
    """The question set."""

    name = kind = "aqua"

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question with its options."""
        choices = choices_of(row, "options")
        letter = letter_of(row, text_of(row, "correct", "question without an answer"), choices)
        answer = labelled(letter, choices)
        return Question(text=with_choices(text_of(row, "question", "no question"), choices), answer=answer,
                        choices=choices, solution=worked_steps(str(row.values.get("rationale") or ""), answer),
                        split=split, source=row.short)

    def read(self, text: str, choices: Sequence[str] = ()) -> Reading:
        """The last stated letter or option, else the last stated value."""
        choice = super().read(text, choices)
        if choice.answer is None and (value := read(text, task="number")).how in EXPLICIT:
            return value
        return choice

    def same(self, answer: str, gold: str, choices: Sequence[str] = ()) -> bool:
        """Whether both are the same choice, by letter, text or value."""
        if super().same(answer, gold, choices):
            return True
        value = gold.partition(") ")[2]
        if not value or not any(map(str.isdigit, answer)):
            return False
        return same(answer, value, task="number", conventions=self.conventions)
