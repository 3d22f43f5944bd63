"""A Ray cluster of two nodes on this machine for tests: two `ray start` of our own, in a folder of their own.

One design decision: each node is a process that a test can kill like any other, raylet, workers and all; nothing
of anybody else's Ray is touched, since port, folder and token are this cluster's alone.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.patience import until
from tests.processes import running

OPT_IN = "opt-in: two Ray nodes on this machine (make scale)"
WANTED = bool(os.environ.get("LEMA_SCALE"))
STORE = 80_000_000


def needs_ray() -> pytest.MarkDecorator:
    """Skips where Ray is not installed or nobody asked for its tests, and says which."""
    from importlib.util import find_spec

    there = find_spec("ray") is not None
    reason = OPT_IN if there else "Ray is not installed (make scale)"
    return pytest.mark.skipif(not (WANTED and there), reason=reason)


class TwoNodes:
    """`address` of the head, and the process of each node."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.address = folder, f"127.0.0.1:{_free_port()}"
        self.environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.nodes: list = []

    def start(self, stack: contextlib.ExitStack, before: tuple[str, ...] = (), cpus: int = 2,
              more: tuple[str, ...] = (), environment: Mapping[str, str] = {}) -> None:
        """One more node; the first is the head. `before`: words before the command, such as unshare's."""
        port = self.address.rpartition(":")[2]
        head = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self.folder}"]
        how = [f"--address={self.address}"] if self.nodes else head
        command = [*before, sys.executable, "-c", "from ray.scripts.scripts import main; main()", "start", *how,
                   "--node-ip-address=127.0.0.1", f"--num-cpus={cpus}", f"--object-store-memory={STORE}",
                   "--block", "--disable-usage-stats", *more]
        log = (self.folder / f"node-{len(self.nodes)}.log").open("w")
        stack.callback(log.close)
        self.nodes.append(stack.enter_context(running(
            command, stdout=log, stderr=log, env={**os.environ, **self.environment, **environment})))
        place = Path(log.name)
        until(lambda: "runtime started" in place.read_text(), f"node {len(self.nodes)} is there", self.nodes[-1])

    def kill(self, place: int) -> None:
        """SIGKILL for a node and all of its workers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.nodes[place].pid, signal.SIGKILL)


@contextlib.contextmanager
def two_nodes(nodes: int = 2) -> Iterator[TwoNodes]:
    """A cluster for the length of the block."""
    folder = Path(tempfile.mkdtemp(prefix="lr", dir="/tmp"))  # short: names of sockets have a limit
    try:
        with contextlib.ExitStack() as stack:
            cluster = TwoNodes(folder)
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            for name, value in cluster.environment.items():
                patch.setenv(name, value)
            for _ in range(nodes):
                cluster.start(stack)
            yield cluster
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
