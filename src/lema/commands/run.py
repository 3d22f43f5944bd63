"""`lema run`: a config performed in its run folder by the pipeline.

One design decision: everything that a config names is checked before the folder is touched; what is performed is
the pipeline itself, with an engine that works.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from lema.commands.check import WRONG, inspected
from lema.commands.estimate import ESTIMATE, is_here, requests_of, rows_of
from lema.commands.run_folder import Meant, finished, going_on, meant_by, stages_of
from lema.commands.stored_config import keep_config
from lema.config import Config, parse_config
from lema.errors import ConfigError, Stopped
from lema.figures import money
from lema.records import Question, content_id
from lema.runs.beginnings import begin
from lema.runs.folder import held
from lema.runs.mirror import Mirror
from lema.runs.prices import price_of
from lema.runs.processor import pin
from lema.runs.run import Run, Stage
from lema.runs.workload import workload
from lema.stages.train import train
from lema.training import require_one_process


def heading(config: Config, stages: dict[str, Stage]) -> list[str]:
    """What will be done, before anything is: stages, questions, requests, fits, and what is estimated of their
    cost; nothing where nothing is to do."""
    to_do = [stage for stage in stages.values() if stage.status().state != "done"]
    if not to_do:
        return []
    parts = [f"{len(to_do):,} of {len(stages):,} stages to do", *counts_of(config, to_do)]
    fits = sum(stage.verb is train for stage in to_do)
    parts += [f"{fits:,} fits"] if fits else []
    served = served_by(to_do)
    lines = [f"{config.name}: {'; '.join(parts)}"]
    paid = [name for name in served if not is_here(price_of(config, name))]
    if paid:
        budget = f"; the budget is {_budget(config)}" if config.budget is not None else "; there is no [budget]"
        lines.append(f"  asks {', '.join(served)}; {estimated(next(iter(stages.values())).run, config)}{budget}")
    elif served:
        lines.append(f"  asks {', '.join(served)}, on this machine")
    return lines


def served_by(stages: Iterable[Stage]) -> list[str]:
    """The models of the config that these stages ask; what is trained in the run is none."""
    served: dict[str, None] = {}
    for stage in stages:
        for model, given in stage.models.items():
            if workload(stage) and not isinstance(given, Stage):
                served[model] = None
    return list(served)


def counts_of(config: Config, to_do: Sequence[Stage]) -> Iterator[str]:
    """Questions, and requests about them; nothing of questions that would have to be fetched to be counted."""
    asking = [stage for stage in to_do if workload(stage)]
    rows: dict[str, list[Question]] = {}
    for test_set in {stage.test_set for stage in asking}:
        if config.on(test_set).task.own.get("dataset"):
            return
        rows[test_set] = rows_of(config.on(test_set))
    yield f"{sum(map(len, rows.values())):,} questions"
    count = most = 0.0
    for stage in asking:
        likely, limit = requests_of(stage, rows[stage.test_set], WRONG)
        count, most = count + likely, most + limit
    yield f"{count:,.0f} requests" if count == most else f"about {count:,.0f} requests, at most {most:,.0f}"


def estimated(folder: Path, config: Config) -> str:
    """What `lema estimate` said last of this config."""
    try:
        noted = json.loads((folder / ESTIMATE).read_text(encoding="utf-8"))
        if noted["config"] == content_id(config.model_dump(mode="json")):
            return f"estimate: {noted['words']}"
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return "no estimate yet (`lema estimate`)"


def _budget(config: Config) -> str:
    budget = config.budget
    return money(budget.money) if budget.money is not None else f"{budget.tokens:,} tokens"


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


def _set_tail(models: dict[str, dict], online_tail: int) -> None:
    """ConfigError where no model asks in batches, so that there is no tail."""
    batched = list(filter(lambda model: model.get("backend") == "batch", models.values()))
    if not batched:
        raise ConfigError("--online-tail: no model has backend = \"batch\", whose last requests it is about; "
                          "leave it out")
    for model in batched:
        model["online_tail"] = online_tail


def _perform(meant: Meant, source: str, online_tail: int | None = None, *, yes: bool = False) -> Path:
    if online_tail is not None:
        _set_tail(meant.table.get("models", {}), online_tail)
    meant = meant._replace(config=parse_config(meant.table, source))
    folder, _, config = meant
    pin(config)
    require_one_process()
    # every name, prompt, settings table and file is checked before anything is written, and what they name too
    stages = stages_of(folder, config)
    inspected(config, stages, folder, ask=False)
    try:
        with held(folder):
            from lema.commands.so_far import reported
            from lema.pipeline import pipeline
            from lema.runs.engine import find_engine
            from lema.runs.progress import display
            from lema.runs.progress_file import ProgressFile
            from lema.runs.standing import Standing

            mirror = mirrored(config, folder)
            begin(folder, config)
            keep_config(meant, yes=yes)
            for line in heading(config, stages):
                print(line, file=sys.stderr)
            watching = mirror.watching if mirror else lambda progress: progress
            with display() as progress, closing(ProgressFile(
                    folder, len(stages), progress, Standing(stages, config), progress.every)) as noted, \
                    reported(folder, config), closing(find_engine(folder, config, watching(noted))) as engine:
                pipeline(Run(folder, engine, config), config)
            if mirror:
                mirror.keep_rest()
    except KeyboardInterrupt:
        done = len(finished(stages_of(folder, config)))
        raise Stopped(f"stopped; {done:,} finished stages and every reply that arrived are kept in {folder}: "
                      f"`{going_on(folder)}` goes on") from None
    return folder
