r"""From a question and an answer, right or wrong, to a critique of it (critique fine-tuning).

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."],
          "critique": "Step 1: Buys 8.\nStep 2: Add them.\nIncorrect Step: Step 2."}
    out  {"prompt": "... Step 2: 8 - 3 = 5\nStep 3: The answer is 5.\n}\n",
          "completion": "Step 1: Buys 8.\nStep 2: Add them.\nIncorrect Step: Step 2."}

One design decision: the completion is what the critic wrote, word for word, and nobody looks whether it is right
unless the arm asks for that; so what is trained on is what was paid for.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from lema import plugins
from lema.examples import Case, Words
from lema.examples.take import Sort
from lema.prompting import critique_values
from lema.records import Example


class Settings(plugins.Settings):
    """A line of `take` with kind = "critique".

    of       right, wrong or both sorts of paths, by the grader
    filter   none: every critique that could be read; agreeing: those that conclude what the grader says
    prompt   what a model is trained to answer: a prompt's name, or a file of your own
    """

    of: tuple[Sort, ...] = Field(default=("right", "wrong"), min_length=1)
    filter: Literal["none", "agreeing"] = "none"
    prompt: str = "train_critique"


class Kind:
    """Critiques of paths."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.prompts = (settings.prompt,)
        self.needs = frozenset(f"critiques {sort}" for sort in settings.of)

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        for critique, path in case.critiques:
            agrees = critique.said == path.verdict
            if path.verdict in self.settings.of and (agrees or self.settings.filter == "none"):
                prompt = words.prompt(self.settings.prompt).render(**critique_values(case.question, path.text))
                yield Example(kind="critique", source=path.verdict, question=case.question.id, parent=critique.id,
                              prompt=prompt, completion=critique.text, teacher_tokens=critique.tokens)
