"""Runs a command until it ends or this process's standard input does: python _watchdog.py COMMAND...

One design decision: it is started in a session of its own and ends that whole group, because a server leaves
workers behind when only its first process is stopped. It imports nothing of lema, so that it starts at once.
"""

import os
import signal
import subprocess
import sys
import threading
import time

PATIENCE = 10
"""Seconds between asking the group to end and ending it."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: None)  # the whole group is asked to end, and this process last
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_input, args=(command,), daemon=True).start()
    code = command.wait()
    os.killpg(0, signal.SIGKILL)  # workers that it left behind, and this process
    return code


def _end_with_input(command: subprocess.Popen) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while command.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
