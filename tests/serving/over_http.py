"""The same run in process and over HTTP: python -m tests.serving.over_http [--recipe tiny] [--batch-size 64]

Students and teacher of a recipe are first asked in process; then they stand behind `lema serve` and the same run
asks them through the api backend. Compares every reply and every score, and prints how many are the same. Drawn
paths, the teacher's slips and votes included: seed and path index cross the wire as one number.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import tomli_w

from lema.config import load_table
from lema.records import Correction, ReasoningPath, Score, read_rows
from tests.serving.running import served

REPLIES = {"paths/student": ReasoningPath, "paths/early": ReasoningPath, "bought/paths": ReasoningPath,
           "corrections": Correction, "centric/paths/student": ReasoningPath, "general/paths/early": ReasoningPath}


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
    table = load_table(recipe, [f"machine.cache={home / 'cache'}", *overrides])
    alone = {key: table[key] for key in ("task", "models", "machine")}
    lema(home, "grown", alone | {"sample": table["sample"] | {"limit": 1}})
    grown = home / "runs" / "grown" / "students"
    students = [name for name, model in table["models"].items() if "grow" in model]
    config = asked_anywhere(table, {name: grown / name / "model" for name in students})
    lema(home, "here", config)
    with served(*(f"{name}={grown / name}" for name in students), "teacher",
                *(f"--set={name}.batch_size={batch_size}" for name in students),
                *(f"--set=teacher.{key}={value}" for key, value in table["models"]["teacher"].items()
                  if key != "backend"), log=home / "serve.log") as url:
        lema(home, "there", config | {"models": over_http(config["models"], url)})
    kinds = {name: kind for name, kind in REPLIES.items() if (home / "runs/here" / name).is_dir()}
    return {name: agreement(home / "runs", name, kind) for name, kind in (kinds | {"scores": Score}).items()}


def asked_anywhere(table: dict, students: dict[str, Path]) -> dict:
    """The recipe with its students as checkpoints; the base has a name of its own, because it is trained and
    must lie here. The teacher draws where it is asked more than once, so that a seed is sent."""
    base = table["train"]["base"]
    models = table["models"] | {name: {"backend": "transformers", "path": str(path)}
                                for name, path in students.items()}
    models["base"] = models[base]
    arms = {}
    for name, arm in table["arms"].items():
        takes = [take | {"source": "sampled", "models": [base]} if take.get("source") == "own" else take
                 for take in arm["take"]]
        arms[name] = arm | {"take": takes}
    evolve = {name: round_ | {"temperature": 0.7} for name, round_ in table.get("evolve", {}).items()}
    return table | {"models": models, "arms": arms, "evolve": evolve, "train": table["train"] | {"base": "base"}}


def over_http(models: dict, url: str) -> dict:
    """Every model but the base behind the api backend."""
    return {name: table if name == "base" else {"backend": "api", "model": name, "base_url": url}
            for name, table in models.items()}


def lema(home: Path, name: str, table: dict) -> None:
    """Runs a config under a name; what it says is shown where it fails."""
    config = home / f"{name}.toml"
    config.write_text(tomli_w.dumps(json.loads(json.dumps(table)) | {"name": name}))
    command = [sys.executable, "-c", "from lema.cli import main; main()", "run", str(config)]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def agreement(runs: Path, stage: str, kind: type) -> tuple[int, int]:
    """Rows of both runs that say the same, order included."""
    here, there = (list(read_rows(kind, runs / run / stage / "rows.jsonl")) for run in ("here", "there"))
    assert len(here) == len(there), (stage, len(here), len(there))
    return sum(one == other for one, other in zip(here, there, strict=True)), len(here)


if __name__ == "__main__":
    sys.exit(main())
