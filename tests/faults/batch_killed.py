"""Kills a process that has batches under way at random moments, and counts what the provider was made to work on.

    python tests/faults/batch_killed.py --requests 5000 --kills 10

One design decision: the Batch API outlives the killed process, holds every reply back for a while so that kills
fall between a deed and its record, and lets some batches expire; its count of worked-on requests is the bill. It
answers few deeds beyond the one at which a process is to be killed, so that no process ends before it is.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.batch_server import BatchServer, Fate  # noqa: E402 (a script finds its own repository)
from tests.patience import until  # noqa: E402
from tests.personas import OpenAI  # noqa: E402
from tests.processes import end, ended, running  # noqa: E402

CLIENT = """
import sys
from pathlib import Path
from lema.journal import Journal, complete
from lema.models import find_model
from tests.answering import ask
folder, url, requests, rows = sys.argv[1:]
table = {"model": "m", "base_url": url, "poll": 0.02, "file_requests": int(rows), "batches": 4, "resubmit": 9}
with Journal(Path(folder) / "journal.sqlite") as journal:
    model = find_model("x", "batch", table)
    for completion in complete(journal, model, [ask(f"q{i}", i % 3) for i in range(int(requests))]):
        print(completion.text, completion.finish, sep="\\t", flush=True)
"""


def fates(seed: int):
    """A quarter of all batches expire somewhere on the way; all take a while."""
    draw = random.Random(seed)

    def fate(number: int, rows: int) -> Fate:
        if draw.random() < 0.25:
            return Fate(seconds=0.2, status="expired", rows=draw.randrange(rows + 1))
        return Fate(seconds=0.2)

    return fate


def killed_until_done(folder: Path, requests: int, rows: int, kills: int, seed: int) -> tuple[list[str], Counter]:
    """(lines printed by the run that ended, request to how often it was worked on) after so many kills."""
    draw = random.Random(seed)
    share = 3 * -(-requests // rows) // (kills + 1)  # of the deeds that are needed in any case, for each process
    with BatchServer(fate=fates(seed), delay=0.03, file_requests=rows, persona=OpenAI()) as server:
        command = [sys.executable, "-c", CLIENT, str(folder), server.url, str(requests), str(rows)]
        for _ in range(kills):
            moment = server.deeds + draw.randrange(1, share)
            server.most = moment + 1
            with running(command, cwd=ROOT, stdout=subprocess.DEVNULL) as client:
                until(lambda moment=moment: server.deeds >= moment, f"its deed {moment}", client)
                time.sleep(draw.random() * 0.05)
                assert end(client), "the process ended before it was killed"
        server.most = None
        return ended(command, cwd=ROOT, check=True).stdout.splitlines(), server.paid


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=150, help="in one batch")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lema-faults-") as folder:
        lines, paid = killed_until_done(Path(folder), options.requests, options.rows, options.kills, options.seed)
    texts = [line.split(" | ")[0] for line in lines]
    whole = texts == [f"q{number}" for number in range(options.requests)]
    print(f"{options.kills} kills; {options.requests:,} requests, {sum(paid.values()):,} worked on, {len(paid):,} "
          f"different; rows {'complete and in order' if whole else 'WRONG'}")
    return 0 if whole and sum(paid.values()) == len(paid) == options.requests else 1


if __name__ == "__main__":
    sys.exit(main())
