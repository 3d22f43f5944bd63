"""How often the range of `lema estimate` holds what the run then costs.

    python bench/estimate.py --worlds 20

One design decision: a world is a student and a corrector behind a server, whose replies are as long and as often
wrong as a hash of the world, the question and the seed says; skewed lengths, questions that differ in difficulty.
`--good 9` makes a good student: a path is wrong one time in ten, and many pilots see no mistake at all.
"""

import argparse
import contextlib
import hashlib
import io
import json
import math
import sys
import tempfile
from pathlib import Path
from statistics import NormalDist

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.paying import lay_out, lema
from tests.personas import Vllm
from tests.server import Server, last_message


def drawn(*parts: object) -> float:
    """A number between 0 and 1 that the parts decide."""
    return (int(hashlib.sha256(repr(parts).encode()).hexdigest()[:12], 16) + 1) / (16**12 + 2)


def long(median: float, *parts: object) -> int:
    """A log-normal number of words."""
    return max(2, round(median * math.exp(0.6 * NormalDist().inv_cdf(drawn(*parts)))))


def world(number: int, good: float):
    """An answer for tests.server.Server."""
    def answer(body: dict, choice: int) -> str:
        gold = 2 * int(last_message(body).rsplit("What is ", 1)[1].split()[0])
        hard = drawn(number, gold) ** good
        if body["model"] == "large":
            words = "so " * long(60, number, "large", last_message(body))
            return (f" Step 1.\nExplanation: {words}.\nCorrect Solution:\n{{\nStep 1: It is {gold}.\n"
                    f"Step 2: The answer is {gold}.\n}}")
        wrong = drawn(number, gold, body["seed"]) < hard
        words = "so " * long(40 + 60 * hard, number, "small", gold, body["seed"])
        return f"Step 1: {words}.\nStep 2: The answer is {gold + wrong}."
    return answer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--pilot", type=int, default=10)
    parser.add_argument("--good", type=float, default=1.0)
    options = parser.parse_args()
    held, whole, empty, ratios = 0, 0, 0, []
    for number in range(options.worlds):
        with tempfile.TemporaryDirectory() as home, Server(world(number, options.good), persona=Vllm()) as server:
            folder = Path(home)
            lay_out(folder, server.url, questions=options.questions)
            with contextlib.redirect_stderr(io.StringIO()):
                few = ("--questions", str(options.pilot), "--json", "--set", "sample.max_tokens=1000",
                       "--set", "correct.max_tokens=1000")
                found = json.loads(lema(folder, "estimate", "x.toml", *few).stdout)
                lema(folder, "run", "x.toml", *few[3:])
            paid = json.loads(lema(folder, "show", "x", "--json").stdout)["cost"]["stages"]
        for guess, real in zip(found, paid, strict=True):
            held += guess["dollars_low"] <= real["dollars"] <= guess["dollars_high"]
            empty += not guess["replies"]
        low, real, high = (sum(row[key] for row in rows) for rows, key in (
            (found, "dollars_low"), (paid, "dollars"), (found, "dollars_high")))
        whole += low <= real <= high
        ratios.append(sum(g["dollars"] for g in found) / sum(r["dollars"] for r in paid))
    print(f"{options.worlds} worlds, pilots of {options.pilot} of {options.questions} questions: the range held "
          f"the cost of {held} of {len(ratios) * 2} stages, {empty} of which no pilot question needed, and of "
          f"{whole} of {len(ratios)} runs; estimate over cost {min(ratios):.2f} to {max(ratios):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
