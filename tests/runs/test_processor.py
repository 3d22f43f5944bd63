"""With machine.reproducible a student does not depend on the processor; and every record says which one it was."""

import json
import sys
import types

import pytest

from lema.config import parse_config
from lema.errors import RunError
from lema.runs import processor
from lema.stages.sample import SampleConfig
from tests.commanding import lema

CONFIG = """
name = "x"
sample = {{ models = ["student"], max_tokens = 20 }}
machine = {{ reproducible = {}, cache = "cache" }}
[task]
name = "lab"
train = 20
worked = 5
dev = 0
test = 0
levels = [1]
[models.student]
backend = "transformers"
[models.student.grow]
tokens = 6_000
shape = {{ width = 32, layers = 1, heads = 2, feed_forward = 64 }}
"""
NARROW = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
"""As libraries find it on a processor that knows no more."""


def _grown(folder, reproducible, **environment):
    """What stands of the student, and its record."""
    folder.mkdir()
    (folder / "x.toml").write_text(CONFIG.format(str(reproducible).lower()))
    done = lema(folder, "run", "x.toml", **environment)
    assert done.returncode == 0, done.stderr
    place = folder / "runs/x/students/student"
    return (json.loads((place / "rows.jsonl").read_text())["weights"],
            json.loads((place / "record.json").read_text())["processor"], folder)


@pytest.mark.slow
def test_a_reproducible_student_is_the_same_whatever_libraries_would_choose(tmp_path):
    wide, record, place = _grown(tmp_path / "a", True)
    narrow, *_ = _grown(tmp_path / "b", True, **NARROW)
    assert wide == narrow and record["pinned"]
    assert [path.name.endswith("-pinned") for path in (place / "cache").iterdir()] == [True]
    free, record, _ = _grown(tmp_path / "c", False)
    elsewhere, *_ = _grown(tmp_path / "d", False, **NARROW)
    assert free != elsewhere and not record["pinned"]  # or this processor cannot show what is promised


def test_a_record_says_which_processor_it_was():
    facts = processor.processor()
    assert set(facts) == {"name", "instructions"} and all(facts.values())


def _config(**machine):
    return parse_config({"name": "x", "task": {"name": "lab"}, "models": {"m": {"backend": "teacher"}},
                         "sample": SampleConfig(models=("m",)).model_dump(include={"models"}),
                         "machine": machine}, "x")


def test_pinning_that_comes_too_late_is_refused(monkeypatch):
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    with pytest.raises(RunError, match="torch is loaded in this process already"):
        processor.pin(_config(reproducible=True))


def test_a_processor_that_is_no_x86_is_told_so(monkeypatch):
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    monkeypatch.setattr(processor.platform, "machine", lambda: "aarch64")
    with pytest.raises(RunError, match="is no x86"):
        processor.pin(_config(reproducible=True))


def test_nothing_is_pinned_that_nobody_asked_for(monkeypatch):
    monkeypatch.delenv("ATEN_CPU_CAPABILITY", raising=False)
    processor.pin(_config())
    assert not processor.pinned()
