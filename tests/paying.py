"""A small run whose models are served over HTTP: its questions, its config, and what a server answers.

One design decision: the student is wrong about every second question and the corrector mends it, by plain rules,
so that a test knows how many calls each stage makes and what they cost.
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import NamedTuple

from lema.errors import LemaError
from lema.models.api.wire import PROBE
from tests.server import last_message

QUESTIONS = 12

CONFIG = """
name = "x"
task = {{ name = "rows", train = "questions.jsonl" }}
[models.student]
backend = "{backend}"
model = "small"
base_url = "{url}"
[models.corrector]
backend = "{backend}"
model = "large"
base_url = "{url}"
[sample]
models = ["student"]
paths = 2
max_tokens = 40
[correct]
model = "corrector"
max_tokens = 60
{more}
"""
PRICES = """
[prices.small]
input = 1.0
output = 2.0
[prices.large]
input = 10.0
output = 20.0
"""


def replies(bodies: list[dict]) -> int:
    """How many completions the requests' bodies asked for."""
    return sum(body.get("n") or 1 for body in bodies)


class Done(NamedTuple):
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def lay_out(folder: Path, url: str, more: str = PRICES, backend: str = "api", questions: int = QUESTIONS) -> None:
    """Writes questions.jsonl and x.toml."""
    rows = [json.dumps({"question": f"What is {n} plus {n}?", "answer": str(2 * n)})
            for n in range(1, questions + 1)]
    (folder / "questions.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "x.toml").write_text(CONFIG.format(url=url, more=more, backend=backend))


def answer(body: dict, choice: int) -> str:
    """The student is wrong about odd numbers, in its own words for every seed; the corrector is right."""
    if last_message(body) == PROBE:
        return "Hello."
    number = int(last_message(body).rsplit("What is ", 1)[1].split()[0])
    if body["model"] == "large":
        return (f" Step 1.\nExplanation: Twice {number} was not found.\nCorrect Solution:\n{{\n"
                f"Step 1: {number} + {number} = {2 * number}.\nStep 2: The answer is {2 * number}.\n}}")
    said = 2 * number + number % 2
    return f"Step 1: Twice {number} by way {(body.get('seed', 0) + choice) % 1000}.\nStep 2: The answer is {said}."


def lema(folder: Path, *arguments: str) -> Done:
    """The command line in `folder`, in this process: a test of ten commands need not start Python ten times."""
    from lema.cli import app

    said, errors, code = io.StringIO(), io.StringIO(), 0
    with contextlib.chdir(folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        try:
            app(list(arguments), standalone_mode=False)
        except LemaError as error:
            print(f"lema: {error}", file=sys.stderr)
            code = 2
    return Done(code, said.getvalue(), errors.getvalue())
