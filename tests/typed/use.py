"""How somebody uses lema from Python; never run, but checked by mypy (tests/test_python.py)."""

from typing import assert_type

import lema
from lema.commands.opened_run import OpenedRun, Rows
from lema.records import Correction, Example

run = lema.run({"name": "x"}, overrides=["sample.paths=4"])
assert_type(run, OpenedRun)
assert_type(lema.open("x").corrections, Rows[Correction])
assert_type(run.sets["lema"], Rows[Example])
steps: list[tuple[str, ...]] = [correction.steps for correction in run.corrections]
verdict: str = lema.grade("1", "1", task="number").verdict
reading: str = lema.compare("x:cot", "x:lema").comparisons[0].reading
