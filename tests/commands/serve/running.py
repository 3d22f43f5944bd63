"""`lema serve` as a process of its own, for tests: started on a free port, ended with the test."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def served(*arguments: str, log: Path) -> Iterator[str]:
    """The base URL of `lema serve ARGUMENTS`; what it says on standard error goes into `log`."""
    with log.open("w") as errors, subprocess.Popen(
            [sys.executable, "-c", "from lema.cli import main; main()", "serve", *arguments, "--port", "0"],
            stdout=subprocess.PIPE, stderr=errors, text=True) as server:
        try:
            line = server.stdout.readline()
            found = re.search(r"http://\S+/v1", line)
            assert found, f"lema serve said {line!r} and {log.read_text()!r}"
            yield found[0]
        finally:
            server.terminate()
            server.wait(20)
