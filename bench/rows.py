"""Paths through grade, verify and assemble: python bench/rows.py [SIZE ...]

For each size (100,000 and 1,000,000 paths by default, ten to a question, half of them wrong and each of those
corrected) the three stages run over row files as in a run, in a process of their own; prints rows per second and
peak memory of each, and how both grew with the rows. The limit is 1.5 GB.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from baker import numbered, solved

from lema.config import AssembleConfig, VerifyConfig, parse_config
from lema.examples.take import Take
from lema.journal import Journal
from lema.records import Correction, Question, ReasoningPath, write_rows
from lema.runs.context import StageContext
from lema.runs.run import Stage
from lema.stages.assemble import assemble
from lema.stages.correct import correct
from lema.stages.grade import grade
from lema.stages.load import load
from lema.stages.sample import sample
from lema.stages.verify import verify

LIMIT = 1_500  # MB
PER_QUESTION = 10
CONFIG = {"name": "rows", "task": {"name": "gsm8k", "train": "unread.jsonl"},
          "models": {"teacher": {"backend": "teacher"}}, "sample": {"models": ["teacher"]}}


def questions(paths: int) -> Iterator[Question]:
    for number in range(paths // PER_QUESTION):
        a, b = number, number % 97 + 2
        yield Question(
            text=f"A baker bakes {a} loaves on Monday and {b} times as many on Tuesday. On Wednesday 12 of them "
                 f"are given away and the rest is sold for 3 coins each. How many coins does that bring?",
            answer=str((a + a * b - 12) * 3))


def paths(every: int) -> Iterator[ReasoningPath]:
    for number, question in enumerate(questions(every)):
        for index in range(PER_QUESTION):
            yield ReasoningPath(question=question.id, model="student", index=index, tokens=90,
                                text=numbered(_steps(number, index, index % 2)))


def corrections(every: int) -> Iterator[Correction]:
    for number, path in enumerate(paths(every)):
        if path.index % 2:
            steps = _steps(number // PER_QUESTION, path.index, 0)[1:]
            yield Correction(question=path.question, path=path.id, model="teacher", step=2, steps=tuple(steps),
                             explanation="The loaves of both days count, so they must be added.", tokens=60,
                             reply="as above " * 20)


def _steps(number: int, index: int, wrong: int) -> list[str]:
    return solved(number, number % 97 + 2, index, bool(wrong))


def _stage(folder: Path, name: str, verb, rows: Iterator | None = None) -> Stage:
    stage = Stage(folder, name, verb, None)
    stage.folder.mkdir()
    if rows is not None:
        write_rows(stage.folder / "rows.jsonl", rows)
    return stage


def one_size(every: int, folder: Path) -> None:
    """Runs the stages; one JSON line with (rows, seconds, MB) of each, the memory being the process's peak so
    far."""
    asked = _stage(folder, "questions", load, questions(every))
    sampled = _stage(folder, "paths", sample, paths(every))
    replies = _stage(folder, "corrections", correct, corrections(every))
    graded, verified = _stage(folder, "graded", grade), _stage(folder, "verified", verify)
    made = _stage(folder, "set", assemble)
    arm = AssembleConfig(arm="lema", base=None, rounds=("",),
                         take=(Take(kind="cot", source="sampled", per_question=4), Take(kind="correction")))
    todo = ((graded, None, (asked, (sampled,))), (verified, VerifyConfig(), (asked, graded, replies)),
            (made, arm, ((), (asked, graded, verified))))
    found = {}
    for stage, settings, inputs in todo:
        context = StageContext(stage, parse_config(CONFIG, "rows"), lambda news: None,
                      Journal(folder / "journal.sqlite"), stage.folder)
        started = time.perf_counter()
        rows = write_rows(stage.folder / "rows.jsonl", stage.verb(context, settings, *inputs))
        found[stage.verb.__name__] = (rows, time.perf_counter() - started,
                                      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(found))


def main() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sizes = [int(size) for size in sys.argv[1:]] or [100_000, 1_000_000]
    measured = []
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", ".")) as folder:
            done = subprocess.run([sys.executable, __file__, "--one", str(size), folder], check=True,
                                  capture_output=True, text=True)
        measured.append(json.loads(done.stdout))
        for verb, (rows, seconds, peak) in measured[-1].items():
            print(f"{size:>9,} paths  {verb:8} {rows:>9,} rows  {size / seconds:>7,.0f} paths/s  "
                  f"peak {peak:>5,.0f} MB", flush=True)
    first, last = measured[0], measured[-1]
    for verb in first:
        per_path = [each[verb][1] / size for each, size in ((first, sizes[0]), (last, sizes[-1]))]
        print(f"{verb:8} from {sizes[0]:,} to {sizes[-1]:,} paths: time per path "
              f"{per_path[1] / per_path[0]:.2f} times, peak memory {last[verb][2] / first[verb][2]:.2f} times, "
              f"{last[verb][2] / LIMIT:.2f} of the limit of {LIMIT:,} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one_size(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
