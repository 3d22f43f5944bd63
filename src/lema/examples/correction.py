r"""From a question and a wrong path to its correction: the paper's form, and the same without some of its parts.

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."],
          "step": 2, "explanation": "Add them.", "steps": ["3 + 8 = 11", "The answer is 11."]}
    out  {"prompt": "... Step 2: 8 - 3 = 5\nStep 3: The answer is 5.\n}\nIncorrect Step:",
          "completion": " Step 2.\nExplanation: Add them.\nCorrect Solution:\n{\n...\nStep 2: 3 + 8 = 11\nStep 3:
          The answer is 11.\n}"}

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
from lema.replies import number_steps, render_rewrite

Part = Literal["step", "explanation", "solution"]
Form = Literal["dots", "whole"]
REWRITE = "csqa/train_correction"  # what the correction of a path without steps is trained with
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
        prompt, first = words.prompt("train_correction"), LABELS[self.parts[0]]
        for kept in case.kept:
            steps = number_steps(kept.wrong_steps)
            text = prompt.render(question=case.question.text, parts=self.parts, steps=steps).removesuffix(CUE)
            yield _example(kept, text + first, self._written(kept).removeprefix(first))
        for kept in case.rewritten:
            anew = words.prompt(REWRITE)
            values = correction_values(case.question, "\n".join(kept.wrong_steps), anew.cue)
            correction = kept.correction
            yield _example(kept, anew.render(**values),
                           render_rewrite(correction.explanation, "\n".join(correction.steps)))

    def _written(self, kept: Corrected) -> str:
        """The wanted parts of a correction, each behind its label."""
        solution = "...\n" if kept.begins > 1 else ""
        solution += number_steps(kept.correction.steps, kept.begins)
        if self.form == "whole":
            solution = number_steps(kept.whole)
        behind = {"step": f" Step {kept.correction.step}.", "explanation": f" {kept.correction.explanation}",
                  "solution": f"\n{{\n{solution}\n}}"}
        return "\n".join(LABELS[part] + behind[part] for part in self.parts)


def _example(kept: Corrected, prompt: str, completion: str) -> Example:
    correction = kept.correction
    return Example(kind="correction", source="corrections", question=correction.question, parent=correction.id,
                   prompt=prompt, completion=completion, teacher_tokens=correction.tokens)
