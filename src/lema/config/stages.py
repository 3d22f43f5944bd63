"""What a single stage depends on, derived from the tables of a config beside the stage's verb (lema.stages).

One design decision: a stage's settings hold what changes its rows and nothing that does not.
"""

from pydantic import Field

from lema.config.arms import BudgetConfig
from lema.examples import find_kind
from lema.examples.take import Take
from lema.plugins import Settings


class AssembleConfig(Settings):
    """What one arm's training set depends on: its table, whose paths are its own, and the rounds it draws on."""

    arm: str
    take: tuple[Take, ...]
    base: str | None
    rounds: tuple[str, ...]
    purchases: tuple[str, ...] = ()
    longest: int | None = Field(default=None, description="rows of more tokens are left out; None: no row is")
    teacher_tokens: int | None = None
    money: float | None = None
    prices: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="dollars per million tokens read and written, where money is a cap")

    def models_used(self) -> tuple[str, ...]:
        """The base alone, whose tokenizer counts."""
        return (self.base,) if self.base is not None else ()

    def prompts_used(self) -> dict[str, str | None]:
        """All that its examples are written with."""
        prompts: dict[str, str | None] = {"question": None}
        for take in self.take:
            prompts |= dict.fromkeys(find_kind(take, "take").prompts)
        return prompts


class ImportConfig(Settings):
    """One import of a run: its folder under imports/, whose paths they are, and a hash of what lies there."""

    name: str
    what: str
    models: tuple[str, ...]
    content: str


class AccountConfig(Settings):
    """The arms whose training sets are weighed, each with what it draws on and how much it is trained."""

    arms: tuple[AssembleConfig, ...]
    rounds: tuple[str, ...]
    purchases: tuple[str, ...] = ()
    budgets: tuple[BudgetConfig, ...] = Field(default=(), description="per arm; none where nothing is trained")
    trainer: str | None = None
    options: dict = Field(default_factory=dict)


class TrainOneConfig(Settings):
    """One arm with one seed."""

    arm: str
    seed: int
    base: str
    budget: BudgetConfig
    trainer: str
    options: dict = Field(default_factory=dict)

    def models_used(self) -> tuple[str, ...]:
        return (self.base,)


class ScoreConfig(Settings):
    """Which examined model is which arm and seed: (model, arm, seed); and which comparisons are planned, besides
    that of every arm with the baseline."""

    examined: tuple[tuple[str, str, int], ...]
    base: str = Field(default="", description="the untrained student, examined beside them")
    baseline: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()


class AnalyseConfig(Settings):
    """What the tables beside the comparison must know of the config."""

    temperature: float = Field(default=0.0, description="at which the examined answers were drawn")


class ReportOneConfig(ScoreConfig):
    """What the report says and how: titles, arms and what they are about, and the rounds it counts."""

    title: str
    headline: str | None
    control: str | None
    about: dict[str, str]
    prices: dict = Field(default_factory=dict)
    rounds: tuple[str, ...]
    checks: tuple[str, ...] = ()
    seeds: dict[str, int] = Field(default_factory=dict, description="how many questions a round was to write")
