"""`lema list`: the tasks, model backends, trainers, kinds of examples, arms and recipes that lema ships.

One design decision: each is told by the first line of its own file, read without importing it, so that the list
answers at once and cannot fall behind.
"""

import ast
import json
from pathlib import Path

from lema.config import find_recipe, recipes
from lema.config.ready_arms import ready_arm, ready_arms
from lema.plugins import shipped

ROOMS = {"tasks": "tasks", "backends": "models", "trainers": "training", "kinds of examples": "examples"}


def shipped_list(*, as_json: bool) -> str:
    """What lema ships, by room, with the first sentence of each module."""
    rooms = {}
    for title, room in ROOMS.items():
        rooms[title] = {name: _first_sentence(room, name) for name in shipped(room)}
    rooms["arms"] = {name: ready_arm(name)["about"] for name in ready_arms()}
    rooms["recipes"] = {name: _first_comment(name) for name in recipes()}
    if as_json:
        return json.dumps(rooms, indent=1, ensure_ascii=False)
    lines = []
    for title, sentences in rooms.items():
        lines += ["", title]
        for name, sentence in sentences.items():
            lines.append(f"  {name:19} {sentence}".rstrip())
    return "\n".join(lines[1:])


def _first_sentence(room: str, name: str) -> str:
    """The first line of a module's docstring, read without importing it."""
    root = Path(__file__).parents[1] / room
    path = root / f"{name}.py" if (root / f"{name}.py").is_file() else root / name / "__init__.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n", 1)[0]


def _first_comment(recipe: str) -> str:
    return find_recipe(recipe).read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")
