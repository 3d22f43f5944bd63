"""`lema score` on a large file, in one process and by worker processes: python bench/scoring.py ../shared/data

Repeats the rows of a set until there are --rows of them, judges the file both ways, compares the two outcomes row
for row and prints seconds on the wall and of processor, which a busy machine does not change.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from lema.commands.score import abreast
from lema.commands.score.predictions import PredictionOptions, open_predictions


def written(data: Path, part: str, rows: int, folder: Path) -> Path:
    """A file of so many predictions."""
    known = []
    for line in (data / f"grading_outputs/processbench_{part}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        gold = row["_gold_answer"]
        if gold is not None:
            gold = ", ".join(gold) if isinstance(gold, list) else gold
            known.append(json.dumps({"text": "\n\n".join(row["steps"]), "gold": gold}))
    path = folder / f"{part}.jsonl"
    with path.open("w", encoding="utf-8") as out:
        out.writelines(known[place % len(known)] + "\n" for place in range(rows))
    return path


def processor_s() -> tuple[float, float]:
    """Processor seconds of this process, and of those that it started and that have ended."""
    used = os.times()
    return used.user + used.system, used.children_user + used.children_system


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("data", type=Path)
    ask.add_argument("--rows", type=int, default=100_000)
    args = ask.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: no such folder; give the one with grading_outputs")
    print(f"{args.rows:,} rows, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        for part, task in (("gsm8k", "gsm8k"), ("math", "math"), ("olympiadbench", "math")):
            path = written(args.data, part, args.rows, Path(folder))
            taken, said = [], []
            for worth in (float("inf"), abreast.WORTH_S):
                judge, predictions = open_predictions(path, PredictionOptions(task))
                start, used = time.perf_counter(), processor_s()
                grades = abreast.judged(judge, predictions, path.stat().st_size, worth_s=worth)
                rows = "".join(json.dumps([one.place, *found]) for one, found in grades)
                said.append(sha256(rows.encode()).digest())
                here, there = (now - before for now, before in zip(processor_s(), used, strict=True))
                taken.append((time.perf_counter() - start, here, there))
            same = "the same rows" if said[0] == said[1] else "OTHER ROWS"
            (alone, used, _), (wall, here, there) = taken
            print(f"{part:14} one process {alone:.1f} s ({used:.1f} s of processor), as lema does it {wall:.1f} s "
                  f"({here:.1f} s of it here, {there:.1f} s in the workers), {same}", flush=True)


if __name__ == "__main__":
    main()
