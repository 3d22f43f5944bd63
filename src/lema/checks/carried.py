"""Whether corrected steps go on with the values of the steps that they keep.

One design decision: only two signs together accuse. A kept step comes to a value that nothing after it takes up,
and a corrected step calculates with a number that neither the question nor any step before it has said: then the
number stands where the kept value should, and the step that gave it was wrong already.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from lema.grading import equations_in, read_value
from lema.replies import drop_calculator_marks, states_the_answer

_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_LONGEST = 200
_WORD = re.compile(r"[A-Za-z]{3,12}(?:-[a-z]{3,5})?")
_SCALES = tuple(map(Fraction, (1, 100, 1_000, 1_000_000)))
_FREE = frozenset(map(Fraction, (0, 1, 2)))
_SAID_BY_WORDS = tuple((re.compile(words, re.I), frozenset(map(Fraction, numbers))) for words, numbers in (
    (r"week|day", (5, 7, 52)), (r"day|hour", (24,)), (r"hour|minute|second", (60,)), (r"month|day", (30, 31)),
    (r"dozen|year|month|feet|foot|inch|clock|annual", (12,)), (r"year|annual", (52, 365)),
    (r"%|cent|\$|dollar|meter|half|third|quarter|discount", (50, 100)),
    (r"kilo|meter|km|gram|kg|thousand|liter|ml", (1_000,)),
    (r"quarter|square|month|season|side|car|leg|quart|gallon", (4,)), (r"quarter", (25,)),
    (r"triangle|yard|third|tripl|trebl|thrice|feet", (3,)), (r"nickel", (5,)), (r"dime|decade", (10,)),
    (r"pound|ounce", (16,)), (r"square|circle|angle|degree", (90, 180, 360))))
"""Numbers that nobody has to say where such words stand."""


def passes_over(question: str, kept: Sequence[str], further: Sequence[str]) -> tuple[Fraction, Fraction] | None:
    """(the kept value that is passed over, the number from nowhere); None where nothing shows that. Steps that end
    in no answer are not judged, since a later one may take the value up."""
    if not further or not states_the_answer(further[-1]):
        return None
    kept, further = (tuple(map(drop_calculator_marks, steps)) for steps in (kept, further))
    unknown = next(_from_nowhere(question, kept, further), None)
    steps = (*kept, *further)
    for place in range(len(kept) if unknown is not None else 0):
        result = _result(kept[place])
        if result is not None and not _stands_in(result, numbers_of("\n".join(steps[place + 1:]))):
            return result, unknown
    return None


def numbers_of(text: str) -> set[Fraction]:
    """The numbers of a text, in digits and in words."""
    return {*_in_digits(_THOUSANDS.sub("", text)), *_in_words(text)}


def _in_digits(text: str) -> Iterator[Fraction]:
    """Python reads no number of thousands of digits, and no step means one."""
    return map(Fraction, (digits for digits in _NUMBER.findall(text) if len(digits) <= _LONGEST))


def _in_words(text: str) -> set[Fraction]:
    return set(map(read_value, set(_WORD.findall(text)))) - {None}


def _from_nowhere(question: str, kept: Sequence[str], further: Sequence[str]) -> Iterator[Fraction]:
    """The numbers that the corrected steps calculate with and that nobody has said before."""
    text = "\n".join((question, *kept, *further))
    free = _FREE.union(*(numbers for words, numbers in _SAID_BY_WORDS if words.search(text)))
    before = numbers_of(question).union(*map(_all_of, kept))
    for step in further:
        before |= _in_words(step)
        for operand in _operands(step):
            if operand not in free and not _stands_in(operand, before):
                yield operand
        before |= _all_of(step)


def _stands_in(value: Fraction, numbers: set[Fraction]) -> bool:
    return any(not numbers.isdisjoint((value * scale, value / scale)) for scale in _SCALES)


def _all_of(step: str) -> set[Fraction]:
    """All that a step says and comes to."""
    return numbers_of(step).union(filter(None, (equation.result for equation in equations_in(step))))


def _operands(step: str) -> Iterator[Fraction]:
    for equation in equations_in(step):
        if equation.result is not None:
            yield from _in_digits(equation.text.rpartition("=")[0])


def _result(step: str) -> Fraction | None:
    """What the last true equation of the step comes to."""
    return next((equation.result for equation in reversed(tuple(equations_in(step))) if equation.true), None)
