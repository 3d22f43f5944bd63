"""Any bytes get a verdict: python tests/fuzz/grading.py --seconds 60 [--seed 1]

Texts are put together from pieces that answers are made of, and noise, and graded in every kind; what must hold is
checked for each. Prints how many inputs were tried, the slowest one and the peak memory. With --atheris (needs
pip install atheris) the same check is driven by coverage; the other options are then its own, like -runs=100000.
"""

import argparse
import random
import resource
import sys
import time

PIECES = (
    "The answer is ", "the final answer is: ", "\\boxed{", "}", "{", "####", "A: ", "Question: ", "$", "$$",
    "\\(", "\\)", "\\[", "\\]", "\\frac{1}{2}", "\\frac", "\\sqrt{", "\\sqrt[3]{", "^{", "^", "_", "1,000",
    "3 1/2", "%", "(B)", "\n", " ", "Step 2: ", "<<1+1=2>>", "-", "\0", "\ud800", "e9", "**", "\\text{",
    "\\left(", "\\right)", "(", ")", "[", "]", "|", ",", ";", "\\pm", "\\cup", "\\in", "\\le", "<", "=",
    "\\approx", "x", "y", "n", "\\pi", "i", "e", "!", "9", "10", "0.5", "\\begin{pmatrix}", "\\end{pmatrix}",
    "&", "\\\\", "\\infty", "\\sin", "\\log_2", "\\lfloor", "\\rfloor", "°", "½", "٥", "²", "√", "€5", "five",
    "and", " or ", "percent", "\u202e", "\u2009", "__import__('os')", "9**9", "\\circ", "\\overline{3}",
    "\\cdot", "/", "+", "\\{", "\\}", "\\mathrm{cm}", "not ", "None", "<answer>", "</answer>",
    "<think>", "</think>", "\\mid ", ":", "\\cap", "\\setminus", "\\mathbb{R}", "\\ne ", "all real numbers",
    "no solution",
    "6:30 PM", "3 hours", "20 minutes", "Solution: ", "option B", " is correct", "\\text{ cm}", "\\mathbf{i}",
    "\\mathbf{j}", "k", "cannot be ", "between ", " to ", " but ", "\\begin{cases}", "\\end{cases}",
    "#### Step 2\n",
    "\nNote: ", "\"answer\": \"", "C(5,2)", "\\pmod 7", "1:2:3", "March 5", "= $8 for ")
GOLDS = ("5", "-1,000", "\\frac{1}{2}", "x^2+1", "(1,2)", "[0,\\infty)", "\\{1,2\\}", "B", "odd", "10\\%", "7.5",
         "\\begin{pmatrix}1\\\\2\\end{pmatrix}", "x>3", "2\\sqrt{3}", "\\frac{\\pi}{4}", "2+3i", "1011_2",
         "\\mathbb{R}", "6:30 PM", "200", "1:2:3", "\\frac{\\pi}{4}+k\\pi", "\\emptyset")
VERDICTS = frozenset(("right", "wrong", "no_answer", "truncated", "ungradable"))
LIMIT_S = 10.0
"""Longest that one grade may take on a busy machine; the comparison itself is killed after three seconds."""


def check(text: str, gold: str, finish: str) -> float:
    """Grades a text in every kind. Returns the longest time that one took; AssertionError for a broken promise."""
    from lema.grading import grade  # here, so that atheris can instrument it first

    longest = 0.0
    for kind in ("number", "math", "text", "choice"):
        started = time.perf_counter()
        graded = grade(text, gold, task=kind, finish=finish)
        longest = max(longest, time.perf_counter() - started)
        assert graded.verdict in VERDICTS, graded
        assert (graded.verdict not in ("right", "wrong")) or graded.answer is not None, graded
        assert finish == "stop" or graded.verdict != "no_answer", graded
        assert graded.answer is None or len(graded.answer) <= 5000, len(graded.answer)
    assert longest < LIMIT_S, (longest, text, gold)
    return longest


def made(dice: random.Random) -> str:
    """A text of a few pieces, sometimes one of them many times."""
    parts = [dice.choice(PIECES) for _ in range(dice.randrange(1, 24))]
    if dice.random() < 0.05:
        parts.insert(dice.randrange(len(parts)), dice.choice(PIECES) * dice.randrange(2, 3000))
    if dice.random() < 0.2:
        parts.append("".join(chr(dice.randrange(1, 0x3000)) for _ in range(dice.randrange(20))))
    return "".join(parts)


def by_chance(seconds: float, seed: int, most: int | None = None) -> tuple[int, float, str]:
    """(inputs, longest time, slowest text) of as many checks as fit."""
    dice = random.Random(seed)
    count, longest, slowest = 0, 0.0, ""
    end = time.monotonic() + seconds
    while time.monotonic() < end and (most is None or count < most):
        text = made(dice)
        took = check(text, dice.choice(GOLDS), dice.choice(("stop", "stop", "length")))
        count += 1
        if took > longest:
            longest, slowest = took, text
    return count, longest, slowest


def by_coverage(options: list[str]) -> None:
    """Runs atheris with its own options, until it is stopped."""
    try:
        import atheris
    except ImportError:
        sys.exit("atheris is not installed; pip install atheris")
    with atheris.instrument_imports(include=["lema.grading"]):
        import lema.grading  # noqa: F401

    def once(data: bytes) -> None:
        given = atheris.FuzzedDataProvider(data)
        gold = GOLDS[given.ConsumeIntInRange(0, len(GOLDS) - 1)]
        pieces = [PIECES[one % len(PIECES)] for one in given.ConsumeBytes(given.ConsumeIntInRange(0, 30))]
        check("".join(pieces) + given.ConsumeUnicode(2000), gold, "stop")

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=60)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--atheris", action="store_true")
    args, rest = ask.parse_known_args()
    if args.atheris:
        by_coverage(rest)
        return
    count, longest, slowest = by_chance(args.seconds, args.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} inputs in every kind, each with a verdict; the slowest took {longest:.2f} s "
          f"({slowest[:80]!r}); peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
