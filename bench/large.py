"""A run of a million paths, stage by stage and verb by verb: python bench/large.py [SIZE ...]

    python bench/large.py 100000 1000000
    python bench/large.py --keep FOLDER --only show,report 100000

For each size (100,000 and 1,000,000 paths by default, ten to a question, three of them wrong, two tries of
corrections, one evolved round, two arms of three seeds) every stage is performed by the engine as in a run, and
every verb that reads a run is called, each in a process of its own. Prints seconds and peak memory, and how both
grew with the rows. Weights are not made: what trained models would leave is written as rows. With --short there is
one try and no evolved round, and verified corrections and training sets are written as rows too: bench/rows.py
measures how those are made.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE))

from bench.baker import gold_of, numbered, steps_of, text_of  # noqa: E402

PER_QUESTION = 10
CONFIG = """
name = "big"
[task]
name = "rows"
train = "train.jsonl"
test = "test.jsonl"
[models.student]
backend = "bench.baker"
[models.teacher]
backend = "bench.baker"
[sample]
models = ["student"]
paths = 10
[correct]
model = "teacher"
tries = {tries}
[arms.cot]
take = [{{ kind = "cot", source = "sampled", per_question = 1 }}]
[arms.lema]
take = ["cot", {{ kind = "correction", limit = 100_000 }}]
[train]
base = "base"
trainer = "sft"
seeds = [1, 2, 3]
budget = {{ epochs = 1 }}
"""
EVOLVED = """
[evolve.centric]
model = "teacher"
seeds = {seeds}
seed = 7
"""
VERBS = {
    "plan": ("plan", "config.toml"), "show": ("show", "big"), "show --json": ("show", "big", "--json"),
    "show ID": ("show", "big", "ID"),
    "export": ("export", "big", "--out", "exported"),
    "regrade": ("regrade", "big"), "score paths": ("score", "runs/big/paths/student"),
    "score rows": ("score", "replies.jsonl", "--task", "number", "--out", "scored.jsonl"),
    "import": ("import", "other.toml", "runs/big/verified/rows.jsonl", "--as", "corrections"),
    "import paths": ("import", "other.toml", "runs/big/paths/student/rows.jsonl", "--as", "paths"),
    "why": ("why", "big", "corrections", "--set", "correct.max_tokens=999"),
    "journal stats": ("journal", "stats", "big"),
    "estimate": ("estimate", "config.toml", "--prompt-tokens", "100", "--tokens", "50"),
}


def lay_out(folder: Path, paths: int, short: bool) -> None:
    """Question files, the config, a base whose tokenizer counts, and a file of replies to be scored."""
    from tests.toys import model

    asked = paths // PER_QUESTION
    for name, numbers in (("train", range(asked)), ("test", range(asked, asked + max(10, asked // 20)))):
        with (folder / f"{name}.jsonl").open("w") as out:
            for number in numbers:
                text = text_of(number)
                out.write(json.dumps({"question": text, "answer": str(gold_of(text))}) + "\n")
    with (folder / "replies.jsonl").open("w") as out:
        for number in range(paths):
            text = text_of(number)
            out.write(json.dumps({"text": numbered(steps_of(text, 0, bool(number % 2))),
                                  "gold": str(gold_of(text))}) + "\n")
    made = CONFIG.format(tries=1 if short else 2) + ("" if short else EVOLVED.format(seeds=max(10, asked // 10)))
    (folder / "runs" / "big").mkdir(parents=True)
    for place in (folder, folder / "runs" / "big"):
        (place / "config.toml").write_text(made)
    (folder / "other.toml").write_text(made.replace('name = "big"', 'name = "other"'))
    model(folder / "base")


def stages(folder: Path) -> dict:
    from lema.commands.run_folder import stages_of
    from lema.config import load_config

    return stages_of(folder / "runs" / "big", load_config(str(folder / "config.toml"), []))


def perform(folder: Path, name: str) -> None:
    """One stage, as the engine performs it, or the rows that it would leave."""
    from lema.config import load_config
    from lema.journal import Journal
    from lema.records import write_rows
    from lema.runs.engine import perform

    os.chdir(folder)
    stage, config = stages(folder)[name], load_config("config.toml", [])
    if name.startswith(("models/", "answers/") if config.evolve else ("models/", "answers/", "verified", "sets/")):
        stage.part.mkdir(parents=True, exist_ok=True)
        rows = write_rows(stage.part / "rows.jsonl", _left(stage))
        stage.finish({"rows": rows, "seconds": 0.0, "usage": {}})
        return
    with Journal(stage.run / "journal.sqlite") as journal:
        perform(stage, config, lambda news: None, journal)


def _left(stage) -> Iterator:
    """What training, examining, verifying or assembling would leave."""
    from lema.records import Checkpoint, Example

    name = stage.name.rpartition("/")[2]
    if stage.name.startswith("models/"):
        yield Checkpoint(name=name, steps=1, examples=1, tokens=1, all_tokens=1, loss=0.1, weights=name)
    elif name == "verified":
        yield from (replace(row, verified=True, answer="1") for row in stage.sources[2])
    elif stage.name.startswith("sets/"):
        counts = {"prompt_tokens": 150, "tokens": 90, "prompt": text_of(1)}
        for path in stage.sources[1]:
            if path.verdict == "right" and path.index == 0:
                yield Example(kind="cot", source="sampled", completion=path.text, question=path.question,
                              parent=path.id, **counts)
        for row in stage.sources[2] if name == "lema" else ():
            yield Example(kind="correction", source="corrections", completion=row.reply, question=row.question,
                          parent=row.id, **counts)
    else:
        yield from _answers(stage, name)


def _answers(stage, name: str) -> Iterator:
    """Of a model with that name to every test question."""
    from lema.records import ReasoningPath

    for number, question in enumerate(stage.sources[0]):
        if question.split == "test":
            wrong = (number + len(name) * ("lema" in name)) % 3 == 0
            yield ReasoningPath(question=question.id, model=name, tokens=90,
                                text=numbered(steps_of(question.text, number % 7, wrong)))


def measured(folder: Path, command: Sequence[str], said: Path) -> tuple[float, float, float]:
    """(seconds, processor seconds, peak MB) of a process of its own, started small."""
    started = time.perf_counter()
    with said.open("w") as out:
        child = os.posix_spawn(sys.executable, [sys.executable, *command], os.environ | {
            "PYTHONPATH": f"{HERE / 'src'}:{HERE}", "HOME": str(folder)}, file_actions=[
                (os.POSIX_SPAWN_DUP2, out.fileno(), 1)])
        _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)}: status {status}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def one_size(folder: Path, paths: int, only: Sequence[str], short: bool) -> dict[str, tuple[float, float, float]]:
    """Every stage that is not there yet, then every verb."""
    if not (folder / "config.toml").exists():
        command = [__file__, "--lay-out", str(paths), "short" if short else "", str(folder)]
        measured(folder, command, folder / "said")
    found = {}
    measured(folder, [__file__, "--stages", "", str(folder)], folder / "said")
    for name in (folder / "said").read_text().split():
        if not (folder / "runs" / "big" / name).exists() and (not only or any(one in name for one in only)):
            found[name] = measured(folder, [__file__, "--stage", name, str(folder)], folder / "said")
            _tell(paths, name, found[name])
    run = folder / "runs" / "big"
    with contextlib.chdir(folder):
        for name, command in VERBS.items():
            if only and name not in only:
                continue
            with (run / "verified" / "rows.jsonl").open() as rows:
                identifier = json.loads(next(rows))["id"]
            command = [identifier if part == "ID" else part for part in command]
            if name.startswith("import"):
                command += ["--name", f"n{time.time_ns()}"]
            if name in ("export", "score rows"):
                command = [f"{part}-{time.time_ns()}" if part in ("exported", "scored.jsonl") else part
                           for part in command]
            found[name] = measured(folder, ["-c", "from lema.cli import main; main()", *command],
                                   folder / f"said {name}")
            _tell(paths, name, found[name])
    return found


def _tell(paths: int, name: str, found: tuple[float, float, float]) -> None:
    seconds, busy, peak = found
    print(f"{paths:>9,} paths  {name:26} {seconds:>7.1f} s, processor {busy:>7.1f} s ({paths / busy:>9,.0f} "
          f"paths/s), peak {peak:>6,.0f} MB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--keep", type=Path, help="keep (and go on with) the folders there")
    parser.add_argument("--short", action="store_true", help="fewer stages are performed")
    parser.add_argument("--only", default="", help="these verbs, and stages whose names hold these")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    only, every = [one for one in given.only.split(",") if one], []
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", ".")) as home:
        for size in given.sizes:
            folder = (given.keep or Path(home)).resolve() / str(size)
            folder.mkdir(parents=True, exist_ok=True)
            every.append(one_size(folder, size, only, given.short))
    first, last, times = every[0], every[-1], given.sizes[-1] / given.sizes[0]
    for name in first if len(every) > 1 else ():
        print(f"{name:26} {times:.0f} times the paths: {last[name][1] / first[name][1]:.2f} times the processor's "
              f"time, peak memory {first[name][2]:,.0f} → {last[name][2]:,.0f} MB", flush=True)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--lay-out", paths, short, folder]:
            lay_out(Path(folder), int(paths), bool(short))
        case ["--stages", _, folder]:
            os.chdir(folder)
            print(*stages(Path(folder)), sep="\n")
        case ["--stage", name, folder]:
            perform(Path(folder), name)
        case _:
            main()
