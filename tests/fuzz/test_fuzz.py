"""Every fuzz target: what once broke a promise holds, and two seconds of other inputs; long runs are by hand."""

import importlib
import random
import sys
from pathlib import Path

import pytest

from tests.fuzz import mutating
from tests.patience import PATIENCE
from tests.processes import ended

TARGETS = ("replies", "usage", "records", "journal", "configs", "answers")


def target(name: str) -> mutating.Target:
    return importlib.import_module(f"tests.fuzz.{name}").TARGET


@pytest.fixture(autouse=True)
def without_a_clock(monkeypatch):
    """An input that takes long is for the long runs to find, on a machine of their own."""
    monkeypatch.setattr(mutating, "LIMIT_S", PATIENCE)


@pytest.mark.parametrize("name", TARGETS)
def test_what_the_target_begins_with_and_what_once_broke_a_promise_holds(name):
    each = target(name)
    for data in (*each.seeds, *(path.read_bytes() for path in mutating.cases_of(each))):
        each.check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_two_seconds_of_other_inputs_break_no_promise(name, tmp_path, monkeypatch):
    monkeypatch.setattr(mutating, "CASES", tmp_path)
    count, _ = mutating.by_chance(target(name), seconds=2, seed=7)
    assert count


def test_an_input_that_breaks_a_promise_is_kept_and_tried_again(tmp_path, monkeypatch):
    def check(data: bytes) -> None:
        assert b"\xff" not in data

    monkeypatch.setattr(mutating, "CASES", tmp_path)
    made = mutating.Target("made", (b"{}", b"some words"), check)
    with pytest.raises(AssertionError):
        mutating.by_chance(made, seconds=PATIENCE, seed=1)
    (kept,) = mutating.cases_of(made)
    assert b"\xff" in kept.read_bytes()


def test_inputs_differ_and_stay_short():
    draw, each = random.Random(3), target("usage")
    inputs = {mutating.mutated(draw.choice(each.seeds), each, draw) for _ in range(200)}
    assert len(inputs) > 150 and max(map(len, inputs)) <= mutating.LONGEST


@pytest.mark.parametrize("name", TARGETS)
def test_the_command_of_a_target_runs(name):
    file = Path(mutating.__file__).with_name(f"{name}.py")
    done = ended([sys.executable, file, "--seconds", "0.2", "--seed", "1"])
    assert done.returncode == 0 and f"{name}, seed 1: " in done.stdout, done.stderr
