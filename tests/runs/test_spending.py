"""A budget of a teacher's tokens is hardly passed, whatever its first replies cost."""

from collections.abc import Iterable, Iterator

import pytest

from lema.messages import Completion, Message, Request
from lema.records import Sampling
from lema.runs.spending import within_budget


class Asked:
    """Where teachers are asked: replies of these lengths in turn, and how many requests went out together."""

    def __init__(self, lengths: list[int]) -> None:
        self.lengths, self.waves = iter(lengths), []

    def ask(self, model: str, requests: Iterable[Request], total: int | None = None) -> Iterator[Completion]:
        self.waves.append(0)
        for _ in requests:
            self.waves[-1] += 1
            yield Completion("", "stop", tokens=next(self.lengths))

    def show(self, done: int, total: int) -> None:
        assert done <= total


def _spent(lengths: list[int], budget: int) -> tuple[int, list[int]]:
    asked = Asked(lengths)
    requests = (Request((Message("user", str(number)),), Sampling(), number, ()) for number in range(len(lengths)))
    return sum(reply.tokens for _, reply in within_budget(asked, "teacher", requests, budget)), asked.waves


@pytest.mark.parametrize("first", [1, 24, 77, 400])
def test_a_budget_is_passed_by_no_more_than_two_replies_however_short_the_first_is(first):
    spent, _ = _spent([first] + [77] * 1000, 12_000)
    assert 12_000 <= spent < 12_000 + 2 * 77


def test_replies_that_grow_longer_do_not_pass_a_budget_by_more_than_a_tenth():
    spent, _ = _spent([10] * 8 + [60] * 1000, 12_000)
    assert 12_000 <= spent < 13_200


def test_a_budget_still_goes_out_in_few_waves():
    _, waves = _spent([77] * 20_000, 1_000_000)
    assert len(waves) < 30 and max(waves) > 3_000
