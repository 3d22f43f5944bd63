"""How often equations of gold solutions are called true, false, or not judged.

    python bench/gold_equations.py [DATA]

DATA is a folder with gsm8k_train.jsonl and math_test.jsonl; `../shared/data/questions` by default.
"""

import json
import sys
import time
from collections import Counter
from pathlib import Path

from lema.grading import equations_in
from lema.replies import drop_calculator_marks


def main(folder: Path) -> None:
    for name, field in (("gsm8k_train", "answer"), ("math_test", "solution")):
        rows = (folder / f"{name}.jsonl").read_text(encoding="utf-8").strip().split("\n")
        started = time.perf_counter()
        found = Counter(equation.true for row in rows
                        for equation in equations_in(drop_calculator_marks(json.loads(row)[field])))
        print(f"{name}: {len(rows):,} solutions, {found[True]:,} equations true, {found[None]:,} not judged, "
              f"{found[False]} false, {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared/data/questions"))
