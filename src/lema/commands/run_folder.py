"""From what a user calls a run to its folder, its config and its stages.

One design decision: stages are asked for by calling the pipeline with an engine that only looks, so that no
command spells a folder or an order of stages again.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from lema.config import Config, load_config
from lema.errors import ConfigError, RunError
from lema.runs.run import Run, Stage

KEPT = ("config.toml", "journal.sqlite", "lock", "lock.workers", "imports", "pilot")
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


def folder_for(config: Config, runs: Path) -> Path:
    """Where a config's run lies."""
    return runs / config.name


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
