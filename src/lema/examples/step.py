r"""From a question and the right steps before a mistake to the corrected steps; the wrong text is not shown.

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."],
          "step": 2, "explanation": "Add them.", "steps": ["3 + 8 = 11", "The answer is 11."]}
    out  {"prompt": "... Question: Mia has 3 pens, buys 8. How many?\nSolution:\n",
          "prefix": "Step 1: Buys 8.\n", "completion": "Step 2: 3 + 8 = 11\nStep 3: The answer is 11."}

One design decision: the right steps stand where the model would have written them itself, without loss, so that
what is learnt is the step that it needed there.
"""

from collections.abc import Iterator

from lema import plugins
from lema.examples import Case, Words
from lema.records import Example
from lema.replies import number_steps


class Settings(plugins.Settings):
    """A line of `take` with kind = "step"."""


class Kind:
    """Verified corrections as right prefix and corrected steps."""

    prompts = ()
    needs = frozenset({"corrections"})

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        for kept in case.kept:
            correction, right = kept.correction, number_steps(kept.wrong_steps[:kept.begins - 1])
            yield Example(kind="step", source="corrections", question=correction.question, parent=correction.id,
                          prompt=words.ask(case.question), prefix=right + "\n" if right else "",
                          completion=number_steps(correction.steps, kept.begins),
                          teacher_tokens=correction.tokens)
