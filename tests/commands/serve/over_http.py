"""The same run in process and over HTTP: python -m tests.commands.serve.over_http [--batch-size 64]

Students and teacher of a recipe are first asked in process; then they stand behind `lema serve` and the same run
asks them through the api backend. Compares every reply and every score, and prints how many are the same. Drawn
paths, the teacher's slips and votes included: seed and path index cross the wire as one number.
"""

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import tomli_w

from lema.chains import StepCorrection
from lema.commands.run import run_config
from lema.config import load_table
from lema.records import Correction, Critique, ReasoningPath, read_rows
from lema.statistics.scores import Score
from tests.commands.serve.running import served

REPLIES = {"paths/student": ReasoningPath, "paths/early": ReasoningPath, "bought/paths": ReasoningPath,
           "corrections": Correction, "continued": StepCorrection, "critiques/right": Critique,
           "critiques/wrong": Critique, "centric/paths/student": ReasoningPath,
           "general/paths/early": ReasoningPath}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--recipe", default="tiny")
    arguments.add_argument("--batch-size", type=int, default=64, help="of the server")
    told = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compared(told.recipe, Path(folder), [], told.batch_size)
    for name, (same, of) in found.items():
        print(f"{name}: {same} of {of} the same")
    return 0 if found["scores"][0] == found["scores"][1] else 1


def compared(recipe: str, home: Path, overrides: list[str], batch_size: int = 64) -> dict[str, tuple[int, int]]:
    """How many rows of both runs say the same, by stage, and of how many; "scores" are the scores."""
    table = alike(load_table(recipe, [f"machine.cache={home / 'cache'}", *overrides]))
    here = run(home, "here", table)
    students = {name: here / "students" / name for name, model in table["models"].items() if "grow" in model}
    with served(*(f"{name}={folder}" for name, folder in students.items()), "teacher",
                *(f"--set={name}.batch_size={batch_size}" for name in students),
                *(f"--set=teacher.{key}={value}" for key, value in table["models"]["teacher"].items()
                  if key != "backend"), log=home / "serve.log") as url:
        there = run(home, "there", over_http(table, students, url))
    kinds = {name: kind for name, kind in REPLIES.items() if (here / name).is_dir()} | {"scores": Score}
    return {name: agreement(here / name, there / name, kind) for name, kind in kinds.items()}


def alike(table: dict) -> dict:
    """The recipe as both runs can do it: arms name the student whose paths they take, because over HTTP it is
    not the base; and the teacher draws where it is asked more than once, so that a seed is sent."""
    base = table["train"]["base"]
    arms = {}
    for name, arm in table["arms"].items():
        takes = [take | {"source": "sampled", "models": [base]} if take.get("source") == "own" else take
                 for take in arm["take"]]
        arms[name] = arm | {"take": takes}
    evolve = {name: round_ | {"temperature": 0.7} for name, round_ in table.get("evolve", {}).items()}
    return table | {"arms": arms, "evolve": evolve}


def over_http(table: dict, students: dict[str, Path], url: str) -> dict:
    """The same with every model behind the api backend, but for the base, which is trained and must lie here."""
    base = students[table["train"]["base"]] / "model"
    models = {name: {"backend": "api", "model": name, "base_url": url, "prefill": "vllm"}
              for name in table["models"]}
    return table | {"models": models | {"base": {"backend": "transformers", "path": str(base)}},
                    "train": table["train"] | {"base": "base"}}


def run(home: Path, name: str, table: dict) -> Path:
    """The folder of a run of this config under a name."""
    config = home / f"{name}.toml"
    config.write_text(tomli_w.dumps(table | {"name": name}))
    return run_config(str(config), [], home / "runs")


def agreement(here: Path, there: Path, kind: type) -> tuple[int, int]:
    """Rows of both stages that say the same, order included, and how many there are."""
    here, there = (list(read_rows(kind, folder / "rows.jsonl")) for folder in (here, there))
    same = sum(_said(row) == _said(other) for row, other in zip(here, there, strict=False))
    return same, max(len(here), len(there))


def _said(row: object) -> object:
    """The row without what each path cost: over HTTP those that are asked together share one reply's tokens."""
    if not isinstance(row, StepCorrection):
        return row
    continuations = tuple(replace(each, prompt_tokens=0, tokens=0) for each in row.continuations)
    return replace(row, continuations=continuations, student_prompt_tokens=0)


if __name__ == "__main__":
    sys.exit(main())
