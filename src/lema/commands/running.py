"""`lema run` and `lema plan`: a config, its run folder, the pipeline, and what is said at the end.

One design decision: planning calls the same pipeline with an engine that only looks, so a plan can never differ
from what a run does.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import tomli_w

from lema.config import Config, load_config, load_table, parse_config
from lema.errors import RunError
from lema.runs.folder import held
from lema.runs.run import Run, Stage


def run_config(source: str, overrides: list[str], runs: Path, online_tail: int | None = None) -> Path:
    """Performs a config in `runs/<name>` and returns that folder. Only one process may hold a run.

    `online_tail` goes into the table of every model with the batch backend.
    """
    table = load_table(source, overrides)
    for model in table.get("models", {}).values() if online_tail is not None else ():
        if model.get("backend") == "batch":
            model["online_tail"] = online_tail
    config = parse_config(table, source)
    folder = run_folder(config, runs)
    stages_of(folder, config)  # every name, prompt and settings table is checked before anything is written
    with held(folder):
        from lema.pipeline import pipeline
        from lema.runs.engine import Local
        from lema.runs.progress import display

        _keep_config(folder, table)
        with display() as progress, closing(Local(folder, config, progress)) as engine:
            pipeline(Run(folder, engine, config), config)
    return folder


def plan_config(source: str, overrides: list[str], runs: Path) -> str:
    """What a run of the config would do: a line per stage, and the count of each state."""
    config = load_config(source, overrides)
    stages = stages_of(run_folder(config, runs), config)
    states = [(stage.name, *stage.status()) for stage in stages.values()]
    width = max(len(name) for name, _, _ in states)
    lines = [f"{state:8} {name:{width}}  {why}".rstrip() for name, state, why in states]
    counts = {state: sum(s == state for _, s, _ in states) for state in ("done", "stale", "missing")}
    return "\n".join([*lines, ", ".join(f"{count} {state}" for state, count in counts.items())])


def stages_of(folder: Path, config: Config) -> dict[str, Stage]:
    """Every stage that the config leads to, by name, in order; nothing is performed."""
    from lema.pipeline import pipeline

    found: dict[str, Stage] = {}

    def look(stages: Sequence[Stage]) -> None:
        found.update((stage.name, stage) for stage in stages)

    pipeline(Run(folder, look, config), config)
    return found


def run_folder(config: Config, runs: Path) -> Path:
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


def _keep_config(folder: Path, table: dict) -> None:
    """config.toml as run, what was laid over it included."""
    try:
        (folder / "config.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder}/config.toml: cannot be written ({error.strerror})") from None
