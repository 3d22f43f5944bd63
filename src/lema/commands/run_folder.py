"""From what a user calls a run to its folder, its config and its stages.

One design decision: stages are asked for by calling the pipeline with an engine that only looks, so that no
command spells a folder or an order of stages again.
"""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from lema.config import Config, find_recipe, load_config, load_table, parse_config
from lema.errors import ConfigError, ConfigErrors, RunError
from lema.journal.opening import SHARDS
from lema.runs.beginnings import BEGINNING, LOOKS
from lema.runs.run import Run, Stage
from lema.stages.load import load, load_set
from lema.tasks import find_task

KEPT = ("config.toml", "journal.sqlite", "lock", "lock.workers", "imports", "pilot", "ratings", "view.sqlite",
        "progress.json", "report.html", SHARDS, BEGINNING, LOOKS)
"""What lies in a run's folder beside its stages."""


def stages_of(folder: Path, config: Config) -> dict[str, Stage]:
    """Every stage that the config leads to, by name, in order; nothing is performed."""
    from lema.pipeline import pipeline

    stages: dict[str, Stage] = {}

    def look(planned: Sequence[Stage]) -> None:
        for stage in planned:
            same = stages.setdefault(stage.name, stage)
            if (same.verb, same.settings) != (stage.verb, stage.settings):
                raise ConfigError(f"{stage.name}: two stages would have this folder, by the names of a model, an "
                                  "arm or a round; give one of them another name")

    pipeline(Run(folder, look, config), config)
    _have_places_of_their_own(stages)
    return stages


def _have_places_of_their_own(stages: dict[str, Stage]) -> None:
    """ConfigError where two stages would write into each other's folder, or one over what the run itself keeps."""
    taken: dict[str, str] = dict.fromkeys(KEPT, "the run itself")
    for name in stages:
        taken |= dict.fromkeys([name + end for end in ("", ".part", ".old")], name)
    for name in stages:
        above = [str(parent) for parent in PurePosixPath(name).parents][:-1]
        meets = next((place for place in (name, *above) if taken.get(place, name) != name), None)
        if meets is not None:
            raise ConfigError(f"{name}: no name for a model, an arm or a round, since {meets!r} is a folder of "
                              f"{taken[meets]}; give it another one")


def finished(stages: dict[str, Stage]) -> dict[str, Stage]:
    """Those that are done."""
    return {name: stage for name, stage in stages.items() if stage.status().state == "done"}


class Meant(NamedTuple):
    """What a CONFIG on the command line stands for."""

    folder: Path
    table: dict
    config: Config


def meant_by(source: str, overrides: list[str], runs: Path) -> Meant:
    """A config file's or recipe's run lies in `runs` under its name. A run folder stands for its own config and
    for itself, wherever it lies, unless an override gives the run another name."""
    table, own = load_table(source, overrides), load_table(source)
    config, path = parse_config(table, source), find_recipe(source)
    itself = path.parent if path.parent == Path(source) and table.get("name") == own.get("name") else None
    return Meant(itself or runs / config.name, table, config)


def going_on(folder: Path, verb: str = "run") -> str:
    """The command that goes on with a run, from where it is printed."""
    return f"lema {verb} {shlex.quote(str(folder))}"


def check_files(config: Config, stages: dict[str, Stage]) -> None:
    """ConfigErrors with a line for every file that a stage which is not done needs and that is not there;
    DataError where the first row of a file of questions cannot be read."""
    lines: dict[str, None] = {}  # each once, in order
    for stage in stages.values():
        if stage.status().state != "done":
            named = {}
            if stage.verb in (load, load_set):
                table = f"[evaluate.sets.{stage.test_set}]" if stage.test_set else "[task]"
                named = {table: stage.facts["settings"]}
            for model, given in stage.facts["models"].items():
                if isinstance(given, dict):
                    named[f"[models.{model}]"] = given
            lines.update(dict.fromkeys(_missing(named)))
    if lines:
        raise ConfigErrors("\n".join(lines))
    for questions in filter(lambda stage: stage.verb in (load, load_set), stages.values()):
        if questions.settings.files() and questions.status().state != "done":
            table = config.on(questions.test_set).task
            task = find_task(table.name, table.own)
            for split in task.splits:
                next(iter(task.questions(split)), None)


def _missing(named: dict[str, dict]) -> Iterator[str]:
    """A line for each file that the facts of a table call missing."""
    for table, facts in named.items():
        for path, content in facts.get("files", {}).items():
            if content == "missing":
                yield f"{path}: no such file; check {table} of the config (paths start at the folder you are in)"


def folder_of(run: str, runs: Path) -> Path:
    """A run's folder, by its name or by itself."""
    return Path(run) if (Path(run) / "config.toml").is_file() else runs / run


def laid_over(folder: Path, source: str | None, overrides: list[str]) -> Config:
    """The config in `source`, else the one that the run was made with, with overrides laid over it."""
    config_of(folder)
    return load_config(source or str(folder / "config.toml"), overrides)


def config_of(folder: Path) -> Config:
    """The config that a run folder was made with."""
    if not (folder / "config.toml").is_file():
        raise RunError(f"{folder}: no run here; `lema run CONFIG` makes one, --runs DIR names another folder")
    return load_config(str(folder / "config.toml"))
