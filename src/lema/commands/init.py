"""`lema init`: a commented config for a task, or a shipped recipe, ready to be filled in.

One design decision: there is one starter for all tasks, and what differs between them is its [task] table, so
that every key is explained in one place and a test can load what every task's starter becomes.
"""

import re
from pathlib import Path

from lema.config import RECIPES, recipes
from lema.errors import ConfigError, RunError
from lema.plugins import near_miss, shipped

STARTER = Path(__file__).parents[1] / "recipes" / "starter.toml.j2"


def write_config(task: str, out: Path) -> str:
    """Writes the starter for `task` to `out` and returns what to do next. Nothing is ever overwritten."""
    if task not in shipped("tasks"):
        raise ConfigError(f"no task {task!r}{near_miss(task, shipped('tasks'))}; `lema list` shows all")
    return _written(starter(task, out.stem), out)


def write_recipe(recipe: str, out: Path) -> str:
    """The same with a shipped recipe; its run is named after the file."""
    if recipe not in recipes():
        raise ConfigError(f"no recipe {recipe!r}{near_miss(recipe, recipes())}; `lema list` shows all")
    text = (RECIPES / f"{recipe}.toml").read_text(encoding="utf-8")
    return _written(re.sub(r'(?m)^name = ".*"$', f'name = "{out.stem}"', text, count=1).replace(
        f"lema estimate {recipe}; lema run {recipe}", f"lema estimate {out}; lema run {out}"), out)


def _written(text: str, out: Path) -> str:
    if out.exists():
        raise ConfigError(f"{out}: already there; give another file with --out, or move it away")
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror}); give another file with --out") from None
    return f"{out}: written; fill in what it asks for, then\n\n  lema check {out}\n  lema run {out}"


def starter(task: str, name: str) -> str:
    """The starter's text for one task."""
    from jinja2 import Environment, StrictUndefined

    template = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False,
                           keep_trailing_newline=True).from_string(STARTER.read_text(encoding="utf-8"))
    return template.render(task=task, name=name)
