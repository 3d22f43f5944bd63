"""What a stage will ask of its models, said by the stage's own module before anything is asked.

One design decision: the module of a verb that asks holds `expected(settings)`; so whoever reckons with requests
knows no verb, and a new stage brings its own figures.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lema.runs.run import Stage


class Workload(NamedTuple):
    """How many requests there are for each question (or seed), at most where the stage is `about` the paths of one
    verdict, and for each such path."""

    per_question: int | None  # None: as many as it has paths
    per_path: int = 1
    about: str | None = None  # a verdict; None: every question is asked
    prompt: str | None = None  # a prompt's name or file; None: the task's own question


def workload(stage: "Stage") -> Workload | None:
    """What the stage asks for; None where it asks no model."""
    expected = getattr(module_of(stage), "expected", None)
    return expected(stage.settings) if expected and stage.models else None


def module_of(stage: "Stage") -> ModuleType:
    """The module of its verb."""
    return sys.modules[stage.verb.__module__]
