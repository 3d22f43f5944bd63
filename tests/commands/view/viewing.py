"""`lema view` as a process of its own, and plain requests to it."""

import contextlib
import http.client
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.processes import LEMA, running


class Viewer(NamedTuple):
    """Where a viewer listens."""

    port: int
    token: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{self.token}"

    def ask(self, path: str, body: object = None, method: str | None = None, **headers: str) -> tuple[int, str]:
        """Status and text of a reply; a header is named with underscores."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"host": f"127.0.0.1:{self.port}"}
        sent |= {} if body is None else {"content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method or ("GET" if body is None else "POST"), path,
                               None if body is None else json.dumps(body), sent)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()


@contextlib.contextmanager
def viewing(run: Path) -> Iterator[Viewer]:
    """A viewer of a run for the length of the block."""
    command = [*LEMA, "view", str(run), "--no-browser"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with running(command, env=dict(os.environ), **pipes) as process:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:(\d+)/([\w-]+)/", line)
        assert address, f"{line!r} {process.stderr.read()}"
        yield Viewer(int(address[1]), address[2])
