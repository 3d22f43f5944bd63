"""What a student is grown on from scratch: stories, corrections and bare sums, mixed from the first row on; and
every piece of text that it must know.

One design decision: a sum is a row of its own with the loss on its result alone; rows of many sums, or sums first
and stories later, teach a small model the same arithmetic at the price of the names. The vocabulary is read off
the very templates that write texts, never kept by hand, so that a new wording cannot bring an unknown word.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from lema.prompting import Prompt, find_prompt
from lema.records import Example, content_id
from lema.replies import number_steps, render_correction
from lema.tasks.lab.drawing import draw, draw_rules
from lema.tasks.lab.mistakes import LARGEST_WRITTEN, plant
from lema.tasks.lab.problems import LARGEST, LARGEST_PART, RULES, Problem, answer_text, compute, worked_steps
from lema.tasks.lab.review import DONE, EXPLANATIONS, MISJUDGED, REASONS, review
from lema.tasks.lab.wording import ASKED, GIVEN, WORDINGS, write
from lema.tasks.lab.words import NAMES, SCENES, tokens

LEVELS = (1, 2, 3, 4)
_PART = re.compile(r"\{\w+\}")
SHARES = {"cot": 0.5, "drill": 0.3, "correction": 0.2}  # of the tokens


def lessons(seed: int, amount: int, share: float, levels: Sequence[int] = LEVELS) -> Iterator[Example]:
    """Rows until `amount` tokens (prompt, completion and end token) were yielded; `share` of the steps in their
    stories, which have so many as one of `levels`, take a target rule, the others a source rule."""
    rng = random.Random(f"lessons {seed}")
    story = partial(_story, rng, partial(_lesson, rng, share, levels))
    prompts = {"cot": find_prompt("zero_shot", "lab"), "correction": find_prompt("train_correction", "lab")}
    spent = dict.fromkeys(SHARES, 0)
    while sum(spent.values()) < amount:
        kind = min(spent, key=lambda kind: spent[kind] / SHARES[kind])
        example = _example(kind, *(_sum(rng) if kind == "drill" else story(kind, prompts[kind])))
        spent[kind] += example.prompt_tokens + example.tokens
        yield example


def _example(kind: str, prompt: str, completion: str) -> Example:
    return Example(kind=kind, source="lessons", prompt=prompt, completion=completion, question=content_id(prompt),
                   prompt_tokens=len(tokens(prompt)), tokens=len(tokens(completion)) + 1)


def _story(rng: random.Random, lesson: Callable[[], Problem], kind: str, prompt: Prompt) -> tuple[str, str]:
    """Prompt and completion of a story that is solved, or of a wrong path of it that is corrected."""
    problem = lesson()
    if kind == "cot":
        return prompt.render(question=write(problem)), number_steps(worked_steps(problem))
    wrong = plant(rng, problem)
    while wrong is None:
        problem = lesson()
        wrong = plant(rng, problem)
    fault = review(problem, wrong.steps)
    return (prompt.render(question=write(problem), steps=number_steps(wrong.steps)),
            render_correction(fault.step, fault.explanation, fault.steps))


def _lesson(rng: random.Random, share: float, levels: Sequence[int]) -> Problem:
    """A problem that no examination can hold."""
    while True:
        problem = draw(rng, draw_rules(rng, rng.choice(levels), share))
        if problem is not None and problem.home() == "train":
            return problem


def _sum(rng: random.Random) -> tuple[str, str]:
    """" 15 * 2 =" and " 30.": bare reckoning within the range of the stories."""
    while True:
        sign = rng.choice("++-*/")
        right = rng.randint(1, LARGEST) if sign == "+" else rng.randint(2, LARGEST_PART if sign == "-" else 3)
        left = rng.randint(1, LARGEST)
        value = compute(left, sign, right)
        if value is not None and 1 <= value <= LARGEST:
            return f" {left} {sign} {right} =", f" {value}."


def vocabulary() -> list[str]:
    """The pieces in sorted order, each once; a piece carries its leading space (" Leo"). Each is there with and
    without that space, because what a student writes falls into lines in other ways than what it is taught."""
    bare = {piece.strip(" ") for text in _texts() for piece in tokens(text)}
    return sorted(bare | {f" {piece}" for piece in bare - {"\n"}})


def _texts() -> Iterator[str]:
    """Text in which every piece occurs as it does where it is used: words behind a space, line starts without."""
    for prompt in ("zero_shot", "train_correction"):
        yield find_prompt(prompt, "lab").render(question="Leo?", steps="Leo")
    yield render_correction(2, "", (answer_text(0), answer_text(0)))
    templates = [*(template for pair in WORDINGS.values() for template in pair), GIVEN, ASKED,
                 *REASONS.values(), *EXPLANATIONS.values(), MISJUDGED]
    for template in templates:
        yield " " + _PART.sub("Leo", template)
    for scene in SCENES:
        yield f" {scene.place} {scene.verb} {scene.plain} {scene.thing}"
    for name in NAMES:
        yield f" {name}"
    for done in DONE.values():
        yield f" {done}"
    for rule in RULES.values():
        yield f" = {rule.sign}"
    for number in range(LARGEST_WRITTEN + 1):
        yield f" {number}"
