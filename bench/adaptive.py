"""Kept, distinct corrections per million sampled tokens, adaptive and fixed: python bench/adaptive.py [N] [SHARE]

One student grown as in recipe `lab`, its 1,000 training questions (SHARE of their steps on rules it was not grown
on; 0), the recipe's teacher and checks, no budget for the teacher. First every question gets N paths (4); then
adaptive sampling with its default rules gets the same total of sampled tokens over the same questions. Two counts:
corrections of distinct mistakes (what is corrected, and what the paper trains on), and distinct corrections in the
stricter sense of another wrong step or other corrected steps of the question.
"""

import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from grown import lab

MOST = 48
"""Paths that adaptive sampling may ask of one question."""


class Counted(NamedTuple):
    """What one way of sampling gave."""

    paths: int
    tokens: int
    right: int
    mistakes: int  # kept corrections, one for each distinct mistake
    strict: int  # of these, distinct by question, step and corrected steps
    questions: int  # with a kept correction

    def per_million(self, count: int) -> float:
        return 1e6 * count / self.tokens


def main() -> None:
    paths = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder), f"task.share={share}") as made:
        fixed = counted(made, "fixed", {"paths": paths})
        adaptive = counted(made, "adaptive", {"paths": MOST, "tokens": fixed.tokens, "adaptive": {}})
    print(f"lab, share {share} of the steps on unknown rules: the student is right in "
          f"{fixed.right / fixed.paths:.0%} of {fixed.paths:,} paths")
    for name, got in ((f"fixed n = {paths}", fixed), ("adaptive", adaptive)):
        print(f"{name:12} {got.paths:6,} paths {got.tokens:9,} tokens; kept corrections: {got.mistakes:,} of "
              f"distinct mistakes, {got.strict:,} distinct in step and text; {got.questions} questions have one")
    by_mistake = adaptive.per_million(adaptive.mistakes) / fixed.per_million(fixed.mistakes)
    strictly = adaptive.per_million(adaptive.strict) / fixed.per_million(fixed.strict)
    print(f"adaptive / fixed, per million sampled tokens: {by_mistake:.2f} by distinct mistakes, {strictly:.2f} "
          "by step and text")


def counted(made: tuple, name: str, how: dict) -> Counted:
    """Samples, grades, corrects and verifies as a run does, under `name`."""
    from lema.config import CorrectConfig, SampleConfig
    from lema.stages.correct import correct
    from lema.stages.grade import grade
    from lema.stages.sample import sample
    from lema.stages.verify import verify

    run, config, questions = made
    settings = SampleConfig.model_validate({**config.sample.model_dump(), "models": ("student",), **how})
    paths = run.stage(f"{name}/paths", sample, settings, questions)
    graded = run.stage(f"{name}/graded", grade, None, questions, (paths,))
    unlimited = CorrectConfig.model_validate({**config.correct.model_dump(), "tokens": None})
    corrections = run.stage(f"{name}/corrections", correct, unlimited, questions, graded)
    kept = [one for one in run.stage(f"{name}/verified", verify, config.verify, questions, graded, corrections)
            if one.verified]
    rows = list(graded)
    return Counted(len(rows), sum(path.tokens for path in rows), sum(path.verdict == "right" for path in rows),
                   len(kept), len({(one.question, one.step, one.steps) for one in kept}),
                   len({one.question for one in kept}))


if __name__ == "__main__":
    main()
