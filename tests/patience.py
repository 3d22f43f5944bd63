"""How tests wait: until something is so, never for a while; and how one fails that would wait or compute for ever.

One design decision: nothing is timed. The limits here are far beyond what a busy machine needs and are reached by
a hang only; reaching one is a failure that says what was waited for.
"""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

PATIENCE = 300.0
"""Seconds that a test waits for anything."""
COMPUTING = 60.0
"""Seconds of this process's own computing, whatever else the machine does meanwhile, for what takes a moment."""


def until(come: Callable[[], object], what: str, process: subprocess.Popen | None = None,
          seconds: float = PATIENCE, pause: float = 0.005) -> None:
    """Returns when `come()` is so; it is asked again after each `pause`. AssertionError where `process`, which was
    to make it so, ends first, and where it is not so in all these seconds."""
    deadline = time.monotonic() + seconds
    while not come():
        if process is not None and process.poll() is not None:
            if come():  # with its last breath
                return
            raise AssertionError(f"the process ended with exit code {process.returncode} before {what}")
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(pause)


@contextlib.contextmanager
def in_a_moment(what: str) -> Iterator[None]:
    """Fails the test where the block never ends, instead of standing still with it; for a main thread."""
    def late(number: int, frame: object) -> None:
        pytest.fail(f"{what}: not done after {COMPUTING:.0f} s of computing, or {PATIENCE:.0f} s in all")

    before = {each: signal.signal(each, late) for each in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, COMPUTING)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
