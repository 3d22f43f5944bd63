"""`lema serve` as a process of its own, for tests: started on a free port, ended with the test."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.patience import until
from tests.processes import LEMA, running


@contextlib.contextmanager
def served(*arguments: str, log: Path) -> Iterator[str]:
    """The base URL of `lema serve ARGUMENTS`; what it says on standard error goes into `log`."""
    with log.open("w") as errors, running([*LEMA, "serve", *arguments, "--port", "0"], stdout=subprocess.PIPE,
                                          stderr=errors, text=True) as server:
        line = server.stdout.readline()
        address = re.search(r"http://\S+/v1", line)
        assert address, f"lema serve said {line!r} and {log.read_text()!r}"
        yield address[0]
        server.terminate()
        until(lambda: server.poll() is not None, "lema serve ends when it is asked to")
