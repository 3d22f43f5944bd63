"""Whether a stated answer equals the gold one, per kind of answer.

One design decision: two numbers are compared exactly as fractions, in microseconds; only what is no number but
could be mathematics goes to math-verify, in a worker process that is killed at its limit. Words never do.
"""

import re
from collections.abc import Sequence

from lema.grading.conventions import DEFAULT, Conventions
from lema.grading.numbers import is_maths, read_value
from lema.grading.symbolic import same_symbolic

_EDGES = " \t\r\n.,;:!?*_`\"'“”‘’$"
_QUOTES = re.compile(r"[\"“”‘’'`*]")
_ARTICLE = re.compile(r"^(?:the|an|a) ")


def same_number(answer: str, gold: str, conventions: Conventions = DEFAULT) -> bool:
    """Whether both are the same number; currency, units, percent signs and separators do not count.

    Raises GradingTimeout where only a symbolic comparison could tell and it did not end in time.
    """
    if plain(answer) == plain(gold):
        return True
    stated, wanted = read_value(answer), read_value(gold)
    if stated is not None and wanted is not None:
        return stated == wanted
    return is_maths(answer) and is_maths(gold) and same_symbolic(plain(answer), plain(gold))


def same_expression(answer: str, gold: str, conventions: Conventions = DEFAULT) -> bool:
    """Whether both are the same mathematics."""
    return same_number(answer, gold, conventions) or same_text(answer, gold)


def same_choice(answer: str, gold: str, choices: Sequence[str] = ()) -> bool:
    """Whether both name the same choice, by its letter or by its text."""
    return same_letter(answer, gold) or same_text(answer, gold)


def same_text(answer: str, gold: str) -> bool:
    """Whether both say the same words; case, spaces, quotation marks, articles and the full stop do not count."""
    return _words(answer) == _words(gold)


def same_letter(answer: str, gold: str) -> bool:
    """Whether both name the same choice: "(b)" is "B"."""
    return answer.strip("() .").upper() == gold.strip("() .").upper()


def plain(text: str) -> str:
    """The text without the dollar signs, bold and full stop around it."""
    return text.strip(_EDGES)


def _words(text: str) -> str:
    return _ARTICLE.sub("", " ".join(_QUOTES.sub("", text).strip(_EDGES + "()").casefold().split()))
