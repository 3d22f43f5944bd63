"""The check of the conclusion: the stated answer stands somewhere in the steps that lead to it.

One design decision: an answer is only refused where it is a plain number, the last step before it ends in a
calculation that can be read, and neither that nor any number before it is the answer; or where that step gives
another value to the very one that the question asks about. What is asked may be said earlier, in other units, as a
percentage, rounded or in words: all of these let it pass.
"""

import re
from collections.abc import Iterable
from fractions import Fraction

from lema.checks.carried import numbers_of
from lema.checks.checked import Checked
from lema.grading import equations_in, names, read_value
from lema.replies import drop_calculator_marks

_ANSWER = re.compile(r"(?:\b(?:so|thus|hence|therefore),? )?\b(?:the )?(?:final )?answer(?: is\b|:)", re.I)
_PLAIN = re.compile(r"-?\$?[0-9][0-9,]*(?:\.[0-9]+)?")
_WORD = re.compile(r"[A-Za-z]{3,12}(?:-[a-z]{3,5})?")
_OTHER_UNITS = tuple(map(Fraction, (1, 7, 12, 24, 60, 100, 1000, 3600)))
_PERSON = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+\b")
_OF_MORE = re.compile(r"\b(?:left|remain\w*|more|fewer|less|than|together|total|altogether|and|still|after|before"
    r"|change|profit|save\w*|spen[dt]\w*|each|per|if|now)\b", re.I)
"""Words of a question that asks for something else than what a person has."""

_ASKED = re.compile(r"[^.?!\n]*\?(?=[^?]*$)")


def follows_from_the_steps(checked: Checked) -> bool:
    """The stated answer does not contradict the last values of the whole corrected path."""
    correction = checked.correction
    kept = checked.mistake[:max(0, (correction.step or 1) - 1)]
    *steps, last = map(drop_calculator_marks, (*kept, *correction.steps))
    sentence = _ANSWER.search(last)
    stated = correction.answer if sentence and _PLAIN.fullmatch((correction.answer or "").strip()) else None
    if stated is None or "=" in last[sentence.start():]:
        return True
    steps += filter(None, [last[:sentence.start()].strip()])
    answer, ends = read_value(stated), steps and tuple(equations_in(steps[-1]))
    if answer is None or not ends or ends[-1].result is None:
        return True
    if (wanted := _value_of_the_asked(steps, checked.question)) is not None:
        return wanted == answer
    if ends[-1].result == answer:
        return True
    return not _is_of_what_is_asked(steps, checked.question) and _stands_in(steps, answer)


def _value_of_the_asked(steps: list[str], question: str) -> Fraction | None:
    """The value of the only person that the question asks about and for nothing but the number of; None where a
    step has no name to its value, so that what is asked may be said there."""
    sentence = _ASKED.search(question)
    if sentence is None or _OF_MORE.search(sentence[0]) or not all(map(names, zip(steps))):
        return None
    values = names(steps)
    people = list(filter(values.__contains__, map(str.lower, _PERSON.findall(sentence[0]))))
    return values[people[0]] if len(people) == 1 else None


def _is_of_what_is_asked(steps: list[str], question: str) -> bool:
    """Whether the last step gives a value to the only name in the question's last sentence that has one."""
    sentence = _ASKED.search(question)
    words = set(map(str.lower, _WORD.findall(sentence[0]))) if sentence else set()
    return bool(names(steps[-1:])) and words & names(steps).keys() == names(steps[-1:]).keys()


def _stands_in(steps: Iterable[str], answer: Fraction) -> bool:
    """Whether a number of the steps is the answer, in whatever unit, rounding or word."""
    numbers, size = numbers_of("\n".join(steps)), abs(answer)
    if any({size * unit, size / unit} & numbers for unit in _OTHER_UNITS):
        return True
    return any(abs(number - size) < 1 for number in numbers if number.denominator > 1 or size.denominator > 1)
