"""How often a table of arms without any difference claims one, and what each analysis still sees.

    python bench/coverage.py [--runs 400] [--arms 6] [--questions 720]

One design decision: every analysis judges the same simulated examinations, so that error and power stand side by
side. A question is as easy as a draw from a normal distribution says (in log odds); an arm may change that by
question, and a training's accuracy deviates by the points named. Holm's correction is over all arms; power is
that of one arm, 5 points better, under the same correction. Printed as error / power.
"""

import argparse
import math

import numpy as np

from lema.statistics import difference, t_tail

SEEDS = (3, 5, 8)
DEVIATIONS = (0.0, 0.01, 0.02)
BY_ARM = (0.0, 0.5)
BETTER = 0.05


def examined(draw: np.random.Generator, arms: int, seeds: int, questions: int, deviation: float, by_arm: float,
             better: float = 0.0) -> list[np.ndarray]:
    """Right answers, [seeds, questions] of 0 and 1, of a baseline and so many arms."""
    easy = draw.normal(0, 1.6, questions)
    rows = []
    for arm in range(arms + 1):
        chance = 1 / (1 + np.exp(-(easy + draw.normal(0, by_arm, questions))))
        chance = chance + draw.normal(0, deviation, (seeds, 1))
        rows.append((draw.random((seeds, questions)) < chance + (better if arm else 0)).astype(float))
    return rows


def p_values(right: np.ndarray, baseline: np.ndarray) -> dict[str, float]:
    """By analysis; "crossed" is the one that lema's readings rest on."""
    both = right - baseline
    single = {}
    for name, axis in (("over questions", 0), ("over seeds", 1)):
        values = both.mean(axis=axis)
        error = max(values.std(ddof=1), 1e-12) / math.sqrt(len(values))
        single[name] = 2 * t_tail(abs(float(values.mean())) / error, len(values) - 1)
    return {**single, "larger of both": max(single.values()), "crossed": difference(right, baseline).p_value}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--arms", type=int, default=6)
    parser.add_argument("--questions", type=int, default=720)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = np.random.default_rng(options.seed)
    names = ("over questions", "over seeds", "larger of both", "crossed")
    print(f"{'seeds':>5} {'deviation':>9} {'by arm':>6}  " + "  ".join(f"{name:>14}" for name in names))
    for seeds in SEEDS:
        for deviation in DEVIATIONS:
            for by_arm in BY_ARM:
                errors, seen = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
                for _ in range(options.runs):
                    shape = (seeds, options.questions, deviation, by_arm)
                    base, *arms = examined(draw, options.arms, *shape)
                    every = [p_values(arm, base) for arm in arms]
                    base, arm = examined(draw, 1, *shape, BETTER)
                    apart = p_values(arm, base)
                    for name in names:
                        # Holm rejects something exactly where the smallest p-value passes the first step
                        errors[name] += min(each[name] for each in every) * options.arms < 0.05
                        seen[name] += apart[name] * options.arms < 0.05
                cells = (f"{errors[name] / options.runs:6.3f} / {seen[name] / options.runs:.2f}" for name in names)
                row = "  ".join(f"{cell:>14}" for cell in cells)
                print(f"{seeds:5} {100 * deviation:9.1f} {by_arm:6.1f}  {row}", flush=True)


if __name__ == "__main__":
    main()
