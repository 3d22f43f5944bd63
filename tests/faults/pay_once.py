"""Kills a run at random moments until it is done and counts what the endpoint was asked: the pay-once test.

    python tests/faults/pay_once.py --requests 5000 --kills 10

One design decision: a real `lema run` gets SIGKILL, process group and all, and is simply started again. The
endpoint may have seen each path once, and again only what was in flight at a kill: at most what the config allows.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.running import answer, command, lema, write_run, wrong_rows
from tests.patience import until
from tests.personas import Vllm
from tests.processes import end, running
from tests.server import Server, never


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--paths", type=int, default=1, help="of one question, asked together")
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    draw = random.Random(options.seed)
    questions = options.requests // options.paths
    with (Server(answer, seconds=lambda body: 0.03, persona=Vllm()) as server,
          tempfile.TemporaryDirectory() as name):
        folder = Path(name)
        write_run(folder, server.url, questions, options.paths, f"concurrency = {options.concurrency}")
        moments = sorted(draw.uniform(0.01, 0.99) * questions for _ in range(options.kills))
        in_flight = [_killed(folder, server, moment, options.concurrency) for moment in moments]
        server.held = never
        done = lema(folder, "run", "lema.toml")
        if done.returncode:
            print(done.stderr)
            return 1
        seen = sum(body.get("n", 1) for body in server.seen)
        wrong = wrong_rows(folder, questions, options.paths)
    again, allowed = seen - questions * options.paths, options.kills * options.concurrency * options.paths
    print(f"seed {options.seed}: {questions * options.paths:,} paths, {options.kills} kills with {in_flight} "
          f"requests at the server;\npaid {seen:,} times: {again} again; at most {allowed} could be in flight")
    print("missing, double or mixed up:", "; ".join(wrong[:5]) or "none")
    return bool(wrong) or not 0 <= again <= allowed


def _killed(folder: Path, server: Server, moment: float, concurrency: int) -> int:
    """Runs until the server has seen so many requests, then kills; returns how many it was answering just then.
    The server answers few more until then, so that no run ends before it is killed."""
    server.held = lambda body: len(server.seen) > moment + concurrency
    with running(command("run", "lema.toml"), cwd=folder, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL) as process:
        until(lambda: len(server.seen) >= moment, f"request {moment:.0f} at the server", process, pause=0.001)
        at_once = server.at_once
        assert end(process), "the run ended before it was killed"
    return at_once


if __name__ == "__main__":
    sys.exit(main())
