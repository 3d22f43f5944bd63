"""Lets the clocks of a run and of its workers jump, and looks at what hangs on time.

    python tests/faults/clocks.py --runs 10

One design decision: the time of day goes to and fro by up to ten years, as a clock that is set does, and stands
still now and then; the monotonic clock goes on by up to an hour at a time, as after a pause of a virtual machine,
and never back, which is what it promises. A budget in tokens, limits per minute, pauses that an endpoint asks for,
tries again, locks and two workers all stand on them.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.faults.running import answer, lema, write_run, wrong_rows  # noqa: E402 (a script finds its repository)
from tests.personas import Vllm  # noqa: E402
from tests.server import BROKEN, Fault, Server, too_many  # noqa: E402

PER_MINUTE = 3000
QUESTIONS = 200
JUMPING = """
import os, random, time
draw, seed = random.Random(), os.environ.get("LEMA_JUMPS")
if seed:
    draw.seed(f"{seed} {os.getppid()}")
    day, steady, ahead, stands = time.time, time.monotonic, [0.0, 0.0], [None]
    def now():
        if draw.random() < 0.02:
            ahead[0] = draw.uniform(-3e8, 3e8)
            stands[0] = day() if draw.random() < 0.3 else None
        return (stands[0] or day()) + ahead[0]
    def going_on():
        if draw.random() < 0.004:
            ahead[1] += draw.choice((1.0, 30.0, 3600.0))
            with open(os.environ["LEMA_JUMPED"], "a") as log:
                log.write("x")
        return steady() + ahead[1]
    time.time, time.monotonic = now, going_on
"""


def run_with_jumps(folder: Path, seed: int) -> tuple[list[str], int, int]:
    """(broken promises, jumps of the monotonic clock, times that the run had to be started) of one run."""
    draw, arrivals = random.Random(seed), []
    (folder / "sitecustomize.py").write_text(JUMPING)
    jumped = folder / "jumped"
    jumped.touch()
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT / 'src'}:{ROOT}", "LEMA_JUMPS": str(seed),
                                "LEMA_JUMPED": str(jumped)}

    def fault(number: int, body: dict) -> Fault | None:
        arrivals.append(time.monotonic())
        return draw.choices((None, BROKEN, too_many("0"), too_many("Fri, 31 Dec 1999 23:59:59 GMT")),
                            (0.94, 0.03, 0.02, 0.01))[0]

    broken, starts = [], 0
    with Server(answer, fault, persona=Vllm()) as server:
        table = f"n = 1\nconcurrency = 16\nrequests_per_minute = {PER_MINUTE}"
        write_run(folder, server.url, QUESTIONS, model=table)
        done = None
        while done is None or done.returncode:
            starts += 1
            done = lema(folder, "run", "lema.toml", "--set", "machine.workers=2", "--set", "budget.tokens=60000",
                        env=environment)
            lines = [line for line in done.stderr.splitlines() if line.startswith("lema: ")]
            if done.returncode not in (0, 2) or len(lines) != bool(done.returncode) or "Traceback" in done.stderr:
                broken.append(f"exit code {done.returncode}: {done.stderr[-500:]}")
            if starts > 20 or broken:
                break
        answers = sum(1 for _ in server.seen)
        spent = sum(server.cost["m"])
    jumps = jumped.stat().st_size
    broken += wrong_rows(folder, QUESTIONS, 1) if not broken else []
    broken += [f"{spent:,} tokens of 60,000 spent"] if spent > 60_000 else []
    broken += crowded(arrivals, jumps)
    broken += [f"{answers:,} requests"] if answers > 3 * QUESTIONS + 16 * jumps else []
    return broken, jumps, starts


def crowded(arrivals: Sequence[float], jumps: int) -> list[str]:
    """Where more requests arrived within ten seconds than the limit lets through, and each jump one span more."""
    most = PER_MINUTE // 6 + (jumps + 2) * (PER_MINUTE // 60 + 1)
    times = sorted(arrivals)
    for first, last in zip(times, times[most:], strict=False):
        if last - first < 10:
            return [f"{most} requests in {last - first:.1f} s"]
    return []


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    bad = jumps = 0
    for number in range(options.runs):
        with tempfile.TemporaryDirectory(prefix="lema-clocks-") as name:
            broken, jumped, starts = run_with_jumps(Path(name), options.seed + number)
        jumps += jumped
        bad += bool(broken)
        print(f"seed {options.seed + number}: {jumped} jumps of the monotonic clock, started {starts} times: "
              f"{'; '.join(broken) or 'whole'}", flush=True)
    print(f"{options.runs} runs of {QUESTIONS} questions, {jumps} jumps: {bad} with broken promises")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
