r"""From a question and the right steps before a mistake to a pair: the corrected step, and the wrong one.

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."],
          "step": 2, "explanation": "Add them.", "steps": ["3 + 8 = 11", "The answer is 11."]}
    out  {"prompt": "... Question: Mia has 3 pens, buys 8. How many?\nSolution:\n", "prefix": "Step 1: Buys 8.\n",
          "completion": "Step 2: 3 + 8 = 11\n", "dispreferred": "Step 2: 8 - 3 = 5\n"}

One design decision: both sides stand behind the same right steps and differ in the step that was corrected, so
that what a trainer weighs is that step and not the length or the manner of a whole solution.
"""

from collections.abc import Iterator
from typing import Literal

from lema import plugins
from lema.examples import Case, Words
from lema.records import Example, content_id
from lema.replies import number_steps


class Settings(plugins.Settings):
    """A line of `take` with kind = "preference".

    source  corrections: verified corrections of whole paths; continued: one-step corrections that led to the gold
            answer
    reach   step: the corrected step against the wrong one, each with its line end; end: everything from there on,
            both with the end of the text
    """

    source: Literal["corrections", "continued"] = "corrections"
    reach: Literal["step", "end"] = "step"


class Kind:
    """Corrections as pairs of what should and what should not be written next."""

    prompts = ()
    pairs = True
    """What it makes has two sides, and needs a trainer that takes them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.needs = frozenset({settings.source})

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        if self.settings.source == "corrections":
            for kept in case.kept:
                yield from self._pair(case, words, kept.wrong_steps, kept.begins, kept.correction.steps,
                                      kept.correction.id, kept.correction.tokens)
            return
        solved = {row.path for row in case.continued if row.kept}
        for row in case.continued:
            if row.path in solved and row.step is not None and row.text:
                # Only the last correction of a chain knows how the path ends.
                right = row.steps[row.step - 1:] if row.kept else (row.text,)
                if row.kept or self.settings.reach == "step":
                    yield from self._pair(case, words, row.mistake, row.step, right, row.id, row.tokens)

    def _pair(self, case: Case, words: Words, wrong: tuple[str, ...], begins: int, right: tuple[str, ...],
              parent: str, cost: int) -> Iterator[Example]:
        before = number_steps(wrong[:begins - 1])
        prefix = before + "\n" if before else ""
        better, worse = self._reaching(right, begins), self._reaching(wrong[begins - 1:], begins)
        if better.split() != worse.split() and worse.strip():
            asking = words.ask(case.question)
            yield Example(kind="preference", source=self.settings.source, question=case.question.id, parent=parent,
                          prompt=asking, prefix=prefix, completion=better, dispreferred=worse, teacher_tokens=cost,
                          id=content_id("preference", asking, prefix, better, worse))

    def _reaching(self, steps: tuple[str, ...], begins: int) -> str:
        if self.settings.reach == "end":
            return number_steps(steps, begins)
        return number_steps(steps[:1], begins) + "\n" * bool(steps)
