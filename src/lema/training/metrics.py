"""What a fit says of itself while it runs: a line of metrics.jsonl for every step.

    {"step": 3, "loss": 1.72, "rate": 0.002, "tokens": 412, "all_tokens": 1630, "seconds": 0.4, "memory": 913e6, …}

One design decision: a line is written after its step and taken back where the fit is resumed before it, so that
the file tells one course of training however often it was killed.
"""

import json
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from lema.checkpoints.rendering import Tokens
from lema.files import read_plain, write_whole
from lema.training.stream import Passes

FILE = "metrics.jsonl"
OFTEN = 20
"""Steps that are written together: on a card every look at a loss waits for the card."""


class StepTokens(NamedTuple):
    """What a step sees."""

    trained: int
    every: int


def tokens_of_steps(plan: Passes, rows: Sequence[Tokens]) -> Iterator[StepTokens]:
    """Counted before training starts, padding left out."""
    for start in range(0, len(plan.rows), plan.each):
        trained = every = 0
        for rows_of_pass in plan.rows[start:start + plan.each]:
            for row in rows_of_pass:
                trained, every = trained + len(rows[row].completion), every + rows[row].length
        yield StepTokens(trained, every)


class Metrics:
    """The file in a folder; a fit resumed after `done` steps goes on behind their lines."""

    def __init__(self, folder: Path, tokens: Sequence[StepTokens], done: int) -> None:
        self.file, self._tokens, self._waiting = folder / FILE, tokens, []
        self._last = 0.0
        lines = []
        for line in _lines(self.file):
            if line["step"] <= done:
                lines.append(json.dumps(line) + "\n")
                self._last = line["seconds"]
        write_whole(self.file, "".join(lines))

    def add(self, step: int, loss: torch.Tensor, rate: float, seconds: float) -> None:
        """Of a step (the first is 1) that took until `seconds` after the start."""
        self._waiting.append((step, loss, rate, seconds))
        if len(self._waiting) >= OFTEN:
            self.write()

    def write(self) -> None:
        """Puts what waits on the disk."""
        lines = []
        for step, loss, rate, seconds in self._waiting:
            seen, took = self._tokens[step - 1], max(1e-9, seconds - self._last)
            lines.append(json.dumps({
                "step": step, "loss": float(loss), "rate": rate, "tokens": seen.trained, "all_tokens": seen.every,
                "seconds": round(seconds, 4), "tokens_per_second": round(seen.every / took, 1),
                "memory": memory_used()}) + "\n")
            self._last = seconds
        self._waiting.clear()
        with self.file.open("a", encoding="utf-8") as file:
            file.writelines(lines)


def memory_used() -> int:
    """The most bytes that were in use: of the card, else of the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _lines(file: Path) -> Iterator[dict]:
    """Up to the first that was not wholly written."""
    try:
        text = read_plain(file).decode("utf-8", "replace")
    except OSError:
        return
    for line in text.splitlines():
        try:
            values = json.loads(line)
        except ValueError:
            return
        if not isinstance(values, dict) or not {"step", "seconds"} <= values.keys():
            return
        yield values
