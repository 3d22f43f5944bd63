"""The batch backend in a real process that is killed again and again: nothing is worked on twice."""

import pytest

from tests.faults.batch_killed import killed_until_done


@pytest.mark.living
def test_killed_at_random_moments_every_request_is_paid_once(tmp_path):
    lines, paid = killed_until_done(tmp_path, requests=160, rows=20, kills=3, seed=11)
    assert [line.split(" | ")[0] for line in lines] == [f"q{number}" for number in range(160)]
    assert len(paid) == 160 and set(paid.values()) == {1}
