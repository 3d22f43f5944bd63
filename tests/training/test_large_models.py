"""bench/gpu.py, which measures models of billions where there is a card, runs small where there is none."""

import os
import re
import sys
from pathlib import Path

import pytest

from tests.processes import ended

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_command_for_a_card_runs_at_a_small_size_on_a_cpu():
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(ROOT / "src")}
    done = ended([sys.executable, str(ROOT / "bench" / "gpu.py")], env=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"CPU: [\d.]+ × 10\^12 operations/s in products of matrices", lines[0])
    figures = [line for line in lines if re.search(r"[\d,]+ tokens/s, +[\d.]+% of the matrix rate", line)]
    assert [line[:line.index("  ")].strip() for line in figures] == [
        f"0.1M {method}: {way}" for method in ("lora", "qlora")
        for way in ("lema, packed", "(a) padded to the longest", "(b) TRL's defaults")]
    assert "vllm is not installed" in lines[-1] or "sampled through vLLM" in lines[-1]
