"""Grading is a library with one door: the rest of the house imports from lema.grading itself."""

import re
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src" / "lema"


def test_nothing_outside_imports_a_part_of_grading():
    outside = [path for path in SRC.rglob("*.py") if "grading" not in path.relative_to(SRC).parts]
    importing = re.compile(r"^\s*(?:from|import) lema\.grading\.", re.M)  # a docstring may name a part
    assert [path for path in outside if importing.search(path.read_text("utf-8"))] == []
