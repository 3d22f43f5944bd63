"""Whether two runs wrote the same: every rows.jsonl and table.txt, byte for byte.

    python bench/same_rows.py runs/lab older/runs/lab

Run it on folders that two versions of lema made with the same recipe on one machine. Prints each file that
differs, with the largest relative difference of its numbers where only numbers do. Exits 1 where
anything else does.
"""

import argparse
import json
import sys
from itertools import zip_longest
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("other", type=Path)
    options = parser.parse_args()
    names = {file.relative_to(folder) for folder in (options.run, options.other)
             for pattern in ("rows.jsonl", "table.txt") for file in folder.rglob(pattern)}
    same, others = 0, 0
    for name in sorted(names):
        files = [folder / name for folder in (options.run, options.other)]
        texts = [file.read_bytes() if file.is_file() else b"" for file in files]
        if texts[0] == texts[1]:
            same += 1
            continue
        apart = _apart(*texts) if name.name == "rows.jsonl" else None
        others += apart is None
        print(f"{name}: " + ("differs" if apart is None else f"numbers differ by {apart:.1e} at most, relatively"))
    print(f"{same} of {len(names)} files are the same, byte for byte")
    return 1 if others or not names else 0


def _apart(ours: bytes, theirs: bytes) -> float | None:
    """The largest relative difference of numbers; None where anything else differs."""
    lines = zip_longest(ours.splitlines(), theirs.splitlines(), fillvalue=b"null")
    steps = [_distance(*map(json.loads, pair)) for pair in lines]
    return None if None in steps else max(steps)


def _distance(one: object, other: object) -> float | None:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) / max(abs(one), abs(other), sys.float_info.min)
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        one, other = list(one.values()), [other[key] for key in one]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        steps = [_distance(*pair) for pair in zip(one, other, strict=True)]
        return None if None in steps else max(steps, default=0.0)
    return 0.0 if one == other else None


if __name__ == "__main__":
    sys.exit(main())
