"""What is trained and compared: arms, their budgets, the training of each, and what the report leads with.

One design decision: an arm is a table of what it takes and how much it is trained, never code.
"""

from typing import Literal

from pydantic import Field, model_validator

from lema.seams import Settings
from lema.tables.sources import Open


class Take(Settings):
    """One line of an arm: which examples it takes.

    kind   cot: question to solution; correction: the paper's form; step: right prefix to corrected steps
    source worked | own (the base's own right paths) | sampled (any model's right paths) | teacher
           (for kind cot), else ignored
    round  "" for the questions of the task, or the name of an [evolve.X] table
    """

    kind: Literal["cot", "correction", "step"]
    source: Literal["worked", "own", "sampled", "teacher"] = "worked"
    round: str = ""
    models: tuple[str, ...] = Field(default=(), description="whose paths or mistakes; empty: all")
    limit: int | None = Field(default=None, gt=0, description="at most so many, drawn by seed")
    per_question: int | None = Field(default=None, gt=0)


class ArmConfig(Settings):
    """[arms.X]: one training set and the models trained on it."""

    about: str = ""
    take: tuple[Take, ...] = Field(min_length=1)
    budget: "BudgetConfig | None" = None


class BudgetConfig(Settings):
    """How much an arm is trained: exactly one of these."""

    tokens: int | None = Field(default=None, gt=0, description="tokens with loss")
    examples: int | None = Field(default=None, gt=0)
    epochs: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one(self) -> "BudgetConfig":
        if sum(v is not None for v in (self.tokens, self.examples, self.epochs)) != 1:
            raise ValueError("give exactly one of tokens, examples, epochs")
        return self


class TrainConfig(Open):
    """[train]: the student that every arm continues from; further keys belong to the trainer."""

    base: str = Field(description="a model of this config, or a checkpoint folder or hub id")
    seeds: tuple[int, ...] = Field(default=(1, 2, 3), min_length=1)
    budget: BudgetConfig = BudgetConfig(epochs=3)
    trainer: str = "sft"


class ReportConfig(Settings):
    """[report]: the comparison in the headline."""

    baseline: str | None = Field(default=None, description="the arm that the others are compared with")
    headline: str | None = Field(default=None, description="the arm in the headline")
    control: str | None = Field(default=None, description="the arm of equal teacher cost, shown beside it")
