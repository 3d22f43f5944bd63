r"""The lab: readable word problems of our own, written from a seed, that models of any size can learn.

    in   {"train": 1, "worked": 1, "levels": [1]}
    out  {"text": "Leo has 18 buns. Ida has a third of what Leo has. How many buns does Ida have?", "answer": "6",
          "solution": "Step 1: Ida = Leo / 3 = 18 / 3 = 6.\nStep 2: The answer is 6.", "level": 1}

One design decision: the lab knows the solution graph behind every text that it writes and finds it again from the
text alone, so that its teacher walks the road of any hosted model: prompt, reply, parse.
"""

import random
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from pydantic import Field, model_validator

from lema import plugins
from lema.errors import ConfigError
from lema.grading import Reading
from lema.messages import Message
from lema.prompting import find_prompt
from lema.records import Example, Question
from lema.replies import number_steps
from lema.tasks.lab import curriculum
from lema.tasks.lab.drawing import draw, draw_rules
from lema.tasks.lab.problems import Problem, worked_steps
from lema.tasks.lab.review import review
from lema.tasks.lab.wording import parse, write

MOST_LEVELS = 8
_ANSWER = re.compile(r"The answer is (\d{1,9})")


class Settings(plugins.Settings):
    """[task] for name = "lab"."""

    seed: int = Field(1, description="another seed, other problems")
    train: int = Field(1000, gt=0, description="training questions")
    worked: int = Field(100, ge=0, description="how many of them carry a worked solution, not the answer only")
    dev: int = Field(300, ge=0)
    test: int = Field(600, ge=0)
    levels: tuple[int, ...] = Field((2, 3, 4), min_length=1, description="steps of reckoning, in equal parts")
    share: float = Field(0.5, ge=0, le=1, description="share of the steps that take a target rule")
    lesson_share: float = Field(0.0, ge=0, le=1, description="the same in the lessons that students are grown on")
    lesson_levels: tuple[int, ...] = Field(curriculum.LEVELS, min_length=1, description="steps of these lessons")

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if self.worked > self.train:
            raise ValueError(f"worked {self.worked} is more than train {self.train}")
        if not all(1 <= level <= MOST_LEVELS for level in (*self.levels, *self.lesson_levels)):
            raise ValueError(f"levels are 1 to {MOST_LEVELS}")
        return self

    def facts(self) -> dict:
        """What is not set is left out: no run becomes stale by a setting that it does not use."""
        facts = super().facts()
        if self.lesson_levels == curriculum.LEVELS:
            del facts["lesson_levels"]
        return facts


class Task:
    """The question set."""

    name = "lab"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        counts = {"train": settings.train, "dev": settings.dev, "test": settings.test}
        self.splits = tuple(split for split, count in counts.items() if count)
        self._prompt = find_prompt("zero_shot", self.name)

    def questions(self, split: str, limit: int | None = None) -> Iterator[Question]:
        """The questions of a split; the first ones of train are the worked ones.

        ConfigError where the lab has too few different problems of a level.
        """
        settings = self.settings
        problems = islice(self._problems(split), getattr(settings, split))
        for number, problem in enumerate(islice(problems, limit)):
            solved = split == "train" and number < settings.worked
            yield Question(text=write(problem), answer=str(problem.answer), level=problem.level, split=split,
                           solution=number_steps(worked_steps(problem)) if solved else None,
                           source=f"lab:{settings.seed}")

    def prompt(self, question: Question) -> list[Message]:
        """The question and the cue for its solution: short, for models that know nothing else."""
        return [Message("user", self._prompt.render(question=question.text))]

    def read(self, text: str) -> Reading:
        """The last answer sentence."""
        stated = _ANSWER.findall(text)
        return Reading(stated[-1], "answer sentence") if stated else Reading(None, "no answer sentence")

    def same(self, answer: str, gold: str) -> bool:
        """Equality of integers; what is none equals nothing."""
        return answer.isdecimal() and gold.isdecimal() and int(answer) == int(gold)

    def fault(self, question: Question, steps: Sequence[str]) -> str:
        """What the lab's review calls the first wrong step; "" where every step is right."""
        problem = parse(question.text)
        reviewed = review(problem, steps) if problem else None
        return reviewed.mistake if reviewed else ""

    def lessons(self, seed: int, tokens: int) -> Iterator[Example]:
        """What a student is grown on: about `tokens` tokens on the rules that it is to know beforehand."""
        return curriculum.lessons(seed, tokens, self.settings.lesson_share, self.settings.lesson_levels)

    def vocabulary(self) -> Sequence[str]:
        """Every piece of text that a student can be asked, taught or made to write."""
        return curriculum.vocabulary()

    def _problems(self, split: str) -> Iterator[Problem]:
        """Different problems that belong to `split`, the levels in turn."""
        levels, share = self.settings.levels, self.settings.share
        rng = random.Random(f"lab {self.settings.seed} {split}")
        seen: set[tuple] = set()
        failed = 0
        while True:
            problem = draw(rng, draw_rules(rng, levels[len(seen) % len(levels)], share))
            if problem is None or problem.home() != split or problem.key() in seen:
                failed += 1
                if failed > 2000:
                    raise ConfigError(f"task: the lab has no {len(seen) + 1} different {split} problems of these "
                                      "levels; ask for fewer or add a level")
                continue
            failed = 0
            seen.add(problem.key())
            yield problem
