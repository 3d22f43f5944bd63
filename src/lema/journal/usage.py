"""What a request can cost at most, and whether what a server says that it cost can be true.

    believed("-5", text=19, instead=19, most=64) → (19, False)

One design decision: nobody's count of tokens is taken on trust. For one that cannot be true stands the most that
the text allows (no tokenizer makes more tokens of a text than it has bytes), so that a budget errs on the safe
side; and the completion bears a mark.
"""

from dataclasses import replace
from typing import NamedTuple

from lema.messages import Completion, Request

OVERHEAD = 16  # tokens that a chat template may add to each message
LONGEST_TOKEN = 128  # bytes: no vocabulary in use has a longer one
CEILING = 1 << 40  # tokens: what no request costs, and what SQLite adds up by the million


class Most(NamedTuple):
    """The most that a request can cost; `tokens` is None where nothing that is sent bounds the reply."""

    prompt_tokens: int
    tokens: int | None


def most_of(request: Request) -> Most:
    """The most that a request costs at a backend that does not say more of it (lema.messages.Model)."""
    return Most(sum(request.bytes_sent) + OVERHEAD * len(request.bytes_sent), request.sampling.max_tokens)


def size(text: str) -> int:
    """Bytes of a text, which are the most tokens that it can be made into."""
    return len(text.encode("utf-8", "surrogatepass"))


def believed(figure: object, text: int, instead: int, most: int | None) -> tuple[int, bool]:
    """(tokens, whether the figure was believed). It is where it is whole, no less than a text of `text` bytes can
    be made into, and no more than `most`. What is more counts as the most; for anything else stands `instead`."""
    most = CEILING if most is None else min(most, CEILING)
    if type(figure) is not int or figure * LONGEST_TOKEN < text:
        return min(instead, most), False
    return min(figure, most), figure <= most


def sound(completion: Completion, request: Request) -> Completion:
    """The completion with figures that a journal can hold and a budget add up, whatever its backend gave."""
    figures = (completion.prompt_tokens, completion.tokens)
    if all(type(figure) is int and 0 <= figure <= CEILING for figure in figures):
        return completion
    most = most_of(request)
    return replace(completion, reckoned=True, prompt_tokens=_whole(figures[0], most.prompt_tokens),
                   tokens=_whole(figures[1], min(size(completion.text), most.tokens)))


def _whole(figure: object, instead: int) -> int:
    """The figure where it is whole and not negative, at most the ceiling; else the other one."""
    return min(figure, CEILING) if type(figure) is int and figure >= 0 else instead
