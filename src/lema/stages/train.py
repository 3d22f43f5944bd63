"""One model: the base continued on one arm's set with one seed.

    66 × {"kind": "correction", "completion": " Step 1.…", …} → {"name": "lema-1", "steps": 10, "tokens": 3997, …}

One design decision: the budget is turned into an exact stream of examples before the trainer starts, so every
arm sees what its table says and no library's epoch decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from inspect import signature
from itertools import filterfalse
from operator import attrgetter

from lema.config import BudgetConfig, Config, GrowConfig, TrainOneConfig
from lema.errors import ConfigError
from lema.examples import find_kind
from lema.plugins import near_miss
from lema.records import Checkpoint, Example
from lema.runs.context import StageContext
from lema.training import find_trainer

VERSION = 2


def training(config: Config) -> list[TrainOneConfig]:
    """Every arm with every seed. ConfigError where its trainer does not know a key of [train] or of the arm's own
    `train`, or takes no pairs where the arm takes some."""
    fits, before = [], []
    for arm, table in config.arms.items():
        if table.continues and table.continues not in before:
            raise ConfigError(f"arms.{arm}.continues = {table.continues!r} is no [arms.X] above it"
                              f"{near_miss(table.continues, before)}")
        before.append(arm)
        name, options = config.trainer_of(arm)
        trainer = find_trainer(name, options)
        for take in table.take:
            pairs = getattr(find_kind(take, f"arms.{arm}.take"), "pairs", False)
            if pairs and not hasattr(trainer, "takes_pairs"):
                raise ConfigError(f"arms.{arm}.take: kind {take.kind!r} makes pairs, and trainer {name!r} takes "
                                  f'none; set arms.{arm}.train = {{ trainer = "dpo" }}')
        for seed in config.train.seeds:
            base = f"{table.continues}-{seed}" if table.continues else config.train.base
            fits.append(TrainOneConfig(arm=arm, seed=seed, base=base, budget=config.budget_of(arm), trainer=name,
                                       options=options))
    return fits


def in_waves(fits: Iterable[TrainOneConfig]) -> Iterator[list[TrainOneConfig]]:
    """The same, those that go on from a model of others behind these."""
    waiting = list(fits)
    while waiting:
        names = {f"{fit.arm}-{fit.seed}" for fit in waiting}
        yield list(filterfalse(lambda fit, names=names: fit.base in names, waiting))
        waiting = list(filter(lambda fit, names=names: fit.base in names, waiting))


def first_of_each(config: Config, arms: Sequence[str]) -> list[TrainOneConfig]:
    """The first seed of each arm, the models that a later round samples, and of the arms that they go on from."""
    wanted = set(arms)
    for arm in reversed(config.arms):  # an arm stands below the one that it goes on from
        if arm in wanted and config.arms[arm].continues:
            wanted.add(config.arms[arm].continues)
    if not wanted:
        return []
    return [each for each in training(config) if each.arm in wanted and each.seed == config.train.seeds[0]]


def cards(settings: TrainOneConfig) -> int:
    """How many cards of one machine a training takes; it asks nobody, so an engine may place it anywhere."""
    return getattr(getattr(find_trainer(settings.trainer, settings.options), "settings", None), "processes", 1)


def finishing(name: str, student: GrowConfig) -> TrainOneConfig:
    """How a student that was taught its lessons goes on with the worked solutions."""
    return TrainOneConfig(arm=name, seed=student.seed, base=name, trainer=student.trainer,
                          options=student.finish.options, budget=BudgetConfig(tokens=student.finish.tokens))


def train(context: StageContext, settings: TrainOneConfig, examples: Iterable[Example]) -> Iterator[Checkpoint]:
    """The trained checkpoint in `model/`, and one row that says what it saw."""
    from lema.checkpoints import weights_hash
    from lema.training.stream import stream

    trainer, out = find_trainer(settings.trainer, settings.options), context.folder / "model"
    fitting = list(filterfalse(attrgetter("rejected"), examples))
    rows = stream(fitting, settings.budget, settings.seed, trainer.steps)
    form = context.form(settings.base)
    more = {} if form == "chat" else {"form": form}
    if "tokens" in signature(trainer.fit).parameters:
        more["tokens"] = context.run_folder / "tokens"
    log = trainer.fit(rows, context.checkpoint(settings.base), out, settings.seed, context.show, **more)
    yield Checkpoint(name=f"{settings.arm}-{settings.seed}", steps=log.steps, examples=log.examples,
                     tokens=log.tokens, all_tokens=log.all_tokens, loss=round(log.loss, 6),
                     weights=weights_hash(out), merge_difference=log.merge_difference)
