"""Students: small real models, trained from scratch on the task's own lessons.

    the task's lessons → {"name": "lessons/student", "steps": 386, "tokens": 162630, "loss": 0.901161, …}

One design decision: a student is grown by the same trainer as every arm, starting from a fresh checkpoint; what
was grown once is kept in a cache folder under its fingerprint, so a second run copies it.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lema.config import Config, GrowConfig
from lema.errors import ConfigError, DataError
from lema.files import read_plain, remove, sync
from lema.plugins import settings_of
from lema.records import Checkpoint, read_rows, write_rows
from lema.runs.context import StageContext
from lema.runs.dependencies import MADE_HERE
from lema.training import find_trainer

VERSION = 2
CONTENT = "content"
"""A file beside a kept model: the hash of all of it."""


def growing(config: Config) -> dict[str, GrowConfig]:
    """The students that are grown here, by name. ConfigError where one cannot run here, or its trainer does not
    know a key."""
    tables = {name: model.grow for name, model in config.models.items() if model.grow is not None}
    for name, table in tables.items():
        if config.models[name].backend != MADE_HERE:
            raise ConfigError(f"models.{name}.backend: a student that is grown here runs on {MADE_HERE!r}, not on "
                              f"{config.models[name].backend!r}; drop its grow table or change the backend")
        find_trainer(table.trainer, table.options)
    return tables


def cards(settings: GrowConfig) -> int:
    """How many cards of one machine it takes; it asks nobody, so an engine may place it anywhere."""
    return 1


def grow(context: StageContext, settings: GrowConfig) -> Iterator[Checkpoint]:
    """One checkpoint in `model/`, from the cache where it was grown before and is as it was then."""
    kept, model = context.kept_model, context.folder / "model"
    row = _row_of(kept)
    if row is None:
        remove(kept)
        row = _grown(context, settings)
        _keep(model, row, kept)
    else:
        shutil.copytree(kept / "model", model, dirs_exist_ok=True)
    yield row


def _row_of(kept: Path) -> Checkpoint | None:
    """What the cache says of a model; None where it has none, or one that is no more what was kept."""
    from lema.checkpoints import made_hash, weights_hash

    try:
        (row,) = read_rows(Checkpoint, kept / "rows.jsonl")
        content = read_plain(kept / CONTENT).decode() if (kept / CONTENT).exists() else None
    except (DataError, OSError, ValueError):
        return None
    whole = weights_hash(kept / "model") == row.weights and content in (None, made_hash(kept / "model"))
    return row if whole else None


def _grown(context: StageContext, settings: GrowConfig) -> Checkpoint:
    from lema.checkpoints import weights_hash
    from lema.training.fresh import Shape, build

    fresh, out = context.folder / "fresh", context.folder / "model"
    build(settings_of(Shape, settings.shape, "grow.shape"), context.task.vocabulary(), fresh, settings.seed)
    lessons = list(context.task.lessons(settings.seed, settings.tokens))
    log = find_trainer(settings.trainer, settings.options).fit(lessons, fresh, out, settings.seed, context.show)
    shutil.rmtree(fresh)
    return Checkpoint(name=context.name, steps=log.steps, examples=log.examples, tokens=log.tokens,
                      all_tokens=log.all_tokens, loss=round(log.loss, 6), weights=weights_hash(out),
                      merge_difference=log.merge_difference)


def _keep(model: Path, row: Checkpoint, kept: Path) -> None:
    """Copies a grown model into the cache; whole or not at all, whoever else grows the same one."""
    from lema.checkpoints import made_hash

    part = kept.with_name(f"{kept.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(model, part / "model")
    write_rows(part / "rows.jsonl", [row])
    (part / CONTENT).write_text(made_hash(part / "model"), encoding="utf-8")
    sync(part, within=True)
    try:
        part.rename(kept)
    except OSError:  # another process was faster; its bytes are the same
        shutil.rmtree(part)
