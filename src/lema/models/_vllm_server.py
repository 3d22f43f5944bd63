"""vLLM's server as a process of ours: started on a free port, waited for, and stopped whatever becomes of us.

One design decision: between us and the server stands a small process (_watchdog.py) that holds one end of a pipe;
when the other end closes, because we stop it or because we were killed, it ends the server's whole process group.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from lema.errors import ModelError

MODULE = "vllm.entrypoints.openai.api_server"
"""What `vllm serve` runs; its command of that name imports more, and fails where some of that is missing."""
WATCHDOG = Path(__file__).with_name("_watchdog.py")
SETTING = ("VLLM_NO_USAGE_STATS=1", "VLLM_DO_NOT_TRACK=1")
STOP_SECONDS = 15


class StartedServer(NamedTuple):
    """A server of ours: its base URL, what it said last where it has ended by itself, else None; and how to stop
    it."""

    url: str
    last_words: Callable[[], str | None]
    stop: Callable[[], object]


def start(owner: object, python: str, flags: Sequence[str], seconds: float,
          cards: Sequence[str] = ()) -> StartedServer:
    """A server that answers, on these cards (none: on all that it sees); it is stopped when `owner` is gone.
    ModelError with the last line of its log where it ends or does not answer within `seconds`."""
    port = _free_port()
    shown = [f"CUDA_VISIBLE_DEVICES={','.join(cards)}"] if cards else []
    command = ["env", *SETTING, *shown, python, "-m", MODULE, "--host", "127.0.0.1", "--port", str(port), *flags]
    log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the server
    try:
        watchdog = subprocess.Popen([sys.executable, str(WATCHDOG), *command], stdin=subprocess.PIPE, stdout=log,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    except OSError as error:
        raise ModelError(f"vllm: its server cannot be started ({error.strerror})") from None
    stop = weakref.finalize(owner, _stop, watchdog, log)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + seconds
    while not _answers(url):
        ended = watchdog.poll() is not None
        if ended or time.monotonic() > deadline:
            last = _last_line(log)
            stop()
            what = "ended before it answered" if ended else f"did not answer within {seconds:.0f} s"
            raise ModelError(f"vllm: its server {what} ({last}); see that `{python} -m {MODULE}` runs, or raise "
                             "start_seconds")
        time.sleep(0.2)
    return StartedServer(f"{url}/v1", lambda: None if watchdog.poll() is None else _last_line(log), stop)


def _stop(watchdog: subprocess.Popen, log: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        watchdog.stdin.close()
    watchdog.wait(STOP_SECONDS + 5)
    log.close()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=2):
            return True
    except (OSError, urllib.error.URLError):
        return False


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode("utf-8", "replace").splitlines()
    telling = [line for line in lines if "Error" in line] or list(filter(str.strip, lines))
    return telling[-1].strip()[-300:] if telling else "it said nothing"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
