"""The number that stands for seed and path index on the wire: taken apart again, and no two questions alike."""

import pytest

from lema.messages import Message, Request, seed_and_index, wire_seed
from lema.records import Sampling


def asked(text: str, seed: int, index: int) -> Request:
    drawn = Sampling(temperature=1.0, seed=seed)
    return Request((Message("system", "Think."), Message("user", text)), drawn, index)


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (0, 7), (3, 0), (16_000, 65_535)])
def test_seed_and_index_come_back_from_a_number_that_every_server_takes(seed, index):
    request = asked("Leo has 3.", seed, index)
    assert 0 <= wire_seed(request) < 2**31
    assert seed_and_index(wire_seed(request), request.messages) == (seed, index)
    joined = (Message("user", "Think.\n\nLeo has 3."),)  # as a plain prompt
    assert seed_and_index(wire_seed(request), joined) == (seed, index)


def test_consecutive_paths_have_consecutive_numbers_and_questions_have_their_own():
    numbers = [wire_seed(asked("Leo has 3.", 1, index)) for index in range(5)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert len({wire_seed(asked(f"Leo has {n}.", 0, 0)) for n in range(100)}) == 100
