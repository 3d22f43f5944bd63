"""How fast answers are graded, in one process: python bench/grading.py ../shared/data

Prints, per set, milliseconds per answer of lema by the clock on the wall (mean, median, 99th percentile,
longest), and how many times as much processor time math-verify and the official scorer's logic
(lema.commands.score.official) take. Each grades all texts of a set in one go, one after the other; nothing is
warmed up but the imports and one grade. With --million N that many GSM8K-style answers are streamed through worker
processes, and the peak memory is printed. Texts of GSM8K style are made here, no two the same; the others are
public model outputs.
"""

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from agreement import SETS, Case
from math_verify import parse, verify

from lema.commands.score import official
from lema.grading import grade, grade_many

STYLES = ("The answer is {}.", "#### {}", "A: {}", "So she has {} left.\nThe answer is ${}.", "**Answer:** {}",
          "Therefore the total is $\\boxed{{{}}}$.", "The final answer is: {} apples.")


def gsm8k_style(count: int) -> Iterator[tuple[str, str]]:
    """(text, gold): short worked solutions that end in a number, a fifth of them wrong; no two are the same."""
    for n in range(count):
        a, b = 17 + n % 9973, 3 + n // 7
        style = STYLES[n % 7 if n % 3 else n % 3]
        stated = f"{a + b:,}" if n % 2 else str(a + b)
        told = (f"Ann had {a} nuts in her first basket and then picked {b} more of them in the wood.\n"
                f"That makes {a} + {b} = <<{a}+{b}={a + b}>>{a + b} nuts altogether, after which she went home.\n")
        yield told + style.format(stated, stated), str(a + b + (n % 5 == 0))


def by_math_verify(text: str, gold: str) -> bool:
    return verify(parse(f"${gold}$"), parse(text))


def times(call: Callable[[Case], object], cases: list[Case]) -> tuple[list[float], float]:
    """Seconds for each case by the clock on the wall, and seconds of this process's work for all."""
    found = []
    worked = time.process_time()
    for case in cases:
        started = time.perf_counter()
        call(case)
        found.append(time.perf_counter() - started)
    return found, time.process_time() - worked


def compare(name: str, cases: list[Case]) -> None:
    """Prints lema's times and how many times longer the others take."""
    ours, work = times(lambda case: grade(case.text, case.gold, task=case.task), cases)
    ours.sort()
    _, theirs = times(lambda case: by_math_verify(case.text, case.gold), cases)
    _, officials = times(lambda case: official.grade(case.text, case.gold, task=case.task), cases)
    late = ours[int(0.99 * len(ours))]
    ms = [1000 * one for one in (statistics.mean(ours), statistics.median(ours), late, ours[-1])]
    print(f"{name:32} {len(cases):5}  {ms[0]:9.4f} {ms[1]:9.4f} {ms[2]:9.3f} {ms[3]:9.1f}  "
          f"{theirs / work:12.1f} {officials / work:9.1f}", flush=True)


def million(count: int) -> None:
    """Streams answers through worker processes, then through this one."""
    for workers in (None, 0):
        started = time.perf_counter()
        grades = grade_many(gsm8k_style(count), task="gsm8k", workers=workers)
        right = sum(one.verdict == "right" for one in grades)
        seconds = time.perf_counter() - started
        peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(f"{count} answers, {'one worker process per core' if workers is None else 'this process alone'}: "
              f"{seconds:.1f} s, {count / seconds:,.0f} per second, {right} right; peak memory of this "
              f"process and its largest worker {peak / 1024:.0f} MB")


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("data", type=Path)
    ask.add_argument("--million", type=int, default=0)
    ask.add_argument("--each", type=int, default=1000, help="most texts per set")
    args = ask.parse_args()
    if args.million:
        million(args.million)
        return
    if not args.data.is_dir():
        sys.exit(f"{args.data}: no such folder; give the one with grading_outputs")
    grade("\\boxed{x+1}", "1+x")
    by_math_verify("\\boxed{x+1}", "1+x")
    print(f"{'':32} {'':5}  {'ms per answer of lema':>39}  {'times longer':>22}")
    print(f"{'set':32} {'texts':>5}  {'mean':>9} {'median':>9} {'p99':>9} {'longest':>9}  "
          f"{'math-verify':>12} {'official':>9}")
    compare("GSM8K style", [Case("", text, gold, True, "gsm8k") for text, gold in gsm8k_style(args.each)])
    for name in ("gsm8k_example_model_solutions", "processbench_gsm8k", "processbench_math",
                 "processbench_olympiadbench", "qwen25math_cot100", "mr_gsm8k", "verify_then_generate endings"):
        compare(name, list(SETS[name][0](args.data))[:args.each])


if __name__ == "__main__":
    main()
