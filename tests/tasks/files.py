"""Question files for tests of tasks."""

import json
from pathlib import Path

from lema.records import Question
from lema.tasks import find_task


def write(folder: Path, rows: list, name: str = "train.jsonl") -> str:
    """The rows as JSON lines; a row that is text stands as it is."""
    path = folder / name
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n", "utf-8")
    return str(path)


def questions(name: str, path: str, split: str = "train", **table: object) -> list[Question]:
    """The questions that a task makes of a file."""
    return list(find_task(name, {split: path, **table}).questions(split))
