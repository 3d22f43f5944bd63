"""A backend that plays student, corrector and teacher of a run of any size: sums about a baker, in no time.

One design decision: a reply follows from what the request is about and its index alone, so that a run of a million
paths costs lema's own work and nothing else. Three of ten paths are wrong, one correction in five is at first.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

from lema import plugins
from lema.messages import Completion, Request
from lema.records import Correction, ReasoningPath

NUMBERS = re.compile(r"bakes (\d+) loaves .* and (\d+) times")
WORDS = 4_000
TEACHER = 7
"""The sampling seed with which it never slips: that of the votes."""


def text_of(number: int, kind: str = "asked") -> str:
    """The number-th question: two numbers, and words enough that no two questions are alike."""
    drawn = hashlib.shake_128(f"{kind} {number}".encode()).digest(40)
    words = [f"{'bcdfgklmnprst'[at % 13]}{'aeiou'[at // 13 % 5]}{at // 65}" for at in (
        int.from_bytes(drawn[place:place + 2]) % WORDS for place in range(0, 40, 2))]
    first, second, third = (" ".join(words[start:end]) for start, end in ((0, 8), (8, 14), (16, 20)))
    return (f"In {first} a baker bakes {number + 20} loaves on Monday and {number % 97 + 2} times as many on "
            f"Tuesday. {second.capitalize()}: 12 of them are given away, {words[14]} {words[15]} the rest is sold "
            f"for 3 coins each. {third.capitalize()}, how many coins does that bring?")


def gold_of(text: str) -> int:
    a, b = (int(one) for one in NUMBERS.search(text).groups())
    return (a + a * b - 12) * 3


def steps_of(text: str, index: int, wrong: bool) -> list[str]:
    """A path's steps; a wrong one slips in step 2, each index in its own way."""
    return solved(*map(int, NUMBERS.search(text).groups()), index, wrong)


def solved(a: int, b: int, index: int, wrong: bool) -> list[str]:
    """The same for `a` loaves on Monday and `b` times as many on Tuesday."""
    baked = a + a * b - wrong * (1 + index)
    return [f"On Tuesday the baker bakes {a} * {b} = {a * b} loaves, as try {index} of this finds.",
            f"On both days that makes {a} + {a * b} = {baked} loaves.",
            f"After 12 are given away {baked} - 12 = {baked - 12} loaves are left.",
            f"They are sold for {baked - 12} * 3 = {(baked - 12) * 3} coins.",
            f"The answer is {(baked - 12) * 3}."]


def numbered(steps: Iterable[str], first: int = 1) -> str:
    return "\n".join(f"Step {number}: {step}" for number, step in enumerate(steps, first))


class Settings(plugins.Settings):
    """[models.X] with backend = "bench.baker"."""


class Model:
    """See above."""

    runs_here = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        return {"backend": "baker"}

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        for request in requests:
            text = _reply(request)
            yield Completion(text, "stop", 150, len(text) // 4)


def _reply(request: Request) -> str:
    asked = request.messages[0].content
    if isinstance(request.about[0], ReasoningPath):
        again = len(request.about) > 1 and isinstance(request.about[1], Correction)
        return _correction(request.about[0], again)
    if asked.rstrip().endswith("New Question:"):
        return text_of(1_000_000 + request.index, "evolved")
    slips = request.index % 4 == 1 and request.sampling.seed != TEACHER
    return numbered(steps_of(request.about[0].text, request.index, slips))


def _correction(path: ReasoningPath, again: bool) -> str:
    a, b = (int(one) for one in re.search(r"bakes (\d+) \* (\d+)", path.text).groups())
    steps = solved(a, b, path.index, path.id < "3" and not again)
    return (" Step 2.\nExplanation: The loaves of both days count, so all of them must be added.\n"
            f"Correct Solution:\n{{\n...\n{numbered(steps[1:], 2)}\n}}")
