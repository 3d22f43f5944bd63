"""`lema run`: a config performed in its run folder by the pipeline.

One design decision: everything that a config names is checked before the folder is touched; what is performed is
the pipeline itself, with an engine that works.
"""

from contextlib import closing
from pathlib import Path

import tomli_w

from lema.commands.run_folder import folder_for, stages_of
from lema.config import load_table, parse_config
from lema.errors import RunError
from lema.files import write_whole
from lema.runs.folder import held
from lema.runs.run import Run


def run_config(source: str, overrides: list[str], runs: Path, online_tail: int | None = None) -> Path:
    """Performs a config in `runs/<name>` and returns that folder. Only one process may hold a run.

    `online_tail` goes into the table of every model with the batch backend.
    """
    table = load_table(source, overrides)
    for model in table.get("models", {}).values() if online_tail is not None else ():
        if model.get("backend") == "batch":
            model["online_tail"] = online_tail
    config = parse_config(table, source)
    folder = folder_for(config, runs)
    stages_of(folder, config)  # every name, prompt and settings table is checked before anything is written
    with held(folder):
        from lema.pipeline import pipeline
        from lema.runs.engine import Local
        from lema.runs.progress import display

        _keep_config(folder, table)
        with display() as progress, closing(Local(folder, config, progress)) as engine:
            pipeline(Run(folder, engine, config), config)
    return folder


def _keep_config(folder: Path, table: dict) -> None:
    """config.toml as run, what was laid over it included."""
    try:
        write_whole(folder / "config.toml", tomli_w.dumps(table))
    except OSError as error:
        raise RunError(f"{folder}/config.toml: cannot be written ({error.strerror})") from None
