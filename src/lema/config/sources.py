"""What a run is made from: the question set, the models, and the machine it runs on.

One design decision: a student that is grown here is a model like any other, whose table has one more part.
"""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from lema.plugins import Open, Settings


def _no_folder_at_work(name: str) -> str:
    if name.endswith(".part"):
        raise ValueError("must not end in .part: so are folders called that are being written")
    return name


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"), AfterValidator(_no_folder_at_work)]


class TaskConfig(Open):
    """[task]: the question set; `name` is a shipped task or a dotted path."""

    name: str


SMALL = {"method": "full", "optimizer": "muon", "learning_rate": 0.004, "embedding_learning_rate": 0.004,
         "schedule": "cosine", "warmup": 0.02, "batch_tokens": 1024}
"""What teaches a model of some 0.3M parameters most per second (docs/lab-log.md, 21 November 2026)."""


def _whole(options: dict) -> dict:
    """A student is continued and sampled as a checkpoint: an adapter alone would be none."""
    return options if options.get("method", "full") == "full" else {"save": "merged", **options}


class FinishConfig(Open):
    """[models.X.grow.finish]: after its lessons a student is trained on the worked solutions of the run's
    questions, as a user would who has them. Further keys belong to the trainer and are laid over `SMALL`."""

    tokens: int = Field(gt=0, description="tokens with loss")

    @property
    def options(self) -> dict:
        """The trainer's table."""
        return _whole(SMALL | self.own)


class GrowConfig(Open):
    """[models.X.grow]: a small student trained from scratch on the task's own lessons. Further keys belong to the
    trainer and are laid over `SMALL`."""

    finish: FinishConfig | None = None
    tokens: int = Field(gt=0, description="tokens of lessons, prompts included")
    seed: int = 0
    shape: dict = Field(default_factory=dict)
    trainer: str = "sft"

    @property
    def options(self) -> dict:
        """The trainer's table."""
        return _whole(SMALL | self.own)

    def prompts_used(self) -> dict[str, str | None]:
        return {"lessons": None}

    def facts(self) -> dict:
        """What the lessons alone depend on; the finish is a stage of its own."""
        return {key: value for key, value in super().facts().items() if key != "finish"} | self.options


class ModelConfig(Open):
    """[models.X]: where text comes from; further keys belong to the backend."""

    backend: str
    grow: GrowConfig | None = None
    terms: str | None = Field(default=None, description="under which terms its text may be used: for the card")


class MachineConfig(Settings):
    """[machine]: where and how fast; nothing here changes what comes out, but for the last bits of floating point
    and what a training makes of them."""

    engine: Literal["local", "ray"] = Field(default="local", description="ray: on all machines of a Ray cluster")
    address: str | None = Field(default=None, description="of the cluster: auto, or host:port; none: one is "
                                                          "started on this machine")
    actors: int | None = Field(default=None, gt=0, description="of a cluster: so many at most for each model, and "
                                                               "so many graders; else all that have room")
    mirror: str | None = Field(default=None, pattern=r"^[a-z0-9+]+://.+", description="an fsspec URL, such as "
                               "s3://bucket/runs, to which finished stages and the journal are copied")
    workers: int = Field(default=1, gt=0, description="processes that train and sample side by side")
    devices: tuple[str, ...] = Field(default=(), description="the cards that they take in turn, as "
                                     "CUDA_VISIBLE_DEVICES names them; by default all that are to be seen")
    threads: int | None = Field(default=None, gt=0, description="threads of each process")
    cache: str | None = Field(default=None, description="folder of grown students; ~/.cache/lema by default")
    reproducible: bool = Field(default=False, description="train and sample with the same instructions on every "
                                                          "x86 processor, which is slower; else the last bits of "
                                                          "floats follow from it")

    @model_validator(mode="before")
    @classmethod
    def _a_worker_for_each_device(cls, table: object) -> object:
        if isinstance(table, dict) and isinstance(table.get("devices"), list | tuple) and table["devices"]:
            named = [str(device) for device in table["devices"]]
            return {"workers": len(named), **table, "devices": named}
        return table

    @model_validator(mode="after")
    def _asks_for_what_its_engine_has(self) -> "MachineConfig":
        for key in ("address", "actors"):
            if self.engine != "ray" and getattr(self, key) is not None:
                raise ValueError(f'{key}: is of a Ray cluster; add engine = "ray", or leave it out')
        if self.address is not None and not re.fullmatch(r"auto|[^:/\s]+:\d+|\[[^]]+]:\d+", self.address):
            raise ValueError("address: must be auto, or host:port of the cluster's head (ray:// is no machine of "
                             "the cluster; start lema on one)")
        return self


class PriceConfig(Settings):
    """[prices.X]: what a served model costs, X being its name as the endpoint knows it."""

    input: float = Field(ge=0, description="US dollars per million prompt tokens")
    output: float = Field(ge=0, description="US dollars per million generated tokens")
    cached: float | None = Field(default=None, ge=0, description="per million prompt tokens that the provider's "
                                                                 "cache holds; by default not cheaper")


class SpendConfig(Settings):
    """[budget]: the run stops before it has cost more; one of these. Nothing here changes what comes out."""

    money: float | None = Field(default=None, gt=0, description="US dollars")
    tokens: int | None = Field(default=None, gt=0, description="of served models, prompts and replies together")

    @model_validator(mode="after")
    def _is_stated_once(self) -> "SpendConfig":
        if (self.money is None) == (self.tokens is None):
            raise ValueError("give either money or tokens")
        return self
