"""Damage of any kind in any file of a run ends in one line, whose advice leads back to the same rows."""

import pytest

from tests.faults.damaged_files import done_in, trial
from tests.paying import answer
from tests.personas import Vllm
from tests.server import Server

FOUND = [45, 62, 68, 70, 74, 82, 202, 259, 263]
"""Numbers of trials that broke a promise when they were first made."""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with Server(answer, persona=Vllm()) as server:
        yield done_in(tmp_path_factory.mktemp("damaged"), server)


@pytest.mark.parametrize("number", [*FOUND, *range(9000, 9008)])
def test_damage_anywhere_ends_in_a_line_that_leads_back_to_the_same_rows(home, tmp_path, number):
    assert trial(home, number, tmp_path / "x")


@pytest.fixture(scope="module")
def viewed(tmp_path_factory):
    with Server(answer, persona=Vllm()) as server:
        yield done_in(tmp_path_factory.mktemp("viewed"), server, viewed=True)


@pytest.mark.parametrize("number", [9103, *range(9110, 9114)])  # the first of them broke a promise
def test_the_viewer_and_the_commands_that_only_look_meet_damage_without_breaking(viewed, tmp_path, number):
    assert trial(viewed, number, tmp_path / "x")
