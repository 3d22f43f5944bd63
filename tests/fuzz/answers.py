"""Any bytes in a file of answers, of questions or of what others made are rows, or one line that says what to do.

    python tests/fuzz/answers.py --seconds 60
"""

import contextlib
import gzip
import json
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lema.commands.compare import compare_sources
from lema.commands.import_.forms import ImportColumns, read_foreign
from lema.commands.score import score_file
from lema.commands.score.predictions import PredictionOptions
from lema.errors import LemaError
from lema.records import Question
from lema.tasks import find_task
from tests.fuzz.mutating import Target, home, main

INSPECT = {"version": 2, "eval": {"model": "m"}, "samples": [
    {"id": 1, "epoch": 1, "input": [{"role": "user", "content": [{"type": "text", "text": "1 + 1?"}]}],
     "target": ["2"], "output": {"choices": [{"message": {"content": "It is 2."}}]},
     "scores": {"match": {"value": "C"}}}]}
LM_EVAL = {"doc_id": 0, "doc": {"question": "1 + 1?"}, "target": "2", "resps": [["It is 2."]], "filter": "strict",
           "metrics": ["exact_match"], "exact_match": 1.0}
ROWS = ({"question": "1 + 1?", "text": "It is 2.", "gold": "2", "verdict": "right"},
        {"question": "1 + 1?", "answer": "2", "solution": "Step 1: 1 + 1 = 2.", "id": "a"},
        {"prompt": "Question: 1 + 1?\nAnswer:", "completion": "The answer is 2."},
        {"question": "1 + 1?", "path": "Step 1: It is 3.", "reply": "Step 1", "correction": "c", "model": "m"},
        {"question": "1 + 1?", "model": "m", "text": "It is 2.", "index": 0, "sampling": "x", "verdict": "right"},
        {"samples": ["It is 2.", "It is 3."]},
        {"messages": [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": "2"}]},
        {"conversations": [{"from": "human", "value": "1 + 1?"}, {"from": "gpt", "value": "2"}]})
SEEDS = (json.dumps(INSPECT).encode(), (json.dumps(LM_EVAL) + "\n").encode() * 2,
         *((json.dumps(row) + "\n").encode() for row in ROWS), b"question,text,gold\n1 + 1?,It is 2.,2\n")
PIECES = tuple(json.dumps(name).encode() + b": " for name in (
    "samples", "scores", "value", "input", "target", "output", "choices", "message", "content", "eval", "doc",
    "resps", "metrics", "exact_match", "filter", "id", "verdict", "gold", "messages", "role", "from"))
FOLDER = home()
OPTIONS = PredictionOptions(task="number")


def check(data: bytes) -> None:
    """Reads bytes in every form that such a file may have. AssertionError for a broken promise."""
    for name in ("x.json", "x.jsonl", "x.csv", "x.jsonl.gz", "x.eval", "packed.eval", "x.parquet"):
        file = FOLDER / name
        _write(file, data)
        for task in (None, "number"):
            with _one_line():
                json.loads(compare_sources([f"a={file}", f"b={file}"], FOLDER, task, as_json=True))
                compare_sources([f"a={file}", f"b={file}"], FOLDER, task, as_json=False)
        for options in (OPTIONS, OPTIONS._replace(beside=file), PredictionOptions()):
            with _one_line():
                json.loads(score_file(file, options, as_json=True))
        for what in ("paths", "corrections"):
            for columns in (None, ImportColumns(correction="correction")):
                with _one_line():
                    for row in read_foreign(file, what, columns):
                        assert row.place and all(isinstance(text, str | None) for text in row)
        with _one_line():
            task = find_task("rows", {"train": str(file), "answers": "number"})
            assert all(isinstance(question, Question) for question in task.questions("train"))


def _write(file: Path, data: bytes) -> None:
    if file.name == "packed.eval":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, part in enumerate(data.split(b"\n")[:5]):
                archive.writestr(f"samples/{number}.json", part)
    else:
        file.write_bytes(gzip.compress(data, 1) if file.suffix == ".gz" else data)


@contextlib.contextmanager
def _one_line():
    try:
        yield
    except LemaError as error:
        assert str(error) and "\n" not in str(error), error


TARGET = Target("answers", SEEDS, check, PIECES)

if __name__ == "__main__":
    main(TARGET)
