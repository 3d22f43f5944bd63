r"""From a question and the right steps before a mistake to the corrected steps; the wrong text is not shown.

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."],
          "step": 2, "explanation": "Add them.", "steps": ["3 + 8 = 11", "The answer is 11."]}
    out  {"prompt": "... Question: Mia has 3 pens, buys 8. How many?\nSolution:\n",
          "prefix": "Step 1: Buys 8.\n", "completion": "Step 2: 3 + 8 = 11\nStep 3: The answer is 11."}

One design decision: the right steps stand where the model would have written them itself, without loss, so that
what is learnt is the step that it needed there. Of a one-step correction the steps behind it are the student's
own.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import model_validator

from lema import plugins
from lema.chains import StepCorrection
from lema.examples import Case, Words
from lema.records import Example
from lema.replies import number_steps


class Settings(plugins.Settings):
    """A line of `take` with kind = "step".

    source  corrections: verified corrections, written by the corrector to the end; continued: one-step
            corrections, gone on from by the student itself
    loss    of a path that was gone on from: from_first: from the first step that was corrected on; last: from the
            last one on; whole: on all of it, the student's own right steps before the first mistake included
    """

    source: Literal["corrections", "continued"] = "corrections"
    loss: Literal["from_first", "last", "whole"] = "from_first"

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if self.source == "corrections" and self.loss != "from_first":
            raise ValueError(f'loss = "{self.loss}" is for source = "continued"')
        return self


class Kind:
    """Verified corrections as right prefix and corrected steps."""

    prompts = ()

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.needs = frozenset({settings.source})

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        if self.settings.source == "continued":
            for row in case.continued:
                if row.kept:
                    led_here = [other.tokens for other in case.continued if other.path == row.path]
                    yield self._example(case, words, row.steps, self._begins(row), row.id, sum(led_here))
            return
        for kept in case.kept:
            steps = (*kept.wrong_steps[:kept.begins - 1], *kept.correction.steps)
            yield self._example(case, words, steps, kept.begins, kept.correction.id, kept.correction.tokens)

    def _begins(self, row: StepCorrection) -> int:
        """The number of the step from which on there is loss."""
        return {"from_first": row.first, "last": row.step, "whole": 1}[self.settings.loss]

    def _example(self, case: Case, words: Words, steps: tuple[str, ...], begins: int, parent: str,
                 cost: int) -> Example:
        before = number_steps(steps[:begins - 1])
        return Example(kind="step", source=self.settings.source, question=case.question.id, parent=parent,
                       prompt=words.ask(case.question), prefix=before + "\n" if before else "",
                       completion=number_steps(steps[begins - 1:], begins), teacher_tokens=cost)
