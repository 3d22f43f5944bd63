"""`lema init`: a commented config for a task, ready to be filled in.

One design decision: there is one starter for all tasks, and what differs between them is its [task] table, so
that every key is explained in one place and a test can load what every task's starter becomes.
"""

from pathlib import Path

from lema.errors import ConfigError, RunError
from lema.seams import near_miss, shipped

STARTER = Path(__file__).parents[1] / "recipes" / "starter.toml.j2"


def write_config(task: str, out: Path) -> str:
    """Writes the starter for `task` to `out` and returns what to do next. Nothing is ever overwritten."""
    if task not in shipped("tasks"):
        raise ConfigError(f"no task {task!r}{near_miss(task, shipped('tasks'))}; `lema list` shows all")
    if out.exists():
        raise ConfigError(f"{out}: already there; give another file with --out, or move it away")
    try:
        out.write_text(starter(task, out.stem), encoding="utf-8")
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror}); give another file with --out") from None
    return f"{out}: written; fill in what it asks for, then\n\n  lema plan {out}\n  lema run {out}"


def starter(task: str, name: str) -> str:
    """The starter's text for one task."""
    from jinja2 import Environment, StrictUndefined

    template = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False,
                           keep_trailing_newline=True).from_string(STARTER.read_text(encoding="utf-8"))
    return template.render(task=task, name=name)
