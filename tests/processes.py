"""The processes that tests start: each with a group of its own, which is killed and reaped whatever happens.

One design decision: no test starts a process in another way (tests/test_house.py looks), so that one that fails
leaves nothing behind for the next to stumble over, and none waits for ever for what a process says. Where the
tests are killed themselves, a guard does it: a small process that knows the groups and hears of that by the end of
a pipe.
"""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.patience import PATIENCE

LEMA = (sys.executable, "-c", "from lema.cli import main; main()")
"""The command line, as this Python runs it."""
LIFE = 900.0
"""Seconds after which any process is killed, so that whoever reads what it says goes on."""


@contextlib.contextmanager
def running(command: Sequence[object], life: float = LIFE, **how: object) -> Iterator[subprocess.Popen]:
    """A process for the length of the block, with everything that it starts itself. AssertionError where it had to
    be killed because its life was over."""
    words, over = [str(word) for word in command], threading.Event()
    guarded = _guard()
    process = subprocess.Popen(words, start_new_session=True, **how)
    os.write(guarded, b"+%d\n" % process.pid)
    late = f"killed after {life:.0f} s: {' '.join(words)[:200]}"

    def end_of_life() -> None:
        over.set()
        end(process)

    watch = threading.Timer(life, end_of_life)
    watch.daemon = True
    try:
        watch.start()
        yield process
    except BaseException as error:
        if over.is_set():
            error.add_note(late)
        raise
    finally:
        watch.cancel()
        end(process)
        os.write(guarded, b"-%d\n" % process.pid)
        for pipe in filter(None, (process.stdin, process.stdout, process.stderr)):
            with contextlib.suppress(OSError):  # what nobody read any more
                pipe.close()
    assert not over.is_set(), late


def end(process: subprocess.Popen) -> bool:
    """Kills a process that is `running`, with its whole group, and waits for its end; whether it was at work."""
    process.poll()
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody of the group is left
        os.killpg(process.pid, signal.SIGKILL)
    ours = process.returncode is None
    process.wait(PATIENCE)
    return ours and process.returncode == -signal.SIGKILL


def ended(command: Sequence[object], check: bool = False, life: float = LIFE, **how: object
          ) -> subprocess.CompletedProcess:
    """What a process said that ran to its end. With `check`, AssertionError with the end of it where it failed."""
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | how
    with running(command, life, **how) as process:
        out, errors = process.communicate()
    assert not (check and process.returncode), f"exit code {process.returncode}: {(errors or out or '')[-3000:]}"
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie that nobody waits for has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


GUARD = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


@cache
def _guard() -> int:
    """Where a group is named to the guard, with a + when it begins and a - when it was killed."""
    guard = subprocess.Popen([sys.executable, "-ISc", GUARD], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
    atexit.register(guard.communicate)  # it ends as soon as there is nobody to guard
    return guard.stdin.fileno()


def under(folder: Path) -> list[Path]:
    """Every file below a folder in which others are at work: what they rename or remove meanwhile may be missing
    (Path.glob raises FileNotFoundError then)."""
    return [Path(where, name) for where, _, names in os.walk(folder) for name in names]
