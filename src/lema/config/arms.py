"""What is trained and compared: arms, their budgets, the training of each, and what the report leads with.

One design decision: an arm is a table of what it takes and how much it is trained, never code.
"""

from pydantic import Field, model_validator

from lema.config.presets import with_preset
from lema.examples.take import Take
from lema.plugins import Open, Settings


class ArmConfig(Settings):
    """[arms.X]: one training set and the models trained on it.

    Names in `take` were replaced by the lines that they stand for (lema.config.ready_arms) before this is read.
    `change` lays keys over all lines of a kind, `train` keys of this arm over those of [train].
    """

    about: str = ""
    take: tuple[Take, ...] = Field(min_length=1)
    change: dict[str, dict] = Field(default_factory=dict, exclude=True)
    budget: "BudgetConfig | None" = None
    train: dict = Field(default_factory=dict, description="trainer, and keys that belong to it")
    continues: str = Field(default="", description="an arm above this one: trained on from its model of the same "
                                                   "seed; empty: from the base")


class BudgetConfig(Settings):
    """How much an arm is trained: exactly one of the first four; and, if wanted, what its making may have cost."""

    tokens: int | None = Field(default=None, gt=0, description="tokens with loss")
    examples: int | None = Field(default=None, gt=0)
    epochs: float | None = Field(default=None, gt=0)
    steps: int | None = Field(default=None, gt=0, description="steps of the optimizer")
    teacher_tokens: int | None = Field(default=None, gt=0, description="the set holds what so many tokens of the "
                                                                       "teacher bought, rejected replies included")
    money: float | None = Field(default=None, gt=0, description="the same in US dollars, prompts included")

    @model_validator(mode="after")
    def _is_stated_once(self) -> "BudgetConfig":
        given = [amount for amount in (self.tokens, self.examples, self.epochs, self.steps) if amount]
        if self.teacher_tokens and self.money:
            raise ValueError("give teacher_tokens or money, not both")
        if len(given) > 1 or not (given or self.teacher_tokens or self.money):
            raise ValueError("give exactly one of tokens, examples, epochs, steps (beside a cap on the bill)")
        return self

    def of(self, base: "BudgetConfig") -> "BudgetConfig":
        """This budget, with the training of `base` where it says only what may be spent on the teacher."""
        if any((self.tokens, self.examples, self.epochs, self.steps)):
            return self
        return base.model_copy(update={"teacher_tokens": self.teacher_tokens, "money": self.money})


class TrainConfig(Open):
    """[train]: the student that every arm continues from; further keys belong to the trainer. `preset` stands for
    values of these and of the budget (lema.config.presets)."""

    base: str = Field(description="a model of this config, or a checkpoint folder or hub id")
    seeds: tuple[int, ...] = Field(default=(1, 2, 3), min_length=1)
    budget: BudgetConfig = BudgetConfig(epochs=3)
    trainer: str = "sft"

    @model_validator(mode="before")
    @classmethod
    def _without_preset(cls, table: object) -> object:
        return with_preset(table)


class ReportConfig(Settings):
    """[report]: the comparison in the headline."""

    baseline: str | None = Field(default=None, description="the arm that the others are compared with")
    headline: str | None = Field(default=None, description="the arm in the headline")
    control: str | None = Field(default=None, description="the arm of equal teacher cost, shown beside it")
    perplexity: int | None = Field(
        default=None, gt=0, description="how likely every model finds so many mistakes, wrong and mended")
    pairs: tuple[tuple[str, str], ...] = Field(
        default=(), description="further planned comparisons: an arm, and what it is held against")
