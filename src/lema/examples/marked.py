r"""Right and wrong paths, each marked as what it is (mistake tuning).

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."]}
    out  {"prompt": "... Question: Mia has 3 pens, buys 8. How many?\nWrong Solution:\n",
          "completion": "Step 1: Buys 8.\nStep 2: 8 - 3 = 5\nStep 3: The answer is 5."}

One design decision: the mark of a wrong path stands in its prompt, and a right path has the plain prompt for its
mark, so that a trained model is examined with the same question as every other arm.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from lema import plugins
from lema.examples import Case, Words
from lema.records import Example
from lema.replies import number_steps, split_steps


class Settings(plugins.Settings):
    """A line of `take` with kind = "marked"; the mark of wrong paths is the prompt `train_mistake`."""

    of: tuple[Literal["right", "wrong"], ...] = Field(default=("right", "wrong"), min_length=1)


class Kind:
    """Sampled paths with a verdict; nobody corrects them."""

    prompts = ("train_mistake",)
    needs = frozenset({"paths"})

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        prompts = {"right": words.ask(case.question),
                   "wrong": words.prompt("train_mistake").render(question=case.question.text)}
        for path in case.paths:
            steps = split_steps(path.text)
            if path.verdict in self.settings.of and steps:
                yield Example(kind="marked", source=path.verdict, question=case.question.id, parent=path.id,
                              prompt=prompts[path.verdict], completion=number_steps(steps))
