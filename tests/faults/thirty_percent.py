"""Many requests to an endpoint that fails in every known way: python tests/faults/thirty_percent.py

    python tests/faults/thirty_percent.py --requests 10000 --seed 1

One design decision: a real `lema run` and a server that also restarts in mid-run; what counts is the run's rows.
Prints the faults that were dealt out and how the rows ended; exits 1 where a row is missing, double or mixed up.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.running import answer, lema, paths_of, write_run, wrong_rows
from tests.faulty import THIRTY_PERCENT, mixed
from tests.patience import until
from tests.personas import Vllm
from tests.server import Server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    dealt: Counter = Counter()
    fault = mixed(THIRTY_PERCENT, options.seed)

    def count(number: int, body: dict):
        dealt["faults" if (one := fault(number, body)) else "answers"] += 1
        return one

    with (Server(answer, count, persona=Vllm()) as server, tempfile.TemporaryDirectory() as name,
          ThreadPoolExecutor(1) as beside):
        folder = Path(name)
        write_run(folder, server.url, options.requests, model="n = 1\ntimeout = 2")
        started = time.monotonic()
        run = beside.submit(lema, folder, "run", "lema.toml")
        until(lambda: run.done() or len(server.seen) >= options.requests // 2, "half of the requests were asked")
        server.stop()
        time.sleep(1)
        server.start()
        done = run.result()
        seconds = time.monotonic() - started
        print(done.stderr, end="")
        if done.returncode:
            return 1
        ends = Counter(row["finish"] for row in paths_of(folder))
        wrong = wrong_rows(folder, options.requests, 1)
    total = dealt.total()
    print(f"seed {options.seed}: {options.requests:,} requests in {seconds:.0f} s; the server saw {total:,}, "
          f"failed {dealt['faults'] / total:.1%} of them and restarted once")
    print("the rows:", ", ".join(f"{count:,} {end}" for end, count in ends.most_common()))
    print("missing, double or mixed up:", "; ".join(wrong[:5]) or "none")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
