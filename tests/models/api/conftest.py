"""A server for each test of the api backend; one process-wide start for all that do not stop it."""

import pytest

from tests.personas import Vllm
from tests.server import Server


@pytest.fixture(scope="module")
def started():
    with Server(persona=Vllm()) as running:
        yield running


@pytest.fixture
def server(started):
    started.begin()
    return started
