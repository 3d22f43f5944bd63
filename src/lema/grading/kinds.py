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
from lema.grading.extract import NONE, Reading, read_expression, read_number, read_text
from lema.grading.given import as_text, choices_of, gold_answers, stated_gold
from lema.grading.normalize import normalized
from lema.grading.numbers import is_maths, read_value
from lema.grading.quantities import is_quantity
from lema.grading.quick import quick
from lema.grading.verdict import Grade, grade_path
from lema.plugins import near_miss

Gold = str | float | Sequence[str | float]
"""A gold answer, or several of which any is right."""

_BEST = {"right": 0, "ungradable": 1}


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
    "svamp": ROUNDED, "asdiv": ROUNDED, "mawps": ROUNDED, "csqa": CHOICE, "aqua": CHOICE}
"""Answer kinds, and the tasks that are read as one of them."""


def grade(text: str, gold: Gold, *, task: str = "math", finish: str = "stop",
          conventions: Conventions | None = None, choices: Sequence[str] = ()) -> Grade:
    """The verdict on a text, right, wrong, no_answer, truncated or ungradable; the answer; how it was found.

    `task` is a name in KINDS; `conventions` replaces that kind's own; `choices` are the texts of A, B, C, ...
    where the answer is a choice. Of several gold answers any is right. Raises ConfigError for an unknown name, and
    nothing whatever the text and the gold answer are: what is no text is ungradable.
    """
    kind = kind_of(task)
    how = conventions or kind.conventions
    finish = finish if isinstance(finish, str) else "stop"
    if not isinstance(text, str) or not isinstance(gold, str):
        return _of_any(lambda each: grade(text, each, task=task, finish=finish, conventions=how, choices=choices),
                       text, gold)
    if kind.quick == "numbers" and finish == "stop" and how.decimals is None:
        plain = quick(text, gold)
        if plain is not None:
            return plain
    if text.strip() == gold.strip() and finish == "stop" and gold.strip():
        return Grade("right", text.strip(), "whole")
    return grade_as(kind, text, gold, finish, how, choices)


def grade_as(kind: Kind, text: str, gold: Gold, finish: str, how: Conventions, choices: Sequence[str]) -> Grade:
    """The same without a look at the whole text, as a stage of a run grades: read, then compared."""
    if not isinstance(text, str) or not isinstance(gold, str):
        return _of_any(lambda each: grade_as(kind, text, each, finish, how, choices), text, gold)
    choices = choices_of(choices)
    return grade_path(text, stated_gold(gold, lambda worked: kind.read(worked, choices)), finish=finish,
                      read=lambda reply: kind.read(reply, choices),
                      same=lambda answer, wanted: kind.same(answer, wanted, how, choices))


def _of_any(graded: Callable[[str], Grade], text: object, gold: object) -> Grade:
    """The grade by the gold answer that makes most of the text; what cannot be decided is not yet wrong."""
    golds = gold_answers(gold)
    if not isinstance(text, str) or not golds:
        return Grade("ungradable", None, "no gold answer" if isinstance(text, str) else "no text")
    return min(map(graded, golds), key=lambda grade: _BEST.get(grade.verdict, len(_BEST)))


def same(answer: str, gold: Gold, *, task: str = "math", conventions: Conventions | None = None,
         choices: Sequence[str] = ()) -> bool:
    """Whether two answers are equal, or the answer one of several. Raises GradingTimeout where that could not be
    decided within the limit, and nothing else."""
    kind, texts, stated = kind_of(task), choices_of(choices), as_text(answer)
    return stated is not None and any(
        kind.same(stated, stated_gold(each, lambda worked: kind.read(worked, texts)),
                  conventions or kind.conventions, texts) for each in gold_answers(gold))


def gold_answer(gold: str, *, task: str = "math", choices: Sequence[str] = ()) -> str | None:
    """The answer of a gold text, also of a whole worked one ("… #### 5"); None where it is not what the kind's
    answers are, so that none could be equal to it."""
    kind, texts = kind_of(task), choices_of(choices)
    answer = stated_gold(gold, lambda worked: kind.read(worked, texts))
    number = read_value(answer) is not None or is_quantity(answer) or is_maths(normalized(answer))
    return None if kind.same is NUMBER.same and not number else answer


def read(text: str, *, task: str = "math", choices: Sequence[str] = ()) -> Reading:
    """The final answer that a text states, and in which form; none of what is no text."""
    kind = kind_of(task)
    return kind.read(text, choices_of(choices)) if isinstance(text, str) else NONE


def kind_of(task: str) -> Kind:
    """What the name stands for."""
    if not isinstance(task, str) or task not in KINDS:
        raise ConfigError(f"no task or answer kind {task!r} to grade; there are {', '.join(KINDS)}"
                          f"{near_miss(str(task), list(KINDS))}")
    return KINDS[task]
