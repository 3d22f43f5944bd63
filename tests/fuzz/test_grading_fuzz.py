"""The fuzz target works; its long runs are by hand (docs/grading.md)."""

import importlib.util
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.processes import ended

TARGET = Path(__file__).with_name("grading.py")


def test_any_text_gets_a_verdict():
    spec = importlib.util.spec_from_file_location("fuzz_grading", TARGET)
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    target.LIMIT_S = PATIENCE  # a text that takes long is for the long runs to find, on a machine of their own
    count, _, _ = target.by_chance(seconds=PATIENCE, seed=7, most=400)
    assert count == 400


def test_the_coverage_driven_target_runs():
    pytest.importorskip("atheris", reason="atheris is not installed (pip install atheris)")
    done = ended([sys.executable, TARGET, "--atheris", "-runs=300"])
    assert "300 runs" in done.stderr or done.returncode == 0
