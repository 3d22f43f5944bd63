"""The grader on the kinds of endings and formulas of bench/wide.py, the half that is kept back included."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
wide = pytest.importorskip("wide")
LEAST = {"parts in boxes": 85, "answer in the story": 85, "rounding": 85, "purpose clauses": 94,
         "words with a point": 75, "money": 93, "percent": 90}
"""Agreement in percent where it is not at least 95."""


@pytest.mark.parametrize("half", ["seen", "kept"])
@pytest.mark.parametrize("kind", list(wide.wide_seen.KINDS))
def test_every_kind_of_ending_is_read_as_it_is_meant(half, kind):
    rows, agreed, positives = wide.measured(wide.filled(half, kind), wide.ours, False)
    assert 100 * agreed >= LEAST.get(kind, 95) * rows, (agreed, rows)
    if kind == "codes":
        assert positives == 0


@pytest.mark.parametrize("half", ["seen", "kept"])
def test_no_true_equation_is_called_false(half):
    rows, agreed, false = wide.judged_lines(half)
    assert false == 0 and agreed == rows


@pytest.mark.parametrize("half", ["seen", "kept"])
def test_the_last_sentence_of_a_human_solution_says_its_answer(shared_data, half):
    for plain, least in ((False, 99), (True, 98.5)):
        rows, agreed, _ = wide.measured(wide.endings(shared_data, half, plain), wide.ours, False)
        assert 100 * agreed >= least * rows
