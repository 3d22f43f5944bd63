"""The tables of a config, one class each, and what single stages take of them.

One design decision: a table says what its keys mean where it declares them; keys that belong to a seam's own
module are let through (`Open`) and checked there.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from lema.records import Sampling
from lema.seams import Settings

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Open(Settings):
    """A table whose further keys belong to the module that it names."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def own(self) -> dict:
        """The keys that the named module checks."""
        return dict(self.__pydantic_extra__ or {})


class TaskConfig(Open):
    """[task]: the question set; `name` is a shipped task or a dotted path."""

    name: str


SMALL = {"method": "full", "optimizer": "muon", "learning_rate": 0.004, "embedding_learning_rate": 0.004,
         "schedule": "cosine", "warmup": 0.02, "batch_tokens": 1024}
"""What teaches a model of some 0.3M parameters most per second (docs/lab-log.md, 21 November 2026)."""


class FinishConfig(Open):
    """[models.X.grow.finish]: after its lessons a student is trained on the worked solutions of the run's
    questions, as a user would who has them. Further keys belong to the trainer and are laid over `SMALL`."""

    tokens: int = Field(gt=0, description="tokens with loss")

    @property
    def options(self) -> dict:
        """The trainer's table."""
        return SMALL | self.own


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
        return SMALL | self.own

    def facts(self) -> dict:
        """What the lessons alone depend on; the finish is a stage of its own."""
        return {key: value for key, value in super().facts().items() if key != "finish"} | self.options


class ModelConfig(Open):
    """[models.X]: where text comes from; further keys belong to the backend."""

    backend: str
    grow: GrowConfig | None = None


class SampleConfig(Settings):
    """[sample]: which models are asked, how many paths per question, and how text is drawn."""

    models: tuple[str, ...] = Field(min_length=1)
    paths: int = Field(default=1, gt=0)
    prompt: str | None = Field(default=None, description="a few-shot prompt file; else the task's own question")
    split: Literal["train", "dev", "test"] = "train"
    only: Literal["all", "unsolved"] = Field(default="all", description="unsolved: without a worked solution")
    order: Literal["given", "random"] = "given"
    limit: int | None = Field(default=None, gt=0, description="at most so many questions")
    tokens: int | None = Field(default=None, gt=0, description="stop asking once so many tokens are written")
    temperature: float = Field(default=0.8, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=1024, gt=0)
    stop: tuple[str, ...] = ()
    seed: int = 0

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens,
                        stop=self.stop, seed=self.seed)

    def of(self, model: str) -> "SampleConfig":
        """The same for one model only: what a single sampling stage depends on."""
        return self.model_copy(update={"models": (model,)})


class AskConfig(Settings):
    """What every table that asks the teacher shares: model, drawing, and a budget in its output tokens."""

    model: str
    tokens: int | None = Field(default=None, gt=0, description="stop asking once it has written so many tokens")
    prompt: str | None = Field(default=None, description="a prompt file of your own")
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=1024, gt=0)
    seed: int = 0

    @property
    def sampling(self) -> Sampling:
        return Sampling(temperature=self.temperature, top_p=self.top_p, max_tokens=self.max_tokens,
                        seed=self.seed)


class CorrectConfig(AskConfig):
    """[correct]: the corrector and whose mistakes it gets (all sampled models by default)."""

    models: tuple[str, ...] = Field(default=(), description="whose mistakes; empty: every sampled model's")


CHECKS = ("complete", "parsed", "step", "changed", "answer")


class VerifyConfig(Settings):
    """[verify]: which checks a correction must pass; `["answer"]` is the paper's rule."""

    checks: tuple[Literal["complete", "parsed", "step", "changed", "answer"], ...] = CHECKS


class CotConfig(AskConfig):
    """[cot]: worked solutions bought from a teacher, for questions without one, in random order."""

    @property
    def asking(self) -> SampleConfig:
        return SampleConfig(models=(self.model,), only="unsolved", order="random",
                            **self.model_dump(exclude={"model"}))


class EvolveConfig(AskConfig):
    """[evolve.X]: new questions grown from seeds drawn with replacement.

    `seeds_from` "corrections" draws from the questions of kept corrections, as often as they occur
    (correction-centric); "questions" draws from all training questions (general evolution).
    """

    seeds_from: Literal["corrections", "questions"] = "corrections"
    seeds: int = Field(gt=0, description="how many seeds are drawn")
    votes: int = Field(default=3, gt=0, description="answers per new question; the majority is its gold answer")
    correction_tokens: int | None = Field(default=None, gt=0, description="budget for corrections in this round")

    @property
    def voting(self) -> SampleConfig:
        return SampleConfig(models=(self.model,), paths=self.votes, temperature=self.temperature,
                            top_p=self.top_p, max_tokens=self.max_tokens, seed=self.seed)


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


class EvaluateConfig(SampleConfig):
    """[evaluate]: the examination of every trained model; greedy unless told otherwise."""

    models: tuple[str, ...] = ()
    split: Literal["train", "dev", "test"] = "test"
    temperature: float = Field(default=0.0, ge=0)


class ReportConfig(Settings):
    """[report]: the comparison in the headline."""

    baseline: str | None = Field(default=None, description="the arm that the others are compared with")
    headline: str | None = Field(default=None, description="the arm in the headline")
    control: str | None = Field(default=None, description="the arm of equal teacher cost, shown beside it")


class AssembleConfig(Settings):
    """What one arm's training set depends on: its table, whose paths are its own, and the rounds it draws on."""

    arm: str
    take: tuple[Take, ...]
    base: str | None
    rounds: tuple[str, ...]
    teacher: str | None = None


class AccountConfig(Settings):
    """The arms whose training sets are weighed, each with the rounds that it draws on."""

    arms: tuple[AssembleConfig, ...]
    rounds: tuple[str, ...]


class TrainOneConfig(Settings):
    """One arm with one seed."""

    arm: str
    seed: int
    base: str
    budget: BudgetConfig
    trainer: str
    options: dict = Field(default_factory=dict)


class ScoreConfig(Settings):
    """Which examined model is which arm and seed: (model, arm, seed)."""

    examined: tuple[tuple[str, str, int], ...]
    baseline: str | None = None


class ReportOneConfig(ScoreConfig):
    """What the report says and how: titles, arms and what they are about, and the rounds it counts."""

    title: str
    base: str
    headline: str | None
    control: str | None
    about: dict[str, str]
    rounds: tuple[str, ...]


class MachineConfig(Settings):
    """[machine]: where and how fast; nothing here changes what comes out."""

    workers: int = Field(default=1, gt=0, description="processes that train and sample side by side")
    threads: int | None = Field(default=None, gt=0, description="threads of each process")
    cache: str | None = Field(default=None, description="folder of grown students; ~/.cache/lema by default")
