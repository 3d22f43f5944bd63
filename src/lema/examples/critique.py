"""From a question and an answer, right or wrong, to a critique of it (critique fine-tuning).

One design decision: the critique of a wrong path is what the corrector wrote of it, whether or not its answer is
the gold one (the method has no answer filter); that of a right path is one sentence, because nobody was paid for
more.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from lema import seams
from lema.examples import Case, Words
from lema.examples.correction import Part, written
from lema.records import Example, ReasoningPath
from lema.steps import number_steps, split_steps

NOTHING = "Nothing is wrong."


class Settings(seams.Settings):
    """A line of `take` with kind = "critique".

    of       right, wrong or both sorts of paths
    filter   none: every critique that could be read; verified: those whose correction passed the checks
    """

    of: tuple[Literal["right", "wrong"], ...] = Field(default=("right", "wrong"), min_length=1)
    filter: Literal["none", "verified"] = "none"
    parts: tuple[Part, ...] = Field(default=("step", "explanation", "solution"), min_length=1)


class Kind:
    """Critiques of paths."""

    prompts = ("train_critique",)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.needs = frozenset({"corrections"} if "wrong" in settings.of else {"paths"})

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        if "wrong" in self.settings.of:
            yield from self._wrong(case, words)
        if "right" in self.settings.of:
            for path in case.paths:
                if path.verdict == "right":
                    yield self._example(case, words, path, "right", NOTHING, path.id, 0)

    def _wrong(self, case: Case, words: Words) -> Iterator[Example]:
        for one in case.kept if self.settings.filter == "verified" else case.corrections:
            if one.correction.steps:
                parts = written(one, self.settings.parts, "dots")
                yield self._example(case, words, one.mistake, "wrong", "\n".join(map("".join, parts)),
                                    one.correction.id, one.correction.tokens)

    def _example(self, case: Case, words: Words, path: ReasoningPath, source: str, critique: str, parent: str,
                 paid: int) -> Example:
        asked = words.prompt("train_critique").render(question=case.question.text,
                                                      steps=number_steps(split_steps(path.text)))
        return Example(kind="critique", source=source, question=case.question.id, parent=parent, prompt=asked,
                       completion=critique, teacher_tokens=paid)
