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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.patience import until
from tests.processes import LEMA, end, ended, running, under

CACHE = "LEMA_FAULTS_CACHE"
LONGEST = 1500.0
"""Seconds that a whole run may take."""


class Moment(NamedTuple):
    """When a run is killed: as soon as `come()`. A run that ends before is an error where it `must` come."""

    come: Callable[[], bool]
    what: str
    must: bool = True


def command(recipe: str, folder: Path, overrides: list[str]) -> list[str]:
    """The run as a user starts it, with runs and grown students in a folder of its own, or students where CACHE
    says: whoever runs it again and again need not grow the same ones each time."""
    laid = [f"machine.cache={os.environ.get(CACHE) or folder / 'cache'}", *overrides]
    return [*LEMA, "run", recipe, "--runs", str(folder / "runs"),
            *(part for change in laid for part in ("--set", change))]


def left_alone(recipe: str, folder: Path, overrides: list[str]) -> float:
    """Runs to the end; returns its seconds. AssertionError with what it printed where it failed."""
    started = time.monotonic()
    ended(command(recipe, folder, overrides), check=True, life=LONGEST)
    return time.monotonic() - started


def after(seconds: float) -> Moment:
    """A moment by the clock, which starts at the first question; a quick run may have ended by then."""
    started: list[float] = []

    def come() -> bool:
        started[:] = started or [time.monotonic()]
        return time.monotonic() - started[0] >= seconds

    return Moment(come, f"{seconds:.1f} s were over", must=False)


def within(folder: Path, stages: int) -> Moment:
    """A moment at which so many stages of the run in `folder` are done and another one is writing, however fast
    the machine is."""
    def come() -> bool:
        files = under(folder / "runs")
        return (sum(file.name == "record.json" for file in files) >= stages
                and any(part.endswith(".part") for file in files for part in file.relative_to(folder).parts[:-1]))

    return Moment(come, f"{stages} stages were done and another one was writing")


def killed_until_done(recipe: str, folder: Path, overrides: list[str], moments: list[Moment]) -> int:
    """Kills the run when each of `moments` has come, then lets it end; returns how many kills hit it."""
    folder.mkdir(parents=True, exist_ok=True)
    hit = sum([_killed(recipe, folder, overrides, moment) for moment in moments])
    left_alone(recipe, folder, overrides)
    return hit


def _killed(recipe: str, folder: Path, overrides: list[str], moment: Moment) -> bool:
    with (folder / "log").open("w+") as log, running(
            command(recipe, folder, overrides), LONGEST, stdout=subprocess.DEVNULL, stderr=log) as process:
        until(lambda: moment.come() or process.poll() is not None, moment.what, seconds=LONGEST, pause=0.02)
        if end(process):
            return True
        log.seek(0)
        errors = log.read()[-3000:]
    assert process.returncode == 0, f"exit code {process.returncode}, not killed: {errors}"
    assert not moment.must, f"the run ended before {moment.what}"
    return False


def prints(folder: Path) -> dict[str, str]:
    """Relative path to content hash of everything that a run must end in, whatever happened on the way."""
    return contents(next((folder / "runs").iterdir()))


def contents(run: Path) -> dict[str, str]:
    """The same of a run's own folder."""
    kept = [*run.rglob("rows.jsonl"), *run.rglob("table.txt")]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kept)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--recipe", default="tiny")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--per-run", type=int, default=4, help="kills of one run before it may end")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--set", dest="overrides", action="append", default=[])
    parser.add_argument("--alone", type=Path, help="a finished run of the recipe, in place of one left alone: "
                                                   "kills come when random numbers of its stages are done")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    home = Path(tempfile.mkdtemp(prefix="lema-faults-"))
    if options.alone is None:
        span = left_alone(options.recipe, home / "alone", options.overrides)
        expected, unit = prints(home / "alone"), "s"
    else:
        span, unit = len(list(options.alone.rglob("record.json"))) - 1, "stages"
        expected = contents(options.alone)
    print(f"left alone: {span:.1f} {unit}, {len(expected)} files; seed {options.seed}", flush=True)
    hit = number = 0
    while hit < options.kills:
        number += 1
        folder = home / f"killed-{number}"
        moments = [draw.uniform(0, span) for _ in range(min(options.per_run, options.kills - hit))]
        if options.alone is not None:
            moments = sorted(map(round, moments))
        comings = [within(folder, moment) if options.alone else after(moment) for moment in moments]
        hit += killed_until_done(options.recipe, folder, options.overrides, comings)
        found = prints(folder)
        names = expected.keys() | found.keys()
        differing = sorted(name for name in names if expected.get(name) != found.get(name))
        said = ", ".join(f"{moment:.1f}" for moment in moments)
        outcome = "DIFFERS: " + ", ".join(differing) if differing else "same"
        print(f"run {number}, killed after {said} {unit}: {outcome} ({hit} kills so far)", flush=True)
        if differing:
            print(f"kept in {home}")
            return 1
        shutil.rmtree(folder)
    shutil.rmtree(home)
    print(f"{hit} kills, every run byte-identical to the one left alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
