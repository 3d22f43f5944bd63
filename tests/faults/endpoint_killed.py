"""Kills the endpoint under a run, again and again.

    python tests/faults/endpoint_killed.py --requests 2000 --kills 10

One design decision: the endpoint is a process of its own that gets SIGKILL and comes back at the same address, as
a vLLM server that runs out of memory does; what it was made to write stands on a list that survives it. The run is
never started again.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.faults.running import command, write_run, wrong_rows  # noqa: E402 (a script finds its own repository)
from tests.hosting import HERE, held_port  # noqa: E402
from tests.patience import until  # noqa: E402
from tests.processes import end, running  # noqa: E402

CONCURRENCY = 16
SERVER = """
import os, sys, threading
from tests.faults.running import answer
from tests.personas import Vllm
from tests.server import Server
written = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND)
def told(body, choice):
    os.write(written, b"x")
    return answer(body, choice)
with Server(told, seconds=lambda body: 0.02, persona=Vllm(), port=int(sys.argv[1])):
    threading.Event().wait()
"""


@contextmanager
def serving(port: int, written: Path) -> Iterator[subprocess.Popen]:
    """An endpoint at that port for the length of the block."""
    command = [sys.executable, "-c", SERVER, str(port), str(written)]
    with running(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}) as process:
        yield process


def killed_under_a_run(folder: Path, requests: int, kills: int, seed: int) -> tuple[str, int, list[str]]:
    """(what a run that failed said, replies that the endpoint wrote, what is wrong with the rows) of one run whose
    endpoint is killed so many times."""
    draw, written = random.Random(seed), folder / "written"
    written.touch()
    moments = sorted(draw.uniform(0.02, 0.95) * requests for _ in range(kills))
    place = held_port()
    port = place.getsockname()[1]
    with place, (folder / "log").open("w+") as log:
        write_run(folder, f"http://{HERE}:{port}/v1", requests, model=f"concurrency = {CONCURRENCY}\nn = 1")
        with running(command("run", "lema.toml"), cwd=folder, stdout=subprocess.DEVNULL, stderr=log) as run:
            for moment in [*moments, None]:
                with serving(port, written) as endpoint:
                    if moment is None:
                        run.wait()
                    else:
                        until(lambda moment=moment: written.stat().st_size >= moment or run.poll() is not None,
                              f"{moment:.0f} replies were written", pause=0.001)
                        assert end(endpoint), "the endpoint ended before it was killed"
                time.sleep(draw.random() * 0.5)
        log.seek(0)
        said = log.read()[-2000:] if run.returncode else ""
    return said, written.stat().st_size, [] if said else list(wrong_rows(folder, requests, 1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lema-faults-") as name:
        said, written, wrong = killed_under_a_run(Path(name), options.requests, options.kills, options.seed)
    again, most = written - options.requests, options.kills * CONCURRENCY
    print(f"seed {options.seed}: the endpoint of {options.requests:,} requests was killed {options.kills} times; "
          f"it wrote {written:,} replies: {again} again; at most {most} could be in flight")
    print(said or f"missing, double or mixed up: {'; '.join(wrong[:5]) or 'none'}")
    return bool(said or wrong) or not 0 <= again <= most


if __name__ == "__main__":
    sys.exit(main())
