"""What one call of the batch backend waits for: jobs, and requests in them.

One design decision: a request is known by its position in the call and by what is sent; who sends the same twice
is answered from one row.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from lema.journal.jobs import Job
from lema.messages import Completion, Request


@dataclass
class AwaitedJob:
    """A job that this process waits for, and the positions of those of its requests that are wanted here."""

    job: Job
    wanted: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    adopted: bool = False  # an earlier process made it
    cancelled: bool = False


@dataclass
class BatchedRequest:
    """A request under way, by its position; `answer` is there once it was told."""

    request: Request
    id: str
    tries: int = 0
    answer: Completion | None = None
