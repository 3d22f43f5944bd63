"""The row that opens a task or a kind of example: what goes in and what comes out, as its docstring has it."""

import importlib
import json
import re


def documented(module: str) -> tuple[dict, dict]:
    """(what goes in, what comes out); line breaks of the docstring are spaces."""
    doc = importlib.import_module(module).__doc__
    before, out = re.search(r"^    in   (\{.*?\})\n    out  (\{.*?\})$\n\n", doc, re.S | re.M).groups()
    return json.loads(" ".join(before.split())), json.loads(" ".join(out.split()))
