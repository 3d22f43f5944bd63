"""From a question and a wrong path to its correction: the paper's form, and the same without some of its parts.

One design decision: the prompt ends in the label of the first part that the completion has, so that leaving a part
out changes nothing else in the text.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from lema import plugins
from lema.examples import Case, Corrected, Words
from lema.prompting import CUE, correction_values
from lema.records import Example
from lema.replies import number_steps, render_rewrite, split_steps

Part = Literal["step", "explanation", "solution"]
Form = Literal["dots", "whole"]
REWRITE = "csqa/train_correction"
"""What the correction of a path without steps is trained with."""

LABELS = {"step": CUE, "explanation": "Explanation:", "solution": "Correct Solution:"}


class Settings(plugins.Settings):
    """A line of `take` with kind = "correction".

    form  dots: from the wrong step on, a line of dots for the steps before it; whole: from the first step on
    """

    parts: tuple[Part, ...] = Field(default=("step", "explanation", "solution"), min_length=1)
    form: Form = "dots"


class Kind:
    """Corrections of wrong paths, in the order step, explanation, solution."""

    prompts = ("train_correction", REWRITE)
    needs = frozenset({"corrections"})

    def __init__(self, settings: Settings) -> None:
        self.form = settings.form
        self.parts = tuple(part for part in LABELS if part in settings.parts)

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        prompt = words.prompt("train_correction")
        for one in case.kept:
            asked = prompt.render(question=case.question.text, parts=self.parts,
                                  steps=number_steps(split_steps(one.mistake.text)))
            (first, said), *rest = written(one, self.parts, self.form)
            yield Example(kind="correction", source="corrections", question=case.question.id,
                          parent=one.correction.id, prompt=asked.removesuffix(CUE) + first,
                          completion=said + _labelled(rest), teacher_tokens=one.correction.tokens)
        for one in case.rewritten:
            told = words.prompt(REWRITE)
            values = correction_values(case.question, "\n".join(split_steps(one.mistake.text)), told.cue)
            yield Example(kind="correction", source="corrections", question=case.question.id,
                          parent=one.correction.id, prompt=told.render(**values),
                          completion=render_rewrite(one.correction.explanation, "\n".join(one.correction.steps)),
                          teacher_tokens=one.correction.tokens)


def written(one: Corrected, parts: tuple[Part, ...], form: Form) -> list[tuple[str, str]]:
    """(label, what follows it) of the wanted parts of a correction."""
    said = {"step": f" Step {one.correction.step}.", "explanation": f" {one.correction.explanation}",
            "solution": f"\n{{\n{_solution(one, form)}\n}}"}
    return [(label, said[part]) for part, label in LABELS.items() if part in parts]


def _labelled(parts: list[tuple[str, str]]) -> str:
    return "".join(f"\n{label}{said}" for label, said in parts)


def _solution(one: Corrected, form: Form) -> str:
    if form == "whole":
        return number_steps(one.whole)
    return ("...\n" if one.begins > 1 else "") + number_steps(one.correction.steps, one.begins)
