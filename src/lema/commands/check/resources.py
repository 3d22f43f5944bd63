"""What the fits of a run need: the packages, the memory of the device, the room on the disk.

One design decision: memory and disk are reckoned from the shapes in config.json (lema.training.memory), before any
weights are loaded; how they are reckoned is said beside the figures, since a reckoning is no measurement.
"""

import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from lema.commands.beforehand import Problems
from lema.config import Config
from lema.errors import ConfigError, installing
from lema.plugins import Settings, settings_of
from lema.runs.dependencies import MADE_HERE, backend_settings
from lema.stages.train import training
from lema.training import find_trainer

TRAIN = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
GIGA = 1e9


def extras(config: Config) -> Iterator[str]:
    """The packages that training and sampling here need. ConfigErrors with the line that installs what is not."""
    problems, wanted = Problems(), {}
    if config.train is not None or any(table.backend == MADE_HERE for table in config.models.values()):
        wanted["train"] = TRAIN
    if config.train is not None and config.train.own.get("method") == "qlora":
        wanted["qlora"] = ("bitsandbytes",)
    if config.machine.engine == "ray":
        wanted["ray"] = ("ray",)
    for extra, modules in wanted.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            problems.add(ConfigError(f"{', '.join(missing)}: not installed; {installing(extra)}"))
        else:
            yield f"packages: those of [{extra}] are there"
    for where, settings in _other_backends(config):
        says = getattr(sys.modules[type(settings).__module__], "not_there", lambda settings: "")(settings)
        if says:
            problems.add(ConfigError(f"{where}: {says}"))
    problems.raise_all()


def _other_backends(config: Config) -> Iterator[tuple[str, Settings]]:
    """The settings of every backend that a table names, and where it stands."""
    for name, table in config.models.items():
        if not table.grow:
            yield f"models.{name}", backend_settings(name, table.backend, table.own)
    if config.evaluate.backend != MADE_HERE:
        keys = {"path": "", "run": "server", **config.evaluate.serving}
        yield "evaluate.serving", settings_of(config.evaluate.examiner.Settings, keys, "evaluate.serving")


def needs(config: Config, base: Path | None, folder: Path) -> Iterator[str]:
    """Memory and disk of all fits. ConfigErrors where there is too little of one."""
    trainer = find_trainer(config.train.trainer, config.train.own)
    settings = getattr(trainer, "settings", None)
    if base is None or config.train.trainer != "sft":
        yield f"memory and disk: not reckoned, {'the base' if base is None else 'this trainer'} is not known here"
        return
    import torch

    from lema.training import memory

    if torch.cuda.is_available() and settings.processes > torch.cuda.device_count():
        raise ConfigError(f"train.processes = {settings.processes}: this machine has {torch.cuda.device_count()} "
                          "cards, and each process takes one")
    shapes = memory.shapes_of(base)
    settings = settings.for_base(shapes.parameters)
    problems, fits = Problems(), len(training(config))
    with problems.gathered():
        yield _memory(config, settings, shapes)
    with problems.gathered():
        yield _disk(memory.disk(shapes, settings), fits, config.machine.workers, folder)
    problems.raise_all()
    trained = memory.trained_parameters(shapes, settings) / 1e6
    yield (f"train: of {shapes.parameters / GIGA:,.3f} billion parameters and adapters {trained:,.1f} million are "
           f"trained; {', '.join(f'{key} {value}' for key, value in settings.facts().items())}")


def _memory(config: Config, settings, shapes) -> str:
    """What a fit needs beside what there is."""
    from lema.training import memory

    free, on_cpu = memory.room()
    side_by_side = config.machine.workers if on_cpu else 1
    free /= side_by_side
    parts = memory.memory(shapes, settings, settings.max_length, on_cpu)
    figures = ", ".join(f"{name} {size / GIGA:,.2f}" for name, size in parts.items())
    whole = sum(parts.values())
    finding = (f"memory: a row of {settings.max_length:,} tokens needs {whole / GIGA:,.2f} GB ({figures}); "
               f"{free / GIGA:,.2f} GB are to be had on the {'machine' if on_cpu else 'card'}"
               f"{f' for each of {side_by_side} workers' if side_by_side > 1 else ''}")
    if whole > free:
        raise ConfigError(f"{finding}; take method = \"qlora\", gradient_checkpointing = true, a shorter "
                          f"train.max_length, fewer machine.workers or a smaller base (reckoned: {memory.HOW})")
    most = memory.tokens_that_fit(shapes, settings, free, on_cpu)
    return f"{finding}: passes of {most:,} tokens fit (reckoned: {memory.HOW})"


def _disk(sizes: dict[str, float], fits: int, workers: int, folder: Path) -> str:
    """What all fits leave beside what there is."""
    place = folder
    while not place.exists():
        place = place.parent
    free, wanted = shutil.disk_usage(place).free, fits * sizes["left"] + min(fits, workers) * sizes["meanwhile"]
    finding = (f"disk: {fits:,} fits leave {sizes['left'] / GIGA:,.2f} GB each, and "
               f"{sizes['meanwhile'] / GIGA:,.2f} GB while one runs, {wanted / GIGA:,.2f} GB in all; "
               f"{free / GIGA:,.2f} GB are free at {place}")
    if wanted > free:
        raise ConfigError(f"{finding}; make room, name another place with --runs, train fewer seeds, or leave "
                          "train.save at \"adapter\"")
    return finding
