"""News of a stage that is performed.

One design decision: news are facts, of whichever process; who shows them (lema.runs.progress) is another matter.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple


class News(NamedTuple):
    """How far a stage is; `total` is None where nobody can say."""

    stage: str
    state: Literal["started", "moving", "finished", "remembered", "overall"]  # of the whole run: its note
    done: int = 0
    total: int | None = None
    note: str = ""  # what it cost so far, how far a batch is


Progress = Callable[[News], None]
