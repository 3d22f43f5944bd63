"""Kills a process that samples with the transformers backend at random moments, and counts what it computed.

    python tests/faults/sampling_killed.py --requests 5000 --kills 10

One design decision: a completion counts as paid when the model has written it, on a list that survives the kill;
what was in flight is the one batch that was being computed or written down when the kill came.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import toys  # noqa: E402 (a script finds its own repository)

BATCH = 25
CLIENT = """
import os, sys
from pathlib import Path
from lema.journal import Journal, complete
from lema.models import find_model, transformers
from lema.records import Sampling
from tests.answering import ask
folder, journal, requests, batch = sys.argv[1:]
paid = os.open(Path(folder) / f"{journal}.paid", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
class Paid(transformers.Model):
    def complete(self, requests):
        for completion in super().complete(requests):
            os.write(paid, b"paid\\n")
            yield completion
model = find_model("x", "transformers", {"path": f"{folder}/checkpoint", "batch_size": int(batch)})
model.__class__ = Paid
drawn = Sampling(temperature=1.0, max_tokens=12, seed=3)
words = ["Leo", "Leo has", "Sam", "Leo and Sam has"]
asked = [ask(words[i % 4], i // 4, drawn) for i in range(int(requests))]
with Journal(Path(folder) / journal) as journal:
    for completion in complete(journal, model, asked):
        print(repr(completion.text))
"""


def killed_until_done(folder: Path, requests: int, kills: int, seed: int) -> tuple[bool, int, int]:
    """(whether the run that ended printed what one left alone prints, completions computed, kills that hit)."""
    toys.model(folder / "checkpoint")
    draw, hit, paid = random.Random(seed), 0, folder / "killed.paid"
    paid.touch()

    def command(journal: str) -> list[str]:
        return [sys.executable, "-c", CLIENT, str(folder), journal, str(requests), str(BATCH)]

    alone = subprocess.run(command("alone"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for _ in range(kills):
        until = len(paid.read_bytes().splitlines()) + draw.randrange(1, max(2, requests // (kills + 1)))
        client = subprocess.Popen(command("killed"), cwd=ROOT, stdout=subprocess.DEVNULL)
        while len(paid.read_bytes().splitlines()) < until and client.poll() is None:
            time.sleep(0.002)
        time.sleep(draw.random() * 0.02)
        if client.poll() is None:
            client.send_signal(signal.SIGKILL)
            hit += 1
        client.wait()
    done = subprocess.run(command("killed"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return done == alone and done.count("\n") == requests, len(paid.read_bytes().splitlines()), hit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lema-faults-") as folder:
        same, paid, hit = killed_until_done(Path(folder), options.requests, options.kills, options.seed)
    print(f"{hit} kills; {options.requests:,} requests, {paid:,} computed, at most {BATCH} in flight at a kill; "
          f"texts {'the same as left alone' if same else 'DIFFER'}")
    return 0 if same and paid <= options.requests + hit * BATCH else 1


if __name__ == "__main__":
    sys.exit(main())
