"""Kills real runs at random moments and compares what they end in with a run left alone.

    python tests/faults/kill_anywhere.py --kills 20

One design decision: the whole process group gets SIGKILL, as when a machine goes down, and the comparison is
byte by byte over every rows.jsonl (training sets, weights' hashes, answers and scores among them) and the table.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path


def command(recipe: str, folder: Path, overrides: list[str]) -> list[str]:
    """The run as a user starts it, with runs and grown students in a folder of its own."""
    laid = [f"machine.cache={folder / 'cache'}", *overrides]
    return [sys.executable, "-c", "from lema.cli import main; main()", "run", recipe, "--runs",
            str(folder / "runs"), *(part for change in laid for part in ("--set", change))]


def left_alone(recipe: str, folder: Path, overrides: list[str]) -> float:
    """Runs to the end; returns its seconds. Raises CalledProcessError with what it printed."""
    started = time.monotonic()
    subprocess.run(command(recipe, folder, overrides), check=True, capture_output=True, text=True)
    return time.monotonic() - started


def after(seconds: float) -> Callable[[], bool]:
    """A moment by the clock, which starts at the first question."""
    started: list[float] = []

    def come() -> bool:
        started[:] = started or [time.monotonic()]
        return time.monotonic() - started[0] >= seconds

    return come


def within(folder: Path, stages: int) -> Callable[[], bool]:
    """A moment at which so many stages of the run in `folder` are done and another one is writing, however fast
    the machine is."""
    return lambda: (sum(1 for _ in folder.glob("runs/*/**/record.json")) >= stages
                    and any(folder.glob("runs/*/**/*.part/*")))


def killed_until_done(recipe: str, folder: Path, overrides: list[str], moments: list[Callable[[], bool]]) -> int:
    """Kills the run when each of `moments` has come, then lets it end; returns how many kills hit it."""
    hit = 0
    for come in moments:
        process = subprocess.Popen(command(recipe, folder, overrides), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        while process.poll() is None and not come():
            time.sleep(0.02)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            hit += 1
        process.wait()
    left_alone(recipe, folder, overrides)
    return hit


def prints(folder: Path) -> dict[str, str]:
    """Relative path to content hash of everything that a run must end in, whatever happened on the way."""
    run = next((folder / "runs").iterdir())
    kept = [*run.rglob("rows.jsonl"), *run.rglob("table.txt")]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kept)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--per-run", type=int, default=4, help="kills of one run before it may end")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    options = parser.parse_args()
    draw = random.Random(options.seed)
    home = Path(tempfile.mkdtemp(prefix="lema-faults-"))
    seconds = left_alone(options.recipe, home / "alone", options.overrides)
    expected = prints(home / "alone")
    print(f"left alone: {seconds:.1f} s, {len(expected)} files; seed {options.seed}", flush=True)
    hit = number = 0
    while hit < options.kills:
        number += 1
        folder = home / f"killed-{number}"
        moments = [draw.uniform(0, seconds) for _ in range(min(options.per_run, options.kills - hit))]
        hit += killed_until_done(options.recipe, folder, options.overrides, [after(moment) for moment in moments])
        found = prints(folder)
        names = expected.keys() | found.keys()
        differing = sorted(name for name in names if expected.get(name) != found.get(name))
        said = ", ".join(f"{moment:.1f}" for moment in moments)
        print(f"run {number}, killed after {said} s: {'DIFFERS: ' + ', '.join(differing) if differing else 'same'}"
              f" ({hit} kills so far)", flush=True)
        if differing:
            print(f"kept in {home}")
            return 1
        shutil.rmtree(folder)
    shutil.rmtree(home)
    print(f"{hit} kills, every run byte-identical to the one left alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
