"""The lab's student for the benches, grown through the recipe as a user grows it, and kept in the same cache.

One design decision: a bench runs stages of a real run folder, so that what it measures is what `lema run` does.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")


@contextlib.contextmanager
def lab(folder: Path, *overrides: str) -> Iterator[tuple]:
    """(run, config, questions) of recipe `lab` in `folder`, questions loaded and students grown."""
    from lema.config import load_config
    from lema.pipeline import grow_students
    from lema.runs.engine import Local
    from lema.runs.run import Run
    from lema.stages.load import load, task_settings

    config = load_config("lab", ["machine.workers=1", *overrides])
    with contextlib.closing(Local(folder, config, lambda news: None)) as engine:
        run = Run(folder, engine, config)
        questions = run.stage("questions", load, task_settings(config))
        grow_students(run, config, questions)
        yield run, config, questions
