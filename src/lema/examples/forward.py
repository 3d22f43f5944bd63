r"""A mistake and its repair in one forward text: a path up to its first wrong step, a bridge, the right way.

    in   {"question": "Mia has 3 pens, buys 8. How many?", "wrong": ["Buys 8.", "8 - 3 = 5", "The answer is 5."],
          "step": 2, "explanation": "Add them.", "steps": ["3 + 8 = 11", "The answer is 11."]}
    out  {"prompt": "... Question: Mia has 3 pens, buys 8. How many?\nSolution:\n",
          "completion": "Step 1: Buys 8.\nStep 2: 8 - 3 = 5\nNo, this step does not hold. Add them.\nStep 2: 3
          + 8 = 11\nStep 3: The answer is 11."}

One design decision: LEMMA's two ways (mend the step and go on, or start afresh) and the retry data of Ye et al.
(a step back and the right step) differ in the bridge and in where the right way begins; they are one kind with two
settings. Bridges are prompt files with a wording in each line, because a model that always reads the same words
before a repair learns the words.
"""

from collections.abc import Iterator
from typing import Literal

from lema import plugins
from lema.examples import Case, Words
from lema.records import Correction, Example, content_id
from lema.replies import number_steps


class Settings(plugins.Settings):
    """A line of `take` with kind = "forward".

    way     fix: what is wrong is said, the step is written anew and the path goes on; restart: what is wrong is
            said and a right path begins at step 1; back: as fix, without saying why (retry data)
    bridge  sentences of your own instead of the prompt "bridge_<way>", one of which is taken by a hash of the
            correction; "{explanation}" in them is the corrector's, "{step}" the number of the wrong step
    loss    all: the wrong steps are trained on too, as in both papers; bridge: from the bridge on only
    """

    way: Literal["fix", "restart", "back"] = "fix"
    bridge: str | tuple[str, ...] = ()
    loss: Literal["all", "bridge"] = "all"


class Kind:
    """Verified corrections as one text that goes wrong, notices, and ends right."""

    needs = frozenset({"corrections"})

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.own = (settings.bridge,) if isinstance(settings.bridge, str) else settings.bridge
        self.prompts = () if self.own else (f"bridge_{settings.way}",)

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        for kept in case.kept:
            correction = kept.correction
            wrong = number_steps(kept.wrong_steps[:correction.step]) + "\n"
            bridge = self._bridge(correction, words)
            right = number_steps(correction.steps, kept.begins)
            if self.settings.way == "restart":
                right = number_steps(kept.whole)
            masked = self.settings.loss == "bridge"
            yield Example(kind="forward", source=self.settings.way, question=correction.question,
                          parent=correction.id, prompt=words.ask(case.question), prefix=wrong if masked else "",
                          completion=f"{'' if masked else wrong}{bridge}\n{right}",
                          teacher_tokens=correction.tokens)

    def _bridge(self, correction: Correction, words: Words) -> str:
        """The same wording for the same correction in every run, another one for another way."""
        wordings = self.own or words.prompt(self.prompts[0]).text.strip().split("\n")
        chosen = wordings[int(content_id(self.settings.way, correction.id), 16) % len(wordings)]
        return chosen.replace("{step}", str(correction.step)).replace("{explanation}", correction.explanation)
