"""A power cut at any moment: what was said to be kept or finished is there, and the same rows come of it."""

import pytest

from tests.faults.power_loss import cuts, recorded
from tests.faults.recording import library
from tests.paying import answer
from tests.personas import Vllm
from tests.server import Server


@pytest.mark.living
@pytest.mark.skipif(library() is None, reason="Python's SQLite is built in, and its syncs cannot be seen")
def test_nothing_that_was_said_to_be_kept_is_lost_in_a_power_cut(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        run = recorded(tmp_path, server, questions=8)
        assert not cuts(run, tmp_path, count=12, seed=5)
