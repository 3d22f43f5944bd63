"""Kills a process that samples with the transformers backend at random moments, and counts what it computed.

    python tests/faults/sampling_killed.py --requests 5000 --kills 10

One design decision: a completion counts as paid when the model has written it, on a list that survives the kill;
what was in flight is the one batch that was being computed or written down when the kill came. A process stops
soon after it has computed what it is to be killed at, so that it does not end before.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests import toys  # noqa: E402 (a script finds its own repository)
from tests.patience import until  # noqa: E402
from tests.processes import end, ended, running  # noqa: E402

BATCH = 25
CLIENT = """
import os, sys, time
from pathlib import Path
from lema.journal import Journal, complete
from lema.models import find_model, transformers
from lema.records import Sampling
from tests.answering import ask
folder, journal, requests, batch, most = sys.argv[1:]
paid = os.open(Path(folder) / f"{journal}.paid", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
class Paid(transformers.Model):
    def complete(self, requests):
        for completion in super().complete(requests):
            os.write(paid, b"paid\\n")
            yield completion
            while os.fstat(paid).st_size >= len(b"paid\\n") * int(most):
                time.sleep(1)  # until it is killed
model = find_model("x", "transformers", {"path": f"{folder}/checkpoint", "batch_size": int(batch)})
model.__class__ = Paid
drawn = Sampling(temperature=1.0, max_tokens=12, seed=3)
words = ["Leo", "Leo has", "Sam", "Leo and Sam has"]
asked = [ask(words[i % 4], i // 4, drawn) for i in range(int(requests))]
with Journal(Path(folder) / journal) as journal:
    for completion in complete(journal, model, asked):
        print(repr(completion.text))
"""


def killed_until_done(folder: Path, requests: int, kills: int, seed: int) -> tuple[bool, int]:
    """After so many kills: (whether it ended in what one left alone prints, completions computed)."""
    toys.model(folder / "checkpoint")
    draw, paid, share = random.Random(seed), folder / "killed.paid", requests // (kills + 1)
    assert share > BATCH, "too few requests for so many kills"
    paid.touch()

    def command(journal: str, most: int) -> list[str]:
        return [sys.executable, "-c", CLIENT, str(folder), journal, str(requests), str(BATCH), str(most)]

    def computed() -> int:
        return len(paid.read_bytes().splitlines())

    whole = ended(command("alone", 10**9), cwd=ROOT, check=True).stdout
    for _ in range(kills):
        moment = computed() + draw.randrange(1, share)
        with running(command("killed", moment + BATCH), cwd=ROOT, stdout=subprocess.DEVNULL) as client:
            until(lambda moment=moment: computed() >= moment, f"{moment} completions were computed", client)
            time.sleep(draw.random() * 0.02)
            assert end(client), "the process ended before it was killed"
    done = ended(command("killed", 10**9), cwd=ROOT, check=True).stdout
    return done == whole and done.count("\n") == requests, computed()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="lema-faults-") as folder:
        same, paid = killed_until_done(Path(folder), options.requests, options.kills, options.seed)
    print(f"{options.kills} kills; {options.requests:,} requests, {paid:,} computed, at most {BATCH} in flight "
          f"at a kill; texts {'the same as left alone' if same else 'DIFFER'}")
    return 0 if same and paid <= options.requests + options.kills * BATCH else 1


if __name__ == "__main__":
    sys.exit(main())
