"""A mistake and its repair in one forward text: a path up to its first wrong step, a bridge, the right way.

One design decision: LEMMA's two ways (mend the step and go on, or start afresh) and the retry data of Ye et al.
(a step back and the right step) differ in the bridge and in where the right way begins; they are one kind with two
settings.
"""

from collections.abc import Iterator
from typing import Literal

from lema import seams
from lema.examples import Case, Words
from lema.records import Example
from lema.steps import number_steps, rejoin, split_steps

BRIDGES = {
    "back": "This step is wrong.",
    "fix": "This step is wrong. {explanation}",
    "restart": "This step is wrong. {explanation} Find the answer from the first step.",
}


class Settings(seams.Settings):
    """A line of `take` with kind = "forward".

    way     fix: what is wrong is said, the step is written anew and the path goes on; restart: what is wrong is
            said and a right path begins at step 1; back: as fix, without saying why (retry data)
    bridge  a sentence of your own instead; "{explanation}" in it is the corrector's
    loss    all: the wrong steps are trained on too, as in both papers; bridge: from the bridge on only
    """

    way: Literal["fix", "restart", "back"] = "fix"
    bridge: str | None = None
    loss: Literal["all", "bridge"] = "all"


class Kind:
    """Verified corrections as one text that goes wrong, notices, and ends right."""

    prompts = ()
    needs = frozenset({"corrections"})

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        for correction, mistake in case.kept:
            said = split_steps(mistake.text)
            wrong = number_steps(said[:correction.step]) + "\n"
            bridge = (self.settings.bridge or BRIDGES[self.settings.way]).replace(
                "{explanation}", correction.explanation)
            right = number_steps(correction.steps, correction.step)
            if self.settings.way == "restart":
                right = number_steps(rejoin(said, correction.step, correction.steps))
            masked = self.settings.loss == "bridge"
            yield Example(kind="forward", source=self.settings.way, question=correction.question,
                          parent=correction.id, prompt=words.asked(case.question), prefix=wrong if masked else "",
                          completion=f"{'' if masked else wrong}{bridge}\n{right}",
                          teacher_tokens=correction.tokens)
