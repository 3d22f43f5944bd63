"""The config: which and how much, as TOML, validated before anything runs.

One design decision: a table that belongs to a plugin (task, a model, the trainer) is checked by the module
that it names, so that a user's own module brings its own keys; everything else is declared in this room. Unknown
keys are refused with the near miss. Relative paths are taken from the folder in which the command runs.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lema.config.arms import ArmConfig, BudgetConfig, ReportConfig, TrainConfig
from lema.config.examining import EvaluateConfig
from lema.config.one_step import ContinueConfig, ContinueOneConfig
from lema.config.ready_arms import expanded
from lema.config.sampling import (
    CHECKS,
    AdaptiveConfig,
    CorrectConfig,
    CotConfig,
    CritiqueConfig,
    CritiqueOneConfig,
    EvolveConfig,
    LeaksConfig,
    PurchaseConfig,
    SampleConfig,
    SettleConfig,
    VerifyConfig,
)
from lema.config.sources import GrowConfig, MachineConfig, ModelConfig, Name, PriceConfig, SpendConfig, TaskConfig
from lema.config.stages import (
    AccountConfig,
    AnalyseConfig,
    AssembleConfig,
    ImportConfig,
    PerplexityConfig,
    ReportOneConfig,
    ScoreConfig,
    TrainOneConfig,
)
from lema.errors import ConfigError
from lema.examples import find_kind
from lema.examples.take import Take
from lema.plugins import explain, near_miss
from lema.plugins.keys import key_in, looks_like_a_key

__all__ = [
    "CHECKS", "RECIPES", "AccountConfig", "AdaptiveConfig", "AnalyseConfig", "ArmConfig", "AssembleConfig",
    "BudgetConfig",
    "Config", "ContinueConfig", "ContinueOneConfig", "CorrectConfig", "CotConfig", "CritiqueConfig",
    "CritiqueOneConfig", "EvaluateConfig", "EvolveConfig", "GrowConfig", "ImportConfig", "LeaksConfig",
    "PerplexityConfig", "PurchaseConfig",
    "ReportOneConfig",
    "SampleConfig", "ScoreConfig", "SettleConfig", "TrainOneConfig", "VerifyConfig", "find_recipe", "lay_over",
    "load_config", "load_table", "parse_config", "recipes"]

RECIPES = Path(__file__).parents[1] / "recipes"

PriceName = Annotated[str, Field(pattern=r"^[a-z0-9-]+/.+$")]
"""A model of the price list, "provider/model", for an endpoint that gives it another name."""


class Config(BaseModel):
    """A whole run."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    task: TaskConfig
    models: dict[Name, ModelConfig]
    sample: SampleConfig | None = None
    leaks: LeaksConfig = LeaksConfig()
    correct: CorrectConfig | None = None
    going_on: ContinueConfig | None = Field(default=None, alias="continue")
    verify: VerifyConfig = VerifyConfig()
    critique: CritiqueConfig | None = None
    cot: CotConfig | None = None
    evolve: dict[Name, EvolveConfig] = {}
    arms: dict[Name, ArmConfig] = {}
    train: TrainConfig | None = None
    evaluate: EvaluateConfig = EvaluateConfig()
    report: ReportConfig = ReportConfig()
    machine: MachineConfig = MachineConfig()
    prices: dict[str, PriceConfig | PriceName] = {}
    budget: SpendConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _arms_by_name(cls, table: object) -> object:
        if isinstance(table, dict) and "arms" in table:
            return {**table, "arms": expanded(table["arms"])}
        return table

    @model_validator(mode="after")
    def _names_meet(self) -> "Config":
        _has_something_to_do(self)
        for where, name in self._model_names():
            if name not in self.models:
                raise ValueError(f"{where} = {name!r} is no [models.X]{near_miss(name, list(self.models))}")
        for where, name in self._arm_names():
            if name not in self.arms:
                raise ValueError(f"{where} = {name!r} is no [arms.X]{near_miss(name, list(self.arms))}")
        for arm, table in self.arms.items():
            for take in table.take:
                _can_take(self, arm, take)
        _can_go_on(self)
        for place, name in enumerate(self.evolve):
            _can_follow(self, name, list(self.evolve)[:place])
        _trains_on_training_questions(self)
        return self

    def on(self, test_set: str) -> "Config":
        """The same with the task of one of the [evaluate.sets.X]; "" is the run's own."""
        if not test_set:
            return self
        table = self.evaluate.sets[test_set]
        return self.model_copy(update={"task": TaskConfig(name=table.task, **table.own)})

    def budget_of(self, arm: str) -> BudgetConfig | None:
        """How an arm is trained and what its making may cost; None where neither is stated."""
        own = self.arms[arm].budget
        if self.train is None:
            return own
        return own.of(self.train.budget) if own else self.train.budget

    def trainer_of(self, arm: str) -> tuple[str, dict]:
        """Who trains an arm, and that trainer's keys: those of [train], with the arm's own laid over them."""
        table = {**self.train.own, **self.arms[arm].train}
        return table.pop("trainer", self.train.trainer), table

    @property
    def headline(self) -> str:
        """The arm that the run is about: the one that the report leads with, else the last."""
        return self.report.headline or list(self.arms)[-1]

    @property
    def asked_models(self) -> list[str]:
        """The models of this config that some table asks, each once."""
        return list(dict.fromkeys(name for _, name in self._model_names()))

    def _model_names(self) -> list[tuple[str, str]]:
        teachers = {"correct": self.correct, "critique": self.critique, "cot": self.cot}
        if self.going_on and self.going_on.model:
            teachers["continue"] = self.going_on
        teachers |= {f"evolve.{name}": table for name, table in self.evolve.items() if table.model}
        students = {"sample": self.sample, "correct": self.correct, "critique": self.critique,
                    "continue": self.going_on, "evaluate": self.evaluate}
        named = [(f"{where}.models", name) for where, table in students.items() if table for name in table.models]
        return named + [(f"{where}.model", table.model) for where, table in teachers.items() if table]

    def _arm_names(self) -> list[tuple[str, str]]:
        named = [("report.baseline", self.report.baseline), ("report.headline", self.report.headline),
                 ("report.control", self.report.control)]
        named += [("report.pairs", name) for pair in self.report.pairs for name in pair]
        return [(where, name) for where, name in named if name is not None]


def _has_something_to_do(config: Config) -> None:
    """Raises ValueError where nobody is sampled and it is no mere examination, or one that is none."""
    makes = [name for name in ("sample", "correct", "going_on", "critique", "cot", "evolve", "arms", "train")
             if getattr(config, name)]
    if config.evaluate.models and not config.evaluate.sets:
        raise ValueError("evaluate.models: say on which questions, in [evaluate.sets.X]")
    if config.evaluate.models and makes:
        raise ValueError("evaluate.models: these are examined where nothing is made; leave them out, or "
                         f"[{makes[0]}]")
    if not config.evaluate.models and config.sample is None:
        raise ValueError("sample: Field required")


def _can_go_on(config: Config) -> None:
    """Raises ValueError where one-step corrections lack a corrector or a student, or others lack whole ones."""
    table, corrector = config.going_on, config.correct
    if table and not (table.model or corrector):
        raise ValueError("continue.model: name the corrector here, or in a [correct] table")
    for model in table.models if table else ():
        if model not in config.sample.models:
            raise ValueError(f"continue.models: {model!r} is not among sample.models, so no path of it is "
                             "there to go on from")
    if corrector and corrector.extent == "step":
        for name, evolution in config.evolve.items():
            if evolution.seeds_from == "corrections" and evolution.questions == "new":
                raise ValueError(f'evolve.{name}.seeds_from: with correct.extent = "step" there are no whole '
                                 'corrections to draw seeds from; set seeds_from = "questions"')


def _trains_on_training_questions(config: Config) -> None:
    """Raises ValueError where paths about questions of an examination would be corrected or trained on."""
    if config.sample and config.sample.split != "train" and (config.correct or config.evolve or config.arms):
        raise ValueError(f"sample.split = {config.sample.split!r} would train on the questions of an examination; "
                         "leave it out ([evaluate] says which split is examined)")


def _can_follow(config: Config, name: str, before: list[str]) -> None:
    """Raises ValueError where a round follows, or takes its mistakes from, what is not there before it."""
    where, table = f"evolve.{name}", config.evolve[name]
    if table.after and table.after not in before:
        raise ValueError(f"{where}.after = {table.after!r} is no [evolve.X] above it"
                         f"{near_miss(table.after, before)}")
    for arm in table.students:
        if arm not in config.arms or config.train is None:
            raise ValueError(f"{where}.students: {arm!r} is no [arms.X] that is trained"
                             f"{near_miss(arm, list(config.arms))}")
        late = [take.round for take in config.arms[arm].take if take.round and take.round not in before]
        if late:
            raise ValueError(f"{where}.students: arm {arm!r} itself needs round {late[0]!r}; name an arm that "
                             "takes from earlier rounds only")


def _can_take(config: Config, arm: str, take: Take) -> None:
    """Raises ValueError where an arm names a kind, a key or a round that is not there."""
    where = f"arms.{arm}.take"
    if take.round and take.round not in config.evolve:
        raise ValueError(f"{where}: round {take.round!r} is no [evolve.X]"
                         f"{near_miss(take.round, list(config.evolve))}")
    try:
        find_kind(take, where)
    except ConfigError as error:
        raise ValueError(str(error)) from None


def load_config(source: str, overrides: list[str] | None = None) -> Config:
    """The config in a TOML file or run folder, or a shipped recipe's by name, `a.b=c` overrides laid over it."""
    return parse_config(load_table(source, overrides), source)


def load_table(source: str, overrides: list[str] | None = None) -> dict:
    """The same, not validated yet."""
    path = find_recipe(source)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # an editor may write a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read ({error})") from None
    except (ValueError, RecursionError) as error:  # a number of too many digits is no TOMLDecodeError
        raise ConfigError(f"{source}: not TOML: {error}") from None
    for override in overrides or []:
        lay_over(table, override)
    return table


def parse_config(table: dict, where: str) -> Config:
    """`table` as a config; the first problem becomes a one-line ConfigError."""
    if problem := key_in(table, _key_variables(table)):
        raise ConfigError(f"{where}: {problem}")
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{where}: {explain(error, '', Config)}") from None


def _key_variables(table: dict) -> list[str]:
    """The environment variables whose values are the keys of a config's models."""
    models = table.get("models")
    tables = models.values() if isinstance(models, dict) else ()
    named = (model.get("api_key_env") for model in tables if isinstance(model, dict))
    return ["OPENAI_API_KEY", *filter(lambda name: isinstance(name, str) and name, named)]


def recipes() -> list[str]:
    """The names of the recipes that lema ships."""
    return sorted(path.stem for path in RECIPES.glob("*.toml"))


def find_recipe(source: str) -> Path:
    """The path of a config: a file, a shipped recipe's name, or a run folder."""
    path = Path(source)
    if path.is_file():
        return path
    if source in recipes():
        return RECIPES / f"{source}.toml"
    if (path / "config.toml").is_file():
        return path / "config.toml"
    hint = ""
    if path.suffix != ".toml":
        hint = near_miss(source, recipes())
    elif path.stem in recipes():
        hint = f"; the shipped recipe goes by its name alone: {path.stem}"
    raise ConfigError(f"{source}: no such config file and no recipe of that name{hint}")


def lay_over(table: dict, override: str) -> None:
    """Sets one `a.b=c` in a table; the value is read as TOML, and as plain text where it is not TOML."""
    key, equals, text = override.partition("=")
    if not equals or len(key.split()) != 1:
        # what was given is not repeated whole: it may hold a key
        name = next(iter(key.split()), "")
        name = "…" if looks_like_a_key(name, here=True) else name
        raise ConfigError(f"--set {name}: write it as key=value, for example --set sample.paths=4")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text
    *path, last = key.strip().split(".")
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"--set {key.strip()}: {part!r} is not a table")
    table[last] = value
