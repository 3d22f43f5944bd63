"""A run of many questions through the api backend, as a user starts it, for the tests of what can go wrong.

One design decision: the config is a user's: task rows, one model behind an endpoint; everything runs in processes
of its own, which may be killed.
"""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.processes import LEMA, ended
from tests.server import last_message

CONFIG = """
name = "faulty"
[task]
name = "rows"
train = "questions.jsonl"
answers = "number"
[models.student]
backend = "api"
model = "m"
base_url = "{url}"
[sample]
models = ["student"]
paths = {paths}
temperature = 1.0
max_tokens = 100
"""


def write_run(folder: Path, url: str, questions: int, paths: int = 1, model: str = "") -> None:
    """A config, `lema.toml`, and its questions. `model`: more lines for the model's table."""
    rows = [{"question": f"What is {i} plus {i}?", "answer": str(2 * i)} for i in range(questions)]
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = CONFIG.format(url=url, paths=paths)
    (folder / "lema.toml").write_text(config.replace("[sample]", f"{model}\n[sample]"))


def answer(body: dict, choice: int) -> str:
    """A reply that shows which question it answers and which path it is."""
    number = last_message(body).rpartition("What is ")[2].split(" ", 1)[0]
    if not number.isdigit():
        return "I can add numbers."
    drawn = body["seed"] + choice
    return f"Step 1: {number} and {number}, drawn from {drawn}.\nStep 2: The answer is {2 * int(number)}."


def command(*arguments: str) -> list[str]:
    """`lema` with these arguments, as this Python runs it."""
    return [*LEMA, *arguments]


def lema(folder: Path, *arguments: str, **how) -> subprocess.CompletedProcess:
    """Runs `lema` in a folder to its end."""
    return ended(command(*arguments), cwd=folder, **how)


def paths_of(folder: Path) -> list[dict]:
    """The rows of the run's paths."""
    file = folder / "runs/faulty/paths/student/rows.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def wrong_rows(folder: Path, questions: int, paths: int) -> Sequence[str]:
    """What is missing, double or mixed up in the run's paths; nothing where all is well."""
    ids = {}
    for line in (folder / "runs/faulty/questions/rows.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        ids[row["id"]] = row["text"].split()[2]
    found = [(ids[row["question"]], row["index"]) for row in paths_of(folder)]
    wrong = [f"{question} path {index}: missing" for question in set(ids.values()) for index in range(paths)
             if (question, index) not in set(found)]
    wrong += [f"{len(found)} rows for {questions * paths}"] if len(found) != questions * paths else []
    for row in paths_of(folder):
        number = ids[row["question"]]
        if not row["finish"].startswith("error") and not row["text"].startswith(f"Step 1: {number} and {number},"):
            wrong.append(f"{number} path {row['index']}: has another row's text")
    texts = [row["text"] for row in paths_of(folder) if not row["finish"].startswith("error")]
    return wrong + (["two paths have one text"] if len(set(texts)) != len(texts) else [])
