"""How much of two cores' time `lema study` of 20 small cells wastes: python bench/study.py

Four budgets, five replicates; students of 0.1M parameters, three arms, each trained on 20,000 tokens. Two shares:
of the workers' seconds those in which no stage was performed, which is what the command itself says and what a
busy machine makes larger; and of all processor time what no stage used, starting, importing and scheduling
included. `--cells 4` is shorter, and tells less: with one replicate all wait for its student.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = """
name = "base"
sample = { models = ["student"], temperature = 0.8, max_tokens = 100 }
correct = { model = "teacher", tokens = 2_000 }
cot = { model = "teacher", tokens = 2_000 }
evaluate = { max_tokens = 100 }
report = { baseline = "cot", headline = "step", control = "teacher-cot" }
machine = { threads = 1, cache = "cache" }
arms = ["cot", "step", "teacher-cot"]
[task]
name = "lab"
train = 200
worked = 40
dev = 0
test = 100
levels = [1, 2, 3]
[models.student]
backend = "transformers"
[models.student.grow]
tokens = 150_000
shape = { width = 64, layers = 2, heads = 2, feed_forward = 128 }
finish = { tokens = 10_000 }
[models.teacher]
backend = "teacher"
slip = 0.1
[train]
base = "student"
seeds = [1]
budget = { tokens = 20_000 }
method = "full"
optimizer = "muon"
learning_rate = 0.002
embedding_learning_rate = 0.002
batch_tokens = 2048
"""
STUDY = """
name = "waste"
recipe = "base.toml"
replicates = {replicates}
pairs = [["step", "teacher-cot"]]
[axes.budget]
keys = ["correct.tokens", "cot.tokens"]
values = [500, 1_000, 1_500, 2_000]
"""
LIMIT = 0.1


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=20, help="a multiple of four")
    options.add_argument("--workers", type=int, default=2)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="lema-study-") as folder:
        home = Path(folder)
        (home / "base.toml").write_text(CONFIG)
        (home / "waste.toml").write_text(STUDY.format(replicates=given.cells // 4))
        load, started, before = os.getloadavg()[0], time.perf_counter(), _cpu()
        command = [sys.executable, "-m", "lema", "study", "waste.toml", "--workers", str(given.workers)]
        done = subprocess.run(command, cwd=home, check=True, capture_output=True, text=True)
        clock, cpu = time.perf_counter() - started, _cpu() - before
        records = [json.loads(path.read_text()) for path in home.rglob("record.json")]
        made = {record["fingerprint"]: record for record in records if "taken_from" not in record}
        in_stages = sum(record.get("cpu_seconds", 0.0) for record in made.values())
        wasted = int(re.search(r"(\d+) % of them without a stage", done.stdout)[1]) / 100
        print(f"{given.cells} cells, {len(made)} stages, {clock:.0f} s on {given.workers} workers (load before: "
              f"{load:.1f}); {100 * wasted:.0f} % of the workers' time without a stage; {cpu:.0f} CPU seconds, of "
              f"which {100 * (1 - in_stages / cpu):.0f} % outside of stages; the limit is {100 * LIMIT:.0f} %")


def _cpu() -> float:
    """Of the processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
