"""What comes of reading a corrector's reply.

One design decision: three plain records; which of them comes back says what the reply was.
"""

from typing import NamedTuple


class Parsed(NamedTuple):
    """A correction as read. `steps` are texts without numbers; `first_number` is the number that the corrector
    gave the first of them, which a good correction makes equal to `step`."""

    step: int
    explanation: str
    steps: tuple[str, ...]
    first_number: int
    has_dots: bool  # whether "..." stands before the first corrected step
    quote: str = ""  # what the corrector repeats of the named step, where it does


class Rewrite(NamedTuple):
    """A correction of an answer that has no steps: what was wrong, and the whole answer anew."""

    mistakes: str
    answer: str


class Unparsed(NamedTuple):
    """A reply that is not a correction, and why not."""

    reason: str
