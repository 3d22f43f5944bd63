"""How the loss of every fit fell, read from what the fits wrote of themselves.

    models/lema-1/model/metrics.jsonl: {"step": 1, "loss": 2.41, …} … → LossCurve("lema", (2.4, 2.1, 1.8, …))

One design decision: a curve is the means of at most sixty stretches of equal length, so that a fit of a million
steps and one of ten are drawn alike; whoever wants every step has the file.
"""

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from lema.files import read_plain

POINTS = 60


class LossCurve(NamedTuple):
    """The loss per trained token of an arm's fits, one line for each seed, in equal stretches of its steps."""

    arm: str
    losses: tuple[tuple[float, ...], ...]
    steps: int


def training_curves(run: Path, examined: Iterable[tuple[str, str, int]]) -> Iterator[LossCurve]:
    """One for every arm whose fits in this run wrote metrics; (model, arm, seed) say whose fit is whose."""
    arms: dict[str, list[list[float]]] = {}
    for model, arm, _ in examined:
        if losses := list(_losses(run / "models" / model / "model" / "metrics.jsonl")):
            arms.setdefault(arm, []).append(losses)
    for arm, fits in arms.items():
        yield LossCurve(arm, tuple(map(_stretches, fits)), max(map(len, fits)))


def _stretches(losses: list[float]) -> tuple[float, ...]:
    size = math.ceil(len(losses) / POINTS)
    means = []
    for start in range(0, len(losses), size):
        part = losses[start:start + size]
        means.append(sum(part) / len(part))
    return tuple(means)


def _losses(file: Path) -> Iterator[float]:
    """Up to the first line that is none; nothing where a trainer writes no such file."""
    try:
        lines = read_plain(file).splitlines()
    except OSError:
        return
    for line in lines:
        try:
            loss = float(json.loads(line)["loss"])
        except (ValueError, KeyError, TypeError):
            return
        if not math.isfinite(loss):
            return
        yield loss
