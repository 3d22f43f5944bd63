r"""From a question to a worked solution: human-written, the student's own, sampled, bought, or corrected.

    in   {"question": "Mia has 3 pens, buys 8. How many?", "solution": "Step 1: The answer is 11."}
    out  {"prompt": "... Question: Mia has 3 pens, buys 8. How many?\nSolution:\n",
          "completion": "Step 1: The answer is 11."}

One design decision: whatever wrote a solution, it is trained on in one style, numbered steps that end in the
answer sentence.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Literal

from pydantic import Field, model_validator

from lema import plugins
from lema.examples import Case, Words
from lema.grading import calculations
from lema.records import Example, ReasoningPath
from lema.replies import number_steps, split_steps


class Settings(plugins.Settings):
    """A line of `take` with kind = "cot".

    source  worked: as the task has them; own: the base's right paths; sampled: any model's; teacher: bought for
            random questions; teacher-failed: bought for questions that a sampled model failed; corrected: the
            whole corrected paths of verified corrections
    distinct equations: of a question's right paths that calculate the same only the first, as RFT does
    agree    own and sampled: a right path is taken only where so many paths of its question, by the same model,
             are right; fewer may be right by luck
    """

    source: Literal["worked", "own", "sampled", "teacher", "teacher-failed", "corrected"] = "worked"
    distinct: Literal["text", "equations"] = "text"
    agree: int = Field(1, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if self.agree > 1 and self.source not in ("own", "sampled"):
            raise ValueError('agree is for source = "own" or "sampled", of which a question has several paths, '
                             f'not "{self.source}"')
        return self


PURCHASES = {"teacher": "random", "teacher-failed": "failed"}  # which of the [cot] purchases a source is
NEEDS = {"worked": "worked", "own": "own", "sampled": "paths", "corrected": "corrections",
         "teacher": "bought random", "teacher-failed": "bought failed"}


class Kind:
    """Worked solutions."""

    prompts = ()

    def __init__(self, settings: Settings) -> None:
        self.source, self.distinct, self.agree = settings.source, settings.distinct, settings.agree
        self.needs = frozenset({NEEDS[settings.source]})

    def make(self, case: Case, words: Words) -> Iterator[Example]:
        if self.source == "worked":
            return self._worked(case, words)
        if self.source == "corrected":
            return self._corrected(case, words)
        return self._paths(case, words, self._chosen(case, words))

    def _worked(self, case: Case, words: Words) -> Iterator[Example]:
        question = case.question
        if question.solution and question.split == "train":
            yield Example(kind="cot", source="worked", prompt=words.ask(question), completion=question.solution,
                          question=question.id)

    def _chosen(self, case: Case, words: Words) -> Iterable[ReasoningPath]:
        if self.source in PURCHASES:
            return case.bought.get(PURCHASES[self.source], ())
        return case.of((words.base,)).paths if self.source == "own" else case.paths

    def _paths(self, case: Case, words: Words, paths: Iterable[ReasoningPath]) -> Iterator[Example]:
        seen: set[tuple[str, ...]] = set()
        right = [path for path in paths if path.verdict == "right"]
        agreeing = Counter(map(attrgetter("model"), right))
        for path in right:
            if agreeing[path.model] >= self.agree and not (self.distinct == "equations" and _repeats(path, seen)):
                yield Example(kind="cot", source=self.source, question=path.question, parent=path.id,
                              prompt=words.ask(case.question), completion=number_steps(split_steps(path.text)),
                              teacher_tokens=path.tokens if self.source in PURCHASES else 0)

    def _corrected(self, case: Case, words: Words) -> Iterator[Example]:
        for kept in (*case.kept, *case.rewritten):
            correction = kept.correction
            yield Example(kind="cot", source="corrected", question=correction.question, parent=correction.id,
                          prompt=words.ask(case.question), completion=number_steps(kept.whole),
                          teacher_tokens=correction.tokens)


def _repeats(path: ReasoningPath, seen: set[tuple[str, ...]]) -> bool:
    """Whether a path before it made the same calculations; one that makes none repeats nothing."""
    made = calculations(split_steps(path.text))
    repeats = bool(made) and made in seen
    seen.add(made)
    return repeats
