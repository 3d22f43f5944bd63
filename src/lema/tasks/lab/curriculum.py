"""What a student is grown on from scratch: stories, drills and corrections, mixed from the first row on.

One design decision: drills come in rows as long as a story, many sums to a row, so that batches grouped by length
hold all three kinds; drills first and stories later makes a small model lose the names again.
"""

import random
from collections.abc import Callable, Iterator
from importlib.resources import files

from jinja2 import Template

from lema.records import Example, content_id
from lema.steps import number_steps, render_correction
from lema.tasks.lab.drawing import draw, draw_rules
from lema.tasks.lab.mistakes import plant
from lema.tasks.lab.problems import LARGEST, LARGEST_PART, Problem, compute
from lema.tasks.lab.review import review
from lema.tasks.lab.solving import worked_steps
from lema.tasks.lab.wording import write
from lema.tasks.lab.words import tokens

LEVELS = (1, 2, 3, 4)
SOLVING = 0.4  # share of the tokens
DRILLS = 0.3
QUESTION = "Question: {}\nSolution:\n"
DRILL = "Sums:\n"


def lessons(seed: int, amount: int) -> Iterator[Example]:
    """Rows of source-rule lessons until `amount` tokens (prompt, completion and end token) were yielded."""
    rng = random.Random(f"lessons {seed}")
    correcting = correction_template()
    spent = dict.fromkeys(("cot", "drill", "correction"), 0)
    shares = {"cot": SOLVING, "drill": DRILLS, "correction": 1 - SOLVING - DRILLS}
    while sum(spent.values()) < amount:
        kind = min(spent, key=lambda kind: spent[kind] / shares[kind])
        example = _example(kind, *(_drill(rng) if kind == "drill" else _told(rng, kind, correcting)))
        spent[kind] += example.prompt_tokens + example.tokens
        yield example


def correction_template() -> Callable[..., str]:
    source = files("lema").joinpath("prompts/lab/train_correction.txt").read_text(encoding="utf-8")
    return Template(source).render


def _example(kind: str, prompt: str, completion: str) -> Example:
    return Example(kind=kind, source="lab", prompt=prompt, completion=completion, question=content_id(prompt),
                   prompt_tokens=len(tokens(prompt)), tokens=len(tokens(completion)) + 1)


def _told(rng: random.Random, kind: str, correcting: Callable[..., str]) -> tuple[str, str]:
    """Prompt and completion of a story that is solved, or of a wrong path of it that is corrected."""
    problem = lesson_problem(rng)
    if kind == "cot":
        return QUESTION.format(write(problem)), number_steps(worked_steps(problem))
    wrong = plant(rng, problem)
    while wrong is None:
        problem = lesson_problem(rng)
        wrong = plant(rng, problem)
    found = review(problem, wrong.steps)
    return (correcting(question=write(problem), steps=number_steps(wrong.steps)),
            render_correction(found.step, found.explanation, found.steps))


def lesson_problem(rng: random.Random) -> Problem:
    while True:
        problem = draw(rng, draw_rules(rng, rng.choice(LEVELS), 0.0))
        if problem is not None and problem.home() == "train":
            return problem


def _drill(rng: random.Random, sums: int = 10) -> tuple[str, str]:
    return DRILL, "\n".join(_sum(rng) for _ in range(sums))


def _sum(rng: random.Random) -> str:
    """One line of bare reckoning within the range of the stories."""
    while True:
        sign = rng.choice("++-*/")
        right = rng.randint(1, LARGEST) if sign == "+" else rng.randint(2, LARGEST_PART if sign == "-" else 3)
        left = rng.randint(1, LARGEST)
        value = compute(left, sign, right)
        if value is not None and 1 <= value <= LARGEST:
            return f"{left} {sign} {right} = {value}."
