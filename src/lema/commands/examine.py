"""`lema examine`: checkpoints that were trained anywhere, on test sets, as a run of its own.

One design decision: an examination is a run whose config has test sets and no arms, so that it is resumed, shown,
compared and exported like any other; this command only writes that config.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from lema.commands.run_folder import folder_of
from lema.config import lay_over, load_config, load_table
from lema.errors import ConfigError
from lema.plugins import shipped

WORD = re.compile(r"[^A-Za-z0-9_.-]+")
EVALUATE = ("limit", "temperature", "top_p", "max_tokens", "stop", "seed", "paths", "average", "backend",
            "serving")
"""What of an [evaluate] table holds for other models too."""
OURS = ("task", "split", "limit", "out_of_distribution")  # keys of a set; the others are its task's


def examine_models(models: Sequence[str], on: Sequence[str], name: str | None, overrides: list[str],
                   runs: Path) -> Path:
    """Examines `models` (NAME=FOLDER, FOLDER or a hub id) `on` test sets (TASK=FILE, NAME:TASK=FILE, or a CONFIG
    or run whose sets are taken), and returns the run's folder."""
    from lema.commands.run import run_table

    named = dict(map(_named_model, models))
    if len(named) < len(models):
        raise ConfigError("examine: two models have the same name; give one as NAME=FOLDER")
    evaluate, sets = _test_sets(on, runs)
    first = next(iter(sets.values()))
    table = {
        "name": name or f"examined-{'-'.join(named)}"[:80],
        "task": {"name": first["task"], **_own(first)},
        "models": {key: {"backend": "transformers", "path": path} for key, path in named.items()},
        "evaluate": {**evaluate, "models": list(named), "sets": sets}}
    for override in overrides:
        lay_over(table, override)
    return run_table(table, "lema examine", runs)


def _named_model(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if equals and name:
        return name, path
    path = text.rstrip("/")
    last = Path(path).name if Path(path).name != "model" else Path(path).parent.name  # runs/x/models/lema-1/model
    return WORD.sub("-", last).strip("-.") or "model", path


def _test_sets(on: Sequence[str], runs: Path) -> tuple[dict, dict[str, dict]]:
    """The [evaluate] table that they bring, and the sets by name."""
    evaluate: dict = {}
    sets: dict[str, dict] = {}
    for each in on:
        left, equals, file = each.partition("=")
        if equals:
            name, colon, task = left.rpartition(":")
            more = {name if colon else task: {"task": task, "test": file}}
        else:
            brought, more = _of_config(each, runs)
            evaluate |= brought
        for name, table in more.items():
            if name in sets:
                raise ConfigError(f"--on: two test sets are called {name!r}; give one another name, as "
                                  f"NAME:{table['task']}=FILE")
            sets[name] = table
    if not sets:
        raise ConfigError(f"--on: say on which questions, as TASK=FILE (tasks: {', '.join(shipped('tasks'))}), or "
                          "name a config or run")
    return evaluate, sets


def _of_config(source: str, runs: Path) -> tuple[dict, dict[str, dict]]:
    """The test questions of a config's own task, and its further sets; how it examines."""
    folder = folder_of(source, runs)
    source = str(folder) if (folder / "config.toml").is_file() else source
    config, table = load_config(source), load_table(source)
    evaluate = table.get("evaluate", {})
    sets = {config.task.name: {"task": config.task.name, **config.task.own}}
    if evaluate.get("split") == "dev":
        sets[config.task.name]["split"] = "dev"
    return {key: evaluate[key] for key in EVALUATE if key in evaluate}, sets | evaluate.get("sets", {})


def _own(table: dict) -> dict:
    """The keys of a set that belong to its task."""
    return {key: value for key, value in table.items() if key not in OURS}
