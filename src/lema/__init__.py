"""lema: learning from mistakes, end to end. Import nothing heavy here: `import lema` must stay instant.

    import lema
    run = lema.run("tiny")                  # or lema.open("tiny"), which only looks
    run.corrections.to_pandas()
    lema.grade("The answer is 2/4.", "0.5").verdict
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "grade", "open", "run"]

if TYPE_CHECKING:
    from lema.commands.compare.typed import Compared
    from lema.commands.opened_run import OpenedRun
    from lema.grading import Conventions, Grade


def run(config: str | Path | Mapping[str, Any], *, runs: str | Path = "runs",
        overrides: Sequence[str] = (), yes: bool = False) -> "OpenedRun":
    """Does what a config says (a file, a recipe's name, a run's folder or a dictionary), returns its run. `yes`:
    what was paid for may become stale. Raises lema.errors.LemaError, one line that says what has to be mended."""
    from lema.commands.opened_run import run_in_python

    return run_in_python(config, runs=runs, overrides=overrides, yes=yes)


def open(run: str | Path, runs: str | Path = "runs") -> "OpenedRun":
    """The run of that name, or in that folder, to look at."""
    from lema.commands.opened_run import open_run

    return open_run(run, runs)


def compare(*sources: str, task: str | None = None, runs: str | Path = "runs") -> "Compared":
    """The first against each of the others, question by question (docs/scoring.md): RUN:ARM, or NAME=FILE[,FILE…]
    with a file for each seed. `task` judges all texts anew. Accuracies and their intervals are fractions. Raises
    lema.errors.LemaError where they have no question in common."""
    from lema.commands.compare.typed import compare_in_python

    return compare_in_python(sources, runs=Path(runs), task=task)


def grade(text: str, gold: str | Sequence[str], *, task: str = "math", finish: str = "stop",
          conventions: "Conventions | None" = None, choices: Sequence[str] = ()) -> "Grade":
    """The verdict on a text by a gold answer (docs/grading.md): `.verdict`, `.answer`, `.how`. Raises
    lema.errors.ConfigError for a task that is none."""
    from lema import grading

    return grading.grade(text, gold, task=task, finish=finish, conventions=conventions, choices=choices)
