"""From what a user calls a run to its folder, its config and its stages.

One design decision: stages are asked for by calling the pipeline with an engine that only looks, so that no
command spells a folder or an order of stages again.
"""

from collections.abc import Sequence
from pathlib import Path

from lema.config import Config, load_config
from lema.errors import RunError
from lema.runs.run import Run, Stage


def stages_of(folder: Path, config: Config) -> dict[str, Stage]:
    """Every stage that the config leads to, by name, in order; nothing is performed."""
    from lema.pipeline import pipeline

    stages: dict[str, Stage] = {}

    def look(planned: Sequence[Stage]) -> None:
        stages.update((stage.name, stage) for stage in planned)

    pipeline(Run(folder, look, config), config)
    return stages


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
