"""What a single stage depends on, derived from the tables of a config beside the stage's verb (lema.stages).

One design decision: a stage's settings hold what changes its rows and nothing that does not.
"""

from pydantic import Field

from lema.config.arms import BudgetConfig
from lema.config.sampling import VerifyConfig
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


class VerifyOneConfig(VerifyConfig):
    """The checks of one verifying stage, and the ids of those of its corrections that people rejected by hand."""

    by_hand: tuple[str, ...] = ()

    def facts(self) -> dict:
        """Without the rejections where there are none."""
        facts = super().facts()
        return facts if self.by_hand else {key: value for key, value in facts.items() if key != "by_hand"}


class AccountConfig(Settings):
    """The arms whose training sets are weighed, each with what it draws on and how much it is trained."""

    arms: tuple[AssembleConfig, ...]
    rounds: tuple[str, ...]
    purchases: tuple[str, ...] = ()
    mistaken: dict[str, tuple[str, ...]] = Field(
        default={}, description="whose mistakes are corrected, for corrections and continued; none: all")
    budgets: tuple[BudgetConfig, ...] = Field(default=(), description="per arm; none where nothing is trained")
    trainers: tuple[tuple[str, dict], ...] = Field(default=(), description="the same, with their keys")


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
    sets: tuple[str, ...] = Field(default=(), description="the further test sets")
    average: bool = False


class PerplexityConfig(Settings):
    """One model, and how many corrections it is shown."""

    model: str
    corrections: int

    def models_used(self) -> tuple[str, ...]:
        return (self.model,)

    def prompts_used(self) -> dict[str, str | None]:
        return {"question": None, "decoding": None}


class AnalyseConfig(ScoreConfig):
    """What the tables beside the comparison must know of the config."""

    own: str = Field(default="", description="the task that the arms train on; none in a mere examination")
    out_of_distribution: tuple[str, ...] = Field(default=(), description="test sets of another task")
    headline: str | None = None

    temperature: float = Field(default=0.0, description="at which the examined answers were drawn")


class ReportOneConfig(ScoreConfig):
    """What the report says and how: titles, arms and what they are about, and the rounds it counts."""

    title: str
    headline: str | None
    control: str | None
    about: dict[str, str]
    prices: dict = Field(default_factory=dict)
    split: str = Field(default="test", description="whose questions the arms were examined on")
    rounds: tuple[str, ...]
    checks: tuple[str, ...] = ()
    seeds: dict[str, int] = Field(default_factory=dict, description="how many questions a round was to write")
    ratings: str = Field(default="", description="changes when people rate; empty without ratings")

    def facts(self) -> dict:
        """Without the mark of ratings where there are none."""
        facts = super().facts()
        return facts if self.ratings else {key: value for key, value in facts.items() if key != "ratings"}
