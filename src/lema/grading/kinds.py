"""The public calls: a text graded, an answer read, two answers compared, by a task's or an answer kind's name.

One design decision: a name chooses three things and nothing else: how a text is read, how two answers are
compared, and the conventions. A task of a user's own may call the same parts with other choices.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from lema.errors import ConfigError
from lema.grading.choices import read_choice, same_choice
from lema.grading.compare import same_expression, same_number, same_text
from lema.grading.conventions import DEFAULT, Conventions
from lema.grading.extract import Reading, read_expression, read_number, read_text
from lema.grading.quick import quick
from lema.grading.verdict import Grade, grade_path
from lema.plugins import near_miss


class Kind(NamedTuple):
    """What a name stands for."""

    read: Callable[[str, Sequence[str]], Reading]
    same: Callable[[str, str, Conventions, Sequence[str]], bool]
    conventions: Conventions = DEFAULT
    quick: Literal["numbers", "never"] = "numbers"  # may lema.grading.quick grade it


NUMBER = Kind(lambda text, _: read_number(text), lambda a, g, how, _: same_number(a, g, how))
EXPRESSION = Kind(lambda text, _: read_expression(text), lambda a, g, how, _: same_expression(a, g, how))
TEXT = Kind(lambda text, _: read_text(text), lambda a, g, how, _: same_text(a, g), quick="never")
CHOICE = Kind(read_choice, lambda a, g, _, choices: same_choice(a, g, choices), quick="never")
REDUCED = EXPRESSION._replace(conventions=Conventions(fractions="reduced"))  # answers are to be in lowest terms
ROUNDED = NUMBER._replace(conventions=Conventions(decimals=2))  # as the LeMa paper compares them

KINDS = {
    "number": NUMBER, "expression": EXPRESSION, "text": TEXT, "choice": CHOICE, "gsm8k": NUMBER, "math": REDUCED,
    "svamp": ROUNDED, "asdiv": ROUNDED, "csqa": CHOICE, "aqua": CHOICE}
"""Answer kinds, and the tasks that are read as one of them."""


def grade(text: str, gold: str, *, task: str = "math", finish: str = "stop",
          conventions: Conventions | None = None, choices: Sequence[str] = ()) -> Grade:
    """The verdict on a text, right, wrong, no_answer, truncated or ungradable; the answer; how it was found.

    `task` is a name in KINDS; `conventions` replaces that kind's own; `choices` are the texts of A, B, C, ...
    where the answer is a choice. Raises ConfigError for an unknown name, and nothing whatever the text is.
    """
    kind = kind_of(task)
    how = conventions or kind.conventions
    if kind.quick == "numbers" and finish == "stop" and how.decimals is None:
        plain = quick(text, gold)
        if plain is not None:
            return plain
    if text.strip() == gold.strip() and finish == "stop" and gold.strip():
        return Grade("right", text.strip(), "whole")
    return grade_as(kind, text, gold, finish, how, choices)


def grade_as(kind: Kind, text: str, gold: str, finish: str, how: Conventions, choices: Sequence[str]) -> Grade:
    """The same without a look at the whole text, as a stage of a run grades: read, then compared."""
    return grade_path(text, gold, finish=finish, read=lambda reply: kind.read(reply, choices),
                      same=lambda answer, wanted: kind.same(answer, wanted, how, choices))


def same(answer: str, gold: str, *, task: str = "math", conventions: Conventions | None = None,
         choices: Sequence[str] = ()) -> bool:
    """Whether two answers are equal. Raises GradingTimeout where that could not be decided within the limit."""
    kind = kind_of(task)
    return kind.same(answer, gold, conventions or kind.conventions, choices)


def read(text: str, *, task: str = "math", choices: Sequence[str] = ()) -> Reading:
    """The final answer that a text states, and in which form."""
    return kind_of(task).read(text, choices)


def kind_of(task: str) -> Kind:
    """What the name stands for."""
    try:
        return KINDS[task]
    except KeyError:
        raise ConfigError(f"no task or answer kind {task!r} to grade; there are {', '.join(KINDS)}"
                          f"{near_miss(task, list(KINDS))}") from None
