"""Any bytes in a run's records, rows, marks and notes are what was written or one line that says what to do.

    python tests/fuzz/records.py --seconds 60
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lema.chains import StepCorrection
from lema.errors import DataError
from lema.records import (
    Account,
    Checkpoint,
    Correction,
    Critique,
    Example,
    Question,
    ReasoningPath,
    from_row,
    to_row,
)
from lema.runs.folder import content_of, damage_of, read_record
from lema.runs.prices import Usage
from lema.runs.run import Stage
from lema.stages.join import imports
from lema.stages.load import load
from lema.statistics.scores import Comparison, Score
from tests.fuzz.mutating import Target, home, main

KINDS = (Question, ReasoningPath, Correction, Critique, Example, Checkpoint, Account, Score, Comparison,
         StepCorrection)
PATH = ReasoningPath(question="q", model="m", text="Step 1: 2\u2028", verdict="wrong", tokens=3)
SEEDS = tuple(map(str.encode, (
    to_row(Question(text="1 + 1?", answer="2", choices=("a", "b"), level=1)), to_row(PATH),
    to_row(Correction(question="q", path=PATH.id, model="m", reply="x", step=1, steps=("a", "b"))),
    to_row(Critique(question="q", path="p", verdict="wrong", model="m", reply="x", said="right", step=2)),
    to_row(Example(kind="cot", source="own", prompt="p", completion="c", question="q", tokens=4)),
    to_row(Checkpoint(name="m", steps=1, examples=2, tokens=3, all_tokens=4, loss=0.5, weights="x")),
    to_row(Account(arm="a", examples=1, questions=1, prompt_tokens=1, tokens=1, teacher_tokens=1,
                   teacher_replies=1, teachers={"m": (1, 2)}, kinds={"cot own": 1}, shared={"b": (1, 1)})),
    to_row(Score(arm="a", seed=1, level=None, questions=3, right=2)),
    json.dumps({"fingerprint": "x", "facts": {"verb": "load", "inputs": {"a": "b"}}, "rows": 1, "bytes": 5,
                "content": "x", "usage": {"m": {"replies": 1, "tokens": 3}}, "seconds": 0.1, "model": ""}),
    json.dumps({"what": "corrections", "models": ["m"], "content": "x", "rows": 3}))))
HOME = home()


def check(data: bytes) -> None:
    """Reads bytes as every file of a run. AssertionError for a broken promise."""
    for kind in KINDS:
        try:
            row = from_row(kind, data, "rows.jsonl:1")
        except DataError as error:
            assert "\n" not in str(error) and str(error).startswith("rows.jsonl:1: "), error
        else:
            again = to_row(row)
            assert again.splitlines() == [again], "one line"
            assert to_row(from_row(kind, again, "x:1")) == again
    stage = Stage(HOME, "questions", load, None)
    stage.folder.mkdir(exist_ok=True)
    (stage.folder / "rows.jsonl").write_bytes(data)
    (stage.folder / "record.json").write_bytes(data)
    _stage_of(stage)
    notes = HOME / "imports/theirs"
    notes.mkdir(parents=True, exist_ok=True)
    for name in ("import.json", "paths.jsonl", "corrections.jsonl"):
        (notes / name).write_bytes(data)
    try:
        (imported,) = imports(HOME)
        assert imported.what in ("corrections", "paths")
    except DataError as error:
        assert "\n" not in str(error) and "remove the folder" in str(error)


def _stage_of(stage: Stage) -> None:
    record = read_record(stage.folder)
    status = stage.status()
    assert status.state in ("missing", "stale", "damaged") and "\n" not in status.why, status
    if record is not None:
        assert isinstance(damage_of(stage.folder, record), str)
        for use in record.get("usage", {}).values():
            Usage.read(use)
    whole = {"fingerprint": stage.fingerprint, "facts": stage.facts, **content_of(stage.folder)}
    (stage.folder / "record.json").write_text(json.dumps(whole))
    assert stage.status().state == "done"
    try:
        for row in stage:
            assert isinstance(row, Question)
    except DataError as error:
        assert "\n" not in str(error) and "remove the folder" in str(error)


TARGET = Target("records", SEEDS, check)

if __name__ == "__main__":
    main(TARGET)
