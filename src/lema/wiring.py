"""From the names in a config to what stages depend on: model facts, prompt ids, the settings of one arm.

One design decision: everything here can be said without loading a model, so that `lema plan` and a restart
know what is done before torch is imported.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lema.config import (
    AccountConfig,
    ArmConfig,
    AssembleConfig,
    BudgetConfig,
    Config,
    CorrectConfig,
    EvolveConfig,
    GrowConfig,
    ImportConfig,
    ReportOneConfig,
    ScoreConfig,
    TrainOneConfig,
)
from lema.errors import ConfigError
from lema.examples import find_kind
from lema.examples.take import Sort, Take
from lema.messages import Message
from lema.plugins import Settings, file_hash, find, settings_of
from lema.prompting import find_prompt
from lema.records import Question, content_id
from lema.runs.context import decoding
from lema.runs.prices import price_of
from lema.runs.run import Run, Stage
from lema.stages.assemble import assemble
from lema.stages.grow import grow
from lema.stages.train import train
from lema.tasks import find_task
from lema.training import find_trainer

PROBE = Question(text="?", answer="?")
PROBE_TOKENS = 20_000
GROWN = "transformers"
"""The backend that runs what was grown or trained here."""


@dataclass(frozen=True)
class Round:
    """One pass of the method's front half: its questions, graded paths, and corrections and critiques (by the sort
    of paths that they judge) where asked for."""

    questions: Stage
    graded: Stage
    corrections: Stage | None
    verified: Stage | None
    critiques: dict[Sort, Stage] = field(default_factory=dict)

    def drawn_on(self, sorts: Iterable[Sort]) -> tuple[Stage | tuple, ...]:
        """What a training set may draw on: questions, graded, verified, and those critiques that it takes."""
        judged = tuple(self.critiques[sort] for sort in sorts if sort in self.critiques)
        stages = (self.questions, self.graded, self.verified or (), *judged)
        return stages if judged or self.verified else stages[:2]


def task_settings(config: Config) -> Settings:
    """The task's own table, checked by the task's module."""
    return settings_of(find("tasks", config.task.name, "Task").Settings, config.task.own, "task")


def asked(config: Config, few_shot: str | None = None) -> dict[str, str]:
    """The content id of how questions are asked, so that an edited prompt makes its paths stale."""
    if few_shot is not None:
        return prompt(config, "solve", few_shot)
    task = find_task(config.task.name, config.task.own)
    return {"question": _id_of(task.prompt(PROBE))}


def asked_of(config: Config, model: str, few_shot: str | None = None) -> dict[str, str]:
    """`asked`, and how a model that is grown or trained here writes, where its table (or its base's) says so:
    a change of dtype changes what comes out."""
    table = decoding(config, model) if model not in config.models or config.models[model].grow else {}
    how = settings_of(find("models", "transformers", "Model").Settings, {**table, "path": ""}, f"models.{model}")
    told = {key: value for key, value in how.facts().items() if key in table}
    return asked(config, few_shot) | ({"decoding": content_id(told)} if told else {})


def prompt(config: Config, name: str, path: str | None = None) -> dict[str, str]:
    """The content id of a prompt by its name, or of the user's file."""
    task = find_task(config.task.name, config.task.own)
    return {name: find_prompt(path or name, task.name).fitting(name).id}


def correcting(config: Config, round_name: str) -> CorrectConfig | None:
    """The corrector's table, where there is one; an evolved round has its own budget."""
    if not round_name or config.correct is None:
        return config.correct
    evolution = config.evolve[round_name]
    whose = {"models": ()} if evolution.students else {}
    return config.correct.model_copy(update={"tokens": evolution.correction_tokens, **whose})


def rounds_before(config: Config, evolution: EvolveConfig) -> tuple[str, ...]:
    """The evolved rounds that a round follows, the nearest first."""
    found: list[str] = []
    while evolution.after:
        found.append(evolution.after)
        evolution = config.evolve[evolution.after]
    return tuple(found)


def first_of_each(config: Config, arms: Iterable[str]) -> list[TrainOneConfig]:
    """The first seed of each arm: the models that a later round samples."""
    every = training(config) if arms else ()
    return [one for one in every if one.arm in arms and one.seed == config.train.seeds[0]]


def correction_prompts(config: Config) -> dict[str, str]:
    """The content ids of what the corrector is told, a second try included where there is one."""
    found = prompt(config, "correct", config.correct.prompt)
    return found | prompt(config, "again", config.correct.again) if config.correct.tries > 1 else found


def students(run: Run, config: Config, questions: Stage) -> dict[str, Stage | dict]:
    """Every model of the config: a stage where it is grown here, else the facts of its table.

    A student with a finish is trained on the worked solutions of `questions` after its lessons.
    """
    tables = {name: table.grow for name, table in config.models.items() if table.grow}
    for name, grow_it in tables.items():
        if config.models[name].backend != GROWN:
            raise ConfigError(f"models.{name}.backend: a student that is grown here runs on {GROWN!r}, not on "
                              f"{config.models[name].backend!r}; drop its grow table or change the backend")
        find_trainer(grow_it.trainer, grow_it.options)
    grown = {name: run.planned(f"{'lessons' if grow_it.finish else 'students'}/{name}", grow, grow_it,
                               prompts=taught(config)) for name, grow_it in tables.items()}
    run.side_by_side(list(grown.values()))
    finished = [_finished(run, config, name, grow_it, grown[name], questions)
                for name, grow_it in tables.items() if grow_it.finish]
    grown |= {stage.folder.name: stage for stage in run.side_by_side(finished)}
    return {name: grown.get(name) or model_facts(name, table.backend, table.own)
            for name, table in config.models.items()}


def _finished(run: Run, config: Config, name: str, table: GrowConfig, grown: Stage, questions: Stage) -> Stage:
    """The student that continues from its lessons with the worked solutions."""
    worked = AssembleConfig(arm=f"{name} (finish)", take=(Take(kind="cot"),), base=name, rounds=("",))
    examples = run.stage(f"sets/finish-{name}", assemble, worked, (), (questions,), models={name: grown},
                         prompts=asked(config))
    one = TrainOneConfig(arm=name, seed=table.seed, base=name, budget=BudgetConfig(tokens=table.finish.tokens),
                         trainer=table.trainer, options=table.finish.options)
    return run.planned(f"students/{name}", train, one, examples, models={name: grown})


def taught(config: Config) -> dict[str, str]:
    """The content id of what students are taught: the vocabulary and a first few lessons stand for all."""
    task = find_task(config.task.name, config.task.own)
    if not hasattr(task, "lessons"):
        raise ConfigError(f"task {task.name} has no lessons to grow a student on; give the model a path")
    first = [lesson.id for lesson in task.lessons(0, PROBE_TOKENS)]
    return {"lessons": content_id(list(task.vocabulary()), first)}


def model_facts(name: str, backend: str, table: dict) -> dict:
    """What of a model's table decides what it writes."""
    settings = settings_of(find("models", backend, "Model").Settings, table, f"models.{name}")
    return {"backend": backend, **settings.facts()}


def base_of(config: Config, models: dict[str, Stage | dict]) -> dict[str, Stage | dict]:
    """The student that the arms continue from; a folder or hub id where the config names no such model."""
    base = config.train.base
    return {base: models[base] if base in models else model_facts(base, "transformers", {"path": base})}


def assembling(config: Config, arm: str, table: ArmConfig) -> AssembleConfig:
    """What the arm's training set depends on, and nothing that it does not."""
    budget = _budget(config, table)
    return AssembleConfig(arm=arm, take=table.take, base=config.train.base if config.train else None,
                          rounds=_rounds(table), purchases=_purchases(config, table),
                          teacher_tokens=budget.teacher_tokens if budget else None,
                          money=budget.money if budget else None,
                          prices=_prices(config, arm) if budget and budget.money else {})


def imports(folder: Path) -> list[ImportConfig]:
    """What was imported into a run (lema.commands.import_), by name."""
    found = []
    for facts in sorted(folder.glob("imports/*/import.json")):
        here = facts.parent
        told = json.loads(facts.read_text(encoding="utf-8"))
        content = content_id(*(file_hash(here / f"{rows}.jsonl") for rows in ("paths", "corrections")))
        found.append(ImportConfig(name=here.name, content=content,
                                  **{key: told[key] for key in ("what", "models")}))
    return found


def worded(config: Config, table: ArmConfig) -> dict[str, str]:
    """The content ids of all prompts that an arm's examples are written with."""
    found = asked(config)
    for take in table.take:
        for name in find_kind(take, "take").prompts:
            found |= prompt(config, name)
    return found


def accounting(config: Config) -> AccountConfig:
    """The accounts of all arms."""
    return AccountConfig(
        arms=tuple(assembling(config, arm, table) for arm, table in config.arms.items()),
        budgets=tuple(_budget(config, table) for table in config.arms.values()) if config.train else (),
        trainer=config.train.trainer if config.train else None, options=config.train.own if config.train else {},
        rounds=("", *config.evolve), purchases=config.cot.questions if config.cot else ())


def _budget(config: Config, table: ArmConfig) -> BudgetConfig | None:
    """How an arm is trained and what its making may cost; None where neither is said."""
    if config.train is None:
        return table.budget
    return table.budget.of(config.train.budget) if table.budget else config.train.budget


def training(config: Config) -> Iterable[TrainOneConfig]:
    """Every arm with every seed. ConfigError where the trainer does not know a key of [train]."""
    find_trainer(config.train.trainer, config.train.own)
    for arm, table in config.arms.items():
        for seed in config.train.seeds:
            yield TrainOneConfig(arm=arm, seed=seed, base=config.train.base,
                                 budget=_budget(config, table), trainer=config.train.trainer,
                                 options=config.train.own)


def scoring(config: Config) -> ScoreConfig:
    """Which examined model is which arm and seed."""
    return ScoreConfig(examined=tuple((f"{one.arm}-{one.seed}", one.arm, one.seed) for one in training(config)),
                       baseline=config.report.baseline or next(iter(config.arms)))


def reporting(config: Config) -> ReportOneConfig:
    """What the report shows: the config's headline, else the last arm against the first."""
    arms = list(config.arms)
    return ReportOneConfig(
        **scoring(config).model_dump(), title=config.name, base=config.train.base,
        headline=config.report.headline or arms[-1], control=config.report.control,
        about={arm: table.about for arm, table in config.arms.items()}, rounds=("", *config.evolve),
        prices=config.model_dump()["prices"])


def _prices(config: Config, arm: str) -> dict[str, tuple[float, float]]:
    """What each teacher's tokens cost. ConfigError where that is not known."""
    asked_ = [table.model for table in (config.correct, config.critique, config.cot, *config.evolve.values())
              if table]
    found = {}
    for name in dict.fromkeys(asked_):
        price = price_of(config, name)
        if price is None:
            raise ConfigError(f"arms.{arm}.budget.money: the price of model {name!r} is not known; add a "
                              f"[prices.\"{config.models[name].own.get('model', name)}\"] table with input and "
                              "output, or give teacher_tokens instead")
        found[name] = (price.input, price.output)
    return found


def _rounds(table: ArmConfig) -> tuple[str, ...]:
    return tuple(dict.fromkeys(("", *(take.round for take in table.take))))


def _purchases(config: Config, table: ArmConfig) -> tuple[str, ...]:
    """The purchases of worked solutions that an arm takes from, in the order of the [cot] table."""
    needs = {need for take in table.take for need in find_kind(take, "take").needs}
    return tuple(name for name in (config.cot.questions if config.cot else ()) if f"bought {name}" in needs)


def _id_of(messages: list[Message]) -> str:
    return content_id([[message.role, message.content] for message in messages])
