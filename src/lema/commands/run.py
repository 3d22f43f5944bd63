"""`lema run`: a config performed in its run folder by the pipeline.

One design decision: everything that a config names is checked before the folder is touched; what is performed is
the pipeline itself, with an engine that works.
"""

import sys
from contextlib import closing
from pathlib import Path

from lema.commands.check import inspected
from lema.commands.run_folder import Meant, finished, going_on, meant_by, stages_of
from lema.commands.stored_config import keep_config
from lema.config import Config, parse_config
from lema.errors import Stopped
from lema.runs.beginnings import begin
from lema.runs.folder import held
from lema.runs.mirror import Mirror
from lema.runs.processor import pin
from lema.runs.run import Run, Stage
from lema.runs.workload import workload
from lema.stages.train import train
from lema.training import require_one_process


def heading(name: str, stages: dict[str, Stage]) -> str:
    """What will be done, in one line, before anything is; empty where nothing is to do."""
    to_do = [stage for stage in stages.values() if stage.status().state != "done"]
    if not to_do:
        return ""
    fits = sum(stage.verb is train for stage in to_do)
    served: dict[str, None] = {}
    for stage in to_do:
        for model, given in stage.models.items():
            if workload(stage) and not isinstance(given, Stage):  # what is made here costs nothing
                served[model] = None
    parts = [f"{len(to_do):,} of {len(stages):,} stages to do"]
    parts += [f"{fits:,} fits"] if fits else []
    parts += [f"asks {', '.join(served)}"] if served else []
    return f"{name}: {'; '.join(parts)}"


def run_config(source: str, overrides: list[str], runs: Path, online_tail: int | None = None, *,
               yes: bool = False) -> Path:
    """Performs a config in `runs/<name>`, or the run in a run folder, and returns that folder. Only one process
    may hold a run. `yes`: a stored config that differs may make stale what was paid for.

    `online_tail` goes into the table of every model with the batch backend.
    """
    return _perform(meant_by(source, overrides, runs), source, online_tail, yes=yes)


def run_table(table: dict, where: str, runs: Path) -> Path:
    """The same for a config that a command has written; `where` names the command in errors."""
    config = parse_config(table, where)
    return _perform(Meant(runs / config.name, table, config), where)


def mirrored(config: Config, folder: Path) -> Mirror | None:
    """The run's copy elsewhere, where the config asks for one; a run that is not here is fetched."""
    if config.machine.mirror is None:
        return None
    mirror = Mirror(config.machine.mirror, folder)
    if count := mirror.fetch():
        print(f"{count:,} finished stages fetched from {config.machine.mirror}", file=sys.stderr)
    return mirror


def _perform(meant: Meant, source: str, online_tail: int | None = None, *, yes: bool = False) -> Path:
    for model in meant.table.get("models", {}).values() if online_tail is not None else ():
        if model.get("backend") == "batch":
            model["online_tail"] = online_tail
    meant = meant._replace(config=parse_config(meant.table, source))
    folder, _, config = meant
    pin(config)
    require_one_process()
    # every name, prompt, settings table and file is checked before anything is written, and what they name too
    stages = stages_of(folder, config)
    inspected(config, stages, folder, ask=False)
    try:
        with held(folder):
            from lema.pipeline import pipeline
            from lema.runs.engine import find_engine
            from lema.runs.progress import display
            from lema.runs.progress_file import ProgressFile

            mirror = mirrored(config, folder)
            begin(folder, config)
            keep_config(meant, yes=yes)
            if to_do := heading(config.name, stages):
                print(to_do, file=sys.stderr)
            watching = mirror.watching if mirror else lambda progress: progress
            with display() as progress, closing(ProgressFile(folder, len(stages), progress)) as noted, \
                    closing(find_engine(folder, config, watching(noted))) as engine:
                pipeline(Run(folder, engine, config), config)
            if mirror:
                mirror.keep_rest()
    except KeyboardInterrupt:
        done = len(finished(stages_of(folder, config)))
        raise Stopped(f"stopped; {done:,} finished stages and every reply that arrived are kept in {folder}: "
                      f"`{going_on(folder)}` goes on") from None
    return folder
