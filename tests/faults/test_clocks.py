"""Clocks that jump: a budget, limits per minute, pauses, tries and two workers hold all the same."""

import pytest

from tests.faults.clocks import run_with_jumps


@pytest.mark.living
def test_a_run_holds_its_promises_while_its_clocks_jump(tmp_path):
    broken, jumps, _ = run_with_jumps(tmp_path, seed=14)
    assert not broken and jumps
