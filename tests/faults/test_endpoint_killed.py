"""An endpoint that is killed under a run and comes back: the run goes on, and pays what was in flight again."""

import pytest

from tests.faults.endpoint_killed import CONCURRENCY, killed_under_a_run


@pytest.mark.living
def test_a_run_outlives_its_endpoint_and_pays_again_only_what_was_in_flight(tmp_path):
    said, written, wrong = killed_under_a_run(tmp_path, requests=200, kills=2, seed=4)
    assert not said and not wrong
    assert 200 <= written <= 200 + 2 * CONCURRENCY
