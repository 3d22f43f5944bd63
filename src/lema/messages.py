"""What is said to a model and what comes back, and the one call that every backend answers.

One design decision: a backend turns requests into completions, in request order, and a bad completion is data
(its `finish` says what happened) while a broken endpoint is a ModelError. The journal wraps every backend from
outside, so a backend never thinks about restarts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, Protocol

from lema.records import Sampling, content_id


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One completion asked for. `about` are the records that it is about: kept for lineage, never sent."""

    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    index: int = 0  # path index: the same request asked again with another index is another completion
    about: tuple[object, ...] = ()
    prefix: str = ""  # what the assistant has answered already: the completion goes on from exactly there

    @property
    def bytes_sent(self) -> list[int]:
        """The length of each text that is sent, in bytes: no tokenizer makes more tokens of it."""
        texts = [message.content for message in self.messages] + [self.prefix] * bool(self.prefix)
        return [len(text.encode("utf-8", "replace")) for text in texts]


PATHS = 1 << 16
"""Path indices of one sampling seed that get numbers of their own on the wire."""
HALF = 1 << 30
"""Half the numbers that every server takes for a seed: the sum of two halves is below 2**31."""


def wire_seed(request: Request) -> int:
    """The one number, below 2**31, that a server is sent for sampling seed and path index.

    It differs from prompt to prompt, because a server that draws from the seed alone would draw alike for all
    questions. Consecutive paths have consecutive numbers, as vLLM numbers the choices of one request, so paths
    draw the same asked one by one or together.
    """
    return (request.sampling.seed * PATHS + request.index) % HALF + _of_prompt(request.messages, request.prefix)


def seed_and_index(wire: int, messages: Sequence[Message], prefix: str = "") -> tuple[int, int]:
    """Sampling seed and path index in a number that `wire_seed` made for these messages and this prefix."""
    return divmod((wire - _of_prompt(messages, prefix)) % HALF, PATHS)


def _of_prompt(messages: Sequence[Message], prefix: str) -> int:
    return int(content_id("\n\n".join(message.content for message in messages) + prefix), 16) % HALF


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back. `finish`: stop, length, content_filter, or "error: why" where nothing usable came."""

    text: str
    finish: str = "stop"
    prompt_tokens: int = 0
    tokens: int = 0  # generated tokens
    share: float = 1.0  # of the model's price that was charged: a batch costs half
    reckoned: bool = False  # whether its tokens were counted from the text, for want of a server's count
    repeated: int = 0  # of its prompt tokens, those with which the request before it in the same list began, too

    @property
    def failed(self) -> bool:
        """A failure is recorded as a row, but the journal does not remember it as an answer."""
        return self.finish.startswith("error")


Arrived = Callable[[int, Completion], Future | None]
"""Called with a completion and the position of its request among those taken, from 0; from any thread. Until the
future that it may return is done, the request counts as in flight."""

Charged = Callable[[Request, Completion], bool]
"""Called with what a try or a probe cost that is the answer to nothing; from any thread. Whether there is room for
another one."""


class Model(Protocol):
    """What a backend module's `Model(settings)` must do; `tests/contracts/test_models.py` asks it of every one.

    One that can go on from a request's `prefix` has `no_prefix(settings)` in its class: why a model of these
    settings cannot, "" where it can. Without it a prefix is never sent to it.

    One that computes its completions itself says `runs_here = True` in its class: they cost nothing; with
    `uses_cards = True` its actors on a cluster get the cards that its table asks for. Any other
    has the `model` that its endpoint serves among its settings and in its identity: prices are found by it. It may
    also say what a request can cost at most, `most(request)` (lema.journal.usage.Most), and have a `charged`
    (Charged), which the journal sets, for what it was charged beside its answers.
    """

    def identity(self) -> dict:
        """What names these weights or this served model: JSON-ready, part of every journal key, free of
        keys, hosts, devices and machine paths."""

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """One completion per request, streamed, in request order, with bounded memory."""


class BatchedModel(Model, Protocol):
    """A backend whose floats depend on a request's neighbours names its batches itself, so that a batch which
    is done again after a kill has the same neighbours. The journal then asks for whole batches."""

    def batches(self, requests: Sequence[Request]) -> list[list[int]]:
        """Positions in `requests`, each in exactly one batch, the same for the same list. `complete`, given the
        requests of one batch in that order, runs them as that one batch. One that writes several side by side has
        `complete_batches(batches)` too, which gives (number of the batch, its completions) in any order."""


class ConcurrentModel(Model, Protocol):
    """A backend that has many requests in flight, whose replies arrive out of order: it tells of each the moment
    it is here, so that the journal keeps it while slower ones before it are still under way."""

    def complete_telling(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        """`complete`, which calls `arrived(position, completion)` once for each before yielding it."""


class JobModel(ConcurrentModel, Protocol):
    """A backend whose work goes on while no process of ours is there. The journal sets `jobs`
    (lema.journal.jobs.Jobs), in which it notes what it starts; `watched(ready, said)`, where it has that, is
    called with how far it is."""

    jobs: object
