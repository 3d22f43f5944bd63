"""How often the grader is right by kind of ending and of formula: python bench/wide.py ../shared/data

Prints, for each kind, rows, agreement and wrong answers called right, on the half that may be looked at
(wide_seen, every second solution) and on the half that is kept back (wide_kept, the others). Rows are made from
templates of our own, and from the worked solutions of the data with their last statement taken away, so that only
prose is left. With --show the disagreements of the seen half are printed, never those of the other; with
--math-verify the same is asked of math-verify (slow); without a folder only the templates are used.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import wide_kept
import wide_later
import wide_seen
from agreement import Case, math_verify, ours

from lema.grading import equations_in

DRAWS = 4  # how often each template is filled
HALVES = {"seen": wide_seen, "kept": wide_kept, "later seen": wide_later.SEEN, "later kept": wide_later.KEPT}
"""The later ones are templates alone, written when rules had been made with the first."""

_CALCULATED = re.compile(r"(?<=[A-Za-z,:] )\$?\(?\d[\d.,]*%?\)?"
    r"(?:\s?[-+*/x×]\s?[$(]*\d[\d.,]*%?\)*)+\s?=\s?(\$?)<<[^<>]{0,80}>>")
"""A calculation in plain numbers before its result; one with units between them would leave no sentence."""
_MARKS = re.compile(r"<<[^<>]{0,80}>>")
_NAMES = (("Ruth", "she"), ("Omar", "he"), ("Ines", "she"), ("Piet", "he"), ("Mr. Hale", "he"))


def fields(draw: random.Random) -> dict[str, object]:
    """The values of the templates' fields, all consistent with each other."""
    name, he = draw.choice(_NAMES)
    a, c = draw.randint(11, 97), draw.randint(3, 9)
    b = 10 * draw.randint(10, 98) + draw.randint(4, 9)
    d = draw.choice((3, 7, 9, 11, 13, 17))
    n = draw.choice([n for n in range(2, 40) if n % d])
    x, y, cents = draw.randint(1001, 4000), draw.randint(1001, 4000), draw.randint(11, 99)
    ordinal = f"{a}{'th' if a % 100 in (11, 12, 13) else {1: 'st', 2: 'nd', 3: 'rd'}.get(a % 10, 'th')}"
    return {
        "name": name, "he": he, "a": a, "b": b, "c": c, "n": n, "d": d,
        "work": f"First, {x} + {y} = {x + y} in all.",
        "p": a * c, "s": a * c + b, "quotient": repr(n / d), "other_quotient": repr((n + d + 1) / d),
        "th": ordinal,
        "below": f"{a - 1}.{draw.choice((67, 75, 8, 5833))}", "check": a + b, "triangle": c * (c + 1) // 2,
        "euro": f"{c}.{cents}", "comma": f"{c},{cents}", "spaced": f"{c} {b},{cents}", "large": f"{c}{b}.{cents}",
        "sum": a + b, "product": a * c, "mixed_sum": f"{a + b}.5"}


def filled(half: str, kind: str) -> Iterator[Case]:
    """The cases of one kind of a half."""
    for place, (text, gold, task, label) in enumerate(HALVES[half].KINDS[kind]):
        for draw in range(DRAWS):
            values = fields(random.Random(f"{half} {kind} {place} {draw}"))
            yield Case(f"{kind} {place}", text.format(**values), gold.format(**values), label, task)


def endings(data: Path, half: str, plain: bool) -> Iterator[Case]:
    """GSM8K's human solutions without their last line; `plain` without the calculation before the result, too."""
    for part in ("gsm8k_train", "gsm8k_test"):
        for place, line in enumerate((data / f"questions/{part}.jsonl").read_text("utf-8").strip().split("\n")):
            if (place % 2 == 0) == (half == "seen"):
                worked, _, gold = json.loads(line)["answer"].rpartition("\n#### ")
                if plain:
                    worked = _CALCULATED.sub(r"\1", worked)
                yield Case(f"{part} {place}", _MARKS.sub("", worked), gold.strip(), True, "gsm8k")


def unboxed(data: Path, half: str) -> Iterator[Case]:
    """MATH's human solutions whose box is taken off its formula; those with several boxes are left out."""
    from lema.tasks.math import last_box

    for place, line in enumerate((data / "questions/math_test.jsonl").read_text("utf-8").strip().split("\n")):
        worked = json.loads(line)["solution"]
        gold = last_box(worked)
        if gold and worked.count("boxed{") == 1 and (place % 2 == 0) == (half == "seen"):
            text = worked.replace(f"\\boxed{{{gold}}}", f" {gold}" if gold[0].isalpha() else gold)
            yield Case(f"math_test {place}", text, gold, True, "math")


def sets(half: str, data: Path | None) -> Iterator[tuple[str, Iterator[Case]]]:
    """(name, cases) of everything that a half has."""
    for kind in HALVES[half].KINDS:
        yield kind, filled(half, kind)
    if data is not None and half in ("seen", "kept"):
        yield "GSM8K solutions, last sentence", endings(data, half, False)
        yield "the same without the calculation", endings(data, half, True)
        yield "MATH solutions without the box", unboxed(data, half)


def measured(cases: Iterator[Case], verdict: Callable[[Case, str], str], show: bool) -> tuple[int, int, int]:
    """(rows, agreements, wrong answers called right)."""
    rows = agreed = positives = 0
    for case in cases:
        found = verdict(case, "text")
        rows += 1
        agreed += (found == "right") == case.label
        positives += found == "right" and not case.label
        if show and (found == "right") != case.label:
            print(f"  {case.name} {found}, gold {case.gold!r}: {case.text[-220:]!r}")
    return rows, agreed, positives


def judged_lines(half: str) -> tuple[int, int, int]:
    """(lines, judged as they are, true ones called false) of the equations."""
    rows = agreed = false = 0
    for place, (line, label) in enumerate(HALVES[half].EQUATION_LINES):
        for draw in range(DRAWS):
            text = line.format(**fields(random.Random(f"{half} equations {place} {draw}")))
            verdicts = {equation.true for equation in equations_in(text)}
            agreed += False not in verdicts if label is None else verdicts == {label}
            false += label is not False and False in verdicts
            rows += 1
    return rows, agreed, false


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("data", type=Path, nargs="?")
    ask.add_argument("--half", default="", choices=("", *HALVES))
    ask.add_argument("--set", default="")
    ask.add_argument("--show", action="store_true", help="the seen half's disagreements")
    ask.add_argument("--math-verify", action="store_true")
    args = ask.parse_args()
    if args.data is not None and not args.data.is_dir():
        sys.exit(f"{args.data}: no such folder; give the one with questions, or none")
    print(f"{'half':10} {'kind':36} {'rows':>6} {'agree %':>7} {'f.pos':>5}")
    for half in [args.half] if args.half else HALVES:
        for name, cases in sets(half, args.data):
            if args.set in name:
                rows, agreed, positives = measured(
                    cases, math_verify if args.math_verify else ours, args.show and half.endswith("seen"))
                print(f"{half:10} {name:36} {rows:6} {100 * agreed / rows:7.2f} {positives:5}", flush=True)
        if not args.math_verify and args.set in "equations":
            rows, agreed, false = judged_lines(half)
            print(f"{half:10} {'equations (f.pos: true called false)':36} {rows:6} {100 * agreed / rows:7.2f} "
                f"{false:5}")


if __name__ == "__main__":
    main()
