"""The human labels of a file, replayed as if a corrector had written them.

One design decision: it is a backend like any other (`lema judge-corrector human`), so that what people said walks
through the same parser and checks as what a model says; `moved` spoils a share of the labels in a known way.
"""

import random
from collections.abc import Iterable, Iterator

from pydantic import Field

from lema import plugins
from lema.commands.judge_corrector.labelled import Labelled
from lema.messages import Completion, Request
from lema.replies import render_correction

ALL_RIGHT = "All steps are correct."


class Settings(plugins.Settings):
    """Options of MODEL "human"."""

    moved: float = Field(0.0, ge=0, le=1, description="share of the labels that are made to name another step")
    seed: int = 0


class Model:
    """Answers every request from the labelled path that it is about."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        return {"backend": "human", "moved": self.settings.moved, "seed": self.settings.seed}

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """The label as a correction where the file has the corrected step, else as a verdict."""
        for request in requests:
            label = next(record for record in request.about if isinstance(record, Labelled))
            yield Completion(self._written(label))

    def _written(self, label: Labelled) -> str:
        step = self._step(label)
        if step is None:
            return ALL_RIGHT
        if label.corrected_step and label.reason:
            return render_correction(step, " ".join(label.reason.split()), (label.corrected_step,))
        analysis = f"\nError Analysis: {label.reason}" if label.reason else ""
        return f"Final Judgement: wrong\nFirst Error Step: {step}{analysis}"

    def _step(self, label: Labelled) -> int | None:
        rng = random.Random(f"{self.settings.seed} {label.id}")
        if label.first_error is None or rng.random() >= self.settings.moved:
            return label.first_error
        others = [number for number in range(1, len(label.steps) + 1) if number != label.first_error]
        return rng.choice(others) if others else label.first_error
