"""Every piece of text that a student of the lab must know.

One design decision: the list is read off the very templates that write stories, steps, explanations and prompts,
never kept by hand, so that a new wording cannot bring an unknown word.
"""

import re
from collections.abc import Iterator

from lema.prompting import find_prompt
from lema.replies import render_correction
from lema.tasks.lab.mistakes import LARGEST_WRITTEN
from lema.tasks.lab.problems import RULES, answer_text
from lema.tasks.lab.review import DONE, EXPLANATIONS, MISJUDGED, REASONS
from lema.tasks.lab.wording import ASKED, GIVEN, WORDINGS
from lema.tasks.lab.words import NAMES, SCENES, tokens

_PART = re.compile(r"\{\w+\}")


def words() -> list[str]:
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
