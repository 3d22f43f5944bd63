"""The examination: [evaluate], its further sets of questions, and which backend runs what was trained.

One design decision: an examination is sampling with other defaults; only where it runs is its own.
"""

from types import ModuleType
from typing import Literal

from pydantic import Field, model_validator

from lema.config.sampling import SampleConfig
from lema.config.sources import Name
from lema.errors import ConfigError
from lema.plugins import Open, find, settings_of


class ExamSetConfig(Open):
    """[evaluate.sets.X]: one more set of questions that every model is examined on; further keys belong to its
    task, which needs no training questions."""

    task: str = Field(description="a shipped task or a dotted path")
    split: Literal["dev", "test"] = "test"
    limit: int | None = Field(default=None, gt=0, description="at most so many questions")
    out_of_distribution: bool | None = Field(
        default=None, description="whether the arms train on other questions than these; by default: another task")


class EvaluateConfig(SampleConfig):
    """[evaluate]: the examination of every trained model; greedy unless told otherwise."""

    models: tuple[str, ...] = Field(default=(), description="in a run without arms: the models that are examined")
    sets: dict[Name, ExamSetConfig] = Field(default_factory=dict)
    average: bool = Field(default=False, description="the mean over the task's own test questions and all sets")
    split: Literal["train", "dev", "test"] = "test"
    temperature: float = Field(default=0.0, ge=0)
    paths: int = Field(default=1, gt=0, description="answers to each question; several give pass@k and maj@k too")
    adaptive: None = Field(default=None, description="an examination asks every question alike")
    backend: str = Field(default="transformers", description="what runs the models that are trained here")
    serving: dict = Field(default_factory=dict, description="keys of that backend, such as python and resources")

    @model_validator(mode="after")
    def _are_drawn(self) -> "EvaluateConfig":
        if self.paths > 1 and self.temperature == 0:
            raise ValueError("paths > 1 are all alike at temperature 0; set a temperature")
        if self.serving and self.backend == "transformers":
            raise ValueError("serving belongs to another backend; set backend = \"vllm\"")
        for key in ("path", "adapter", "form"):
            if key in self.serving:
                raise ValueError(f"serving.{key} follows from what is examined; leave it out")
        if self.average and not self.sets:
            raise ValueError("average is over several test sets; name them in [evaluate.sets.X]")
        return self

    def facts(self) -> dict:
        """Of one examination, which knows of no other; of another backend what decides its texts."""
        left_out = {"sets", "average", "backend", "serving"}
        facts = {key: fact for key, fact in super().facts().items() if key not in left_out}
        if self.backend == "transformers":
            return facts
        keys = settings_of(self.examiner.Settings, {"path": "", **self.serving}, "evaluate.serving").facts()
        return {**facts, "backend": self.backend, "serving": keys}

    @property
    def examiner(self) -> ModuleType:
        """The module of `backend`. ConfigError where it runs no weights that are trained here."""
        module = find("models", self.backend, "Model", "evaluate.backend")
        if not hasattr(module, "examining"):
            raise ConfigError(f"evaluate.backend = {self.backend!r}: it runs no weights that are trained here; "
                              'take "transformers" or "vllm"')
        return module

    def on(self, test_set: str) -> "EvaluateConfig":
        """The examination on one of the sets; "" is the task's own."""
        if not test_set:
            return self
        table = self.sets[test_set]
        return self.model_copy(update={"split": table.split, "limit": table.limit})
