"""The check of the conclusion: the stated answer stands somewhere in the steps that lead to it.

One design decision: an answer is only refused where it is a plain number, the last step before it ends in a
calculation that can be read, and neither that nor any number before it is the answer; or where that step gives
another value to the very one that the question asks about. What is asked may be said earlier, in other units, as a
percentage, rounded or in words: all of these let it pass.
"""

import re
from collections.abc import Iterable
from fractions import Fraction

from lema.checks.checked import Checked
from lema.grading import equations_in, names, read_value
from lema.replies import drop_calculator_marks

_ANSWER = re.compile(r"(?:\b(?:so|thus|hence|therefore),? )?\b(?:the )?(?:final )?answer(?: is\b|:)", re.I)
_PLAIN = re.compile(r"-?\$?[0-9][0-9,]*(?:\.[0-9]+)?")
_NUMBER = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_WORD = re.compile(r"[A-Za-z]{3,12}(?:-[a-z]{3,5})?")
_OTHER_UNITS = tuple(map(Fraction, (1, 7, 12, 24, 60, 100, 1000, 3600)))
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
    if answer is None or not ends or ends[-1].result is None or ends[-1].result == answer:
        return True
    return not _is_of_what_is_asked(steps, checked.question) and _stands_in(steps, answer)


def _is_of_what_is_asked(steps: list[str], question: str) -> bool:
    """Whether the last step gives a value to the only name in the question's last sentence that has one."""
    sentence = _ASKED.search(question)
    words = set(map(str.lower, _WORD.findall(sentence[0]))) if sentence else set()
    return bool(names(steps[-1:])) and words & names(steps).keys() == names(steps[-1:]).keys()


def _stands_in(steps: Iterable[str], answer: Fraction) -> bool:
    """Whether a number of the steps is the answer, in whatever unit, rounding or word."""
    text = "\n".join(steps)
    numbers = {Fraction(number.replace(",", "")) for number in _NUMBER.findall(text)}
    numbers.update(filter(None, map(read_value, set(_WORD.findall(text)))))
    size = abs(answer)
    if any({size * unit, size / unit} & numbers for unit in _OTHER_UNITS):
        return True
    return any(abs(number - size) < 1 for number in numbers if number.denominator > 1 or size.denominator > 1)
