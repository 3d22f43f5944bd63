"""Runs the tests that watch living processes again and again beside busy ones: what hangs on timing shows.

    python tests/faults/repeat.py --times 50

One design decision: they run as `make test` runs them, two at a time, while other processes do nothing but
compute; a test that fails in one of fifty rounds is one to mend. Nothing is kept from round to round but grown
students. Prints a line for each round; exits 1 where one failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.faults.kill_anywhere import CACHE  # noqa: E402 (a script finds its own repository)
from tests.processes import ended, running  # noqa: E402

LONGEST = 7200.0
"""Seconds that a round may take."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which no further round begins")
    parser.add_argument("--busy", type=int, default=2, help="processes that compute beside the tests")
    parser.add_argument("-k", default="", help="which of them, in pytest's words")
    options = parser.parse_args()
    begun, rounds, failed = time.monotonic(), 0, Counter()
    with ExitStack() as stack:
        students = stack.enter_context(tempfile.TemporaryDirectory(prefix="lema-students-"))
        for _ in range(options.busy):
            stack.enter_context(running([sys.executable, "-c", "while True: pass"], float(10**6)))
        while rounds < options.times and time.monotonic() - begun < 60 * options.minutes:
            rounds += 1
            ended_well, lines = once(options.k, students)
            last = next((line for line in reversed(lines) if " in " in line), "it said nothing")
            print(f"round {rounds} of {options.times}: {last}", flush=True)
            if not ended_well:
                print("\n".join(lines[-80:]), flush=True)
                failed.update({line.split()[1] for line in lines if line.startswith(("FAILED ", "ERROR "))}
                              or {"the round itself"})
    for test, times in failed.most_common():
        print(f"failed in {times} of {rounds} rounds: {test}")
    print(f"{rounds} rounds beside {options.busy} busy processes; "
          f"{'every one passed' if not failed else f'{len(failed)} tests failed'}")
    return 1 if failed or not rounds else 0


def once(chosen: str, students: str) -> tuple[bool, list[str]]:
    """Whether a round passed, and what it printed."""
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if "mark.living" in file.read_text("utf-8")]
    command = [sys.executable, "-m", "pytest", "-m", "living", "-k", chosen, "--numprocesses", "2", *sorted(files)]
    done = ended(command, life=LONGEST, cwd=ROOT, stderr=subprocess.STDOUT,
                 env=os.environ | {"OMP_NUM_THREADS": "1", CACHE: students})
    return done.returncode == 0, done.stdout.splitlines()


if __name__ == "__main__":
    sys.exit(main())
