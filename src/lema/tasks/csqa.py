r"""CommonsenseQA: {"question": {"stem", "choices"}, "answerKey"}, the dataset's columns, or the LeMa test file.

    in   {"question": {"stem": "What writes?", "choices": [{"label": "A", "text": "cup"},
          {"label": "B", "text": "pen"}]}, "answerKey": "B"}
    out  {"text": "What writes?\n(A) cup\n(B) pen", "answer": "(B) pen", "choices": ["cup", "pen"]}

One design decision: all three forms become the same question, its choices lettered, and the gold answer is both
letter and text: "(B) bank". Paths need no steps; whatever states a letter or a candidate's text can be judged.
"""

from lema.errors import DataError
from lema.records import Question
from lema.tasks._choices import ChoiceSet, choices_of, labelled, letter_of, with_choices
from lema.tasks._files import FileRow, is_lema, lema_question, text_of
from lema.tasks._sets import Source


class Settings(Source):
    """[task] for name = "csqa": files of your own, or a dataset, "tau/commonsense_qa"."""

    PUBLISHED = {"train": "train", "test": "validation"}  # noqa: RUF012 - a ClassVar of the base


class Task(ChoiceSet):
    """The question set."""

    name = kind = "csqa"
    held_by = ("question", "prompt")

    def question_of(self, row: FileRow, split: str) -> Question:
        """A row's question with its choices."""
        row = row if is_lema(row) else _flat(row)
        text = lema_question(row) if is_lema(row) else text_of(row, "question", "no question")
        choices = choices_of(row, "candidates")
        letter = letter_of(row, text_of(row, "answer", "question without an answer"), choices)
        return Question(text=with_choices(text, choices), answer=labelled(letter, choices), choices=choices,
                        split=split, source=row.short)


def _flat(row: FileRow) -> FileRow:
    """The original form, choices inside the question, or the dataset's, beside it, with the names of LeMa's."""
    inside = row.values.get("question")
    if not isinstance(inside, dict):
        inside = {"stem": inside, "choices": row.values.get("choices")}
    choices = inside.get("choices")
    if isinstance(choices, dict) and isinstance(choices.get("text"), list):
        texts = choices["text"]
    elif isinstance(choices, list) and all(isinstance(c, dict) and "text" in c for c in choices):
        texts = [choice["text"] for choice in choices]
    else:
        raise DataError(f'{row.place}: no choices; a row must be {{"question": {{"stem": ..., "choices": '
                        '[{"label": "A", "text": ...}, ...]}, "answerKey": "A"}')
    return row._replace(values={"question": inside.get("stem"), "candidates": texts,
                                "answer": row.values.get("answerKey")})
