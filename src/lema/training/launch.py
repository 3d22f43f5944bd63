"""One fit by several processes: this one starts them, hears how far they are, and ends with what they leave.

    train.processes = 2 → python -m torch.distributed.run --nproc-per-node 2 … rank.py out/unfinished/fit.json

One design decision: `lema` stays one process, which writes the fit down, starts torch's launcher on it and waits;
so nothing else of a run (journal, folders, endpoints) can ever be done twice. A rank that dies is started again
with all others, from the last whole point; they end with the process that started them, however it ends.
"""

import json
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lema.checkpoints.rendering import Tokens
from lema.errors import ModelError, RunError
from lema.files import write_whole
from lema.training import SIZES, Progress
from lema.training.stream import Passes

if TYPE_CHECKING:
    from lema.training.loop import Outcome
    from lema.training.sft import Fit

FIT, ROWS, OUTCOME = "fit.json", "rows.npz", "outcome.json"
RESTARTS = 3
"""How often all are started again because one died; on several machines they do not agree on how often that was,
so there the fit ends, and the same command goes on from the last whole point."""
RANK = Path(__file__).with_name("rank.py")
WATCHDOG = Path(__file__).parents[1] / "models" / "_watchdog.py"
"""Ends what it started once this process is gone."""

log = logging.getLogger(__name__)


def launched(fit: "Fit", plan: Passes, progress: Progress | None) -> "Outcome":
    """`loop.run` by `fit.settings.world` processes. LemaError as one of them raised it; RunError where they died
    too often."""
    from lema.training.loop import Outcome

    folder = fit.out / "unfinished"
    (folder / OUTCOME).unlink(missing_ok=True)
    write_down(fit, plan, folder)
    command = command_of(fit, folder)
    if fit.settings.nodes > 1:
        log.warning("%d machines train together; on each of the others run: %s", fit.settings.nodes,
                    shlex.join(command))
    environment = {key: value for key, value in os.environ.items() if key not in SIZES}
    with subprocess.Popen([sys.executable, str(WATCHDOG), *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          start_new_session=True, text=True, env=environment) as processes:
        for done in _steps(processes):
            if progress:
                progress(done, plan.steps)
    return Outcome(**_left(folder))


def command_of(fit: "Fit", folder: Path) -> list[str]:
    """What starts the processes of one machine."""
    settings = fit.settings
    several = ["--nnodes", str(settings.nodes), "--rdzv-backend", "c10d", "--rdzv-id", fit.call,
               "--rdzv-endpoint", settings.rendezvous or "localhost:0"]
    return [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(settings.processes), *several,
            "--max-restarts", str(RESTARTS if settings.nodes == 1 else 0), str(RANK), str(folder / FIT)]


def write_down(fit: "Fit", plan: Passes, folder: Path) -> None:
    """Puts everything that a rank needs into the folder."""
    places: dict[int, int] = {}
    order = [places.setdefault(id(row), len(places)) for row in fit.rows]
    rows = list(dict(zip(order, fit.rows, strict=True)).values())
    ids = np.concatenate([np.fromiter([*row.prompt, *row.completion], np.int32) for row in rows])
    np.savez(folder / ROWS, ids=ids, prompts=[len(row.prompt) for row in rows],
             completions=[len(row.completion) for row in rows], order=order)
    table = {"settings": fit.settings.model_dump(mode="json"), "base": str(fit.base), "out": str(fit.out),
             "seed": fit.seed, "call": fit.call, "form": fit.form, "passes": plan.rows, "each": plan.each}
    write_whole(folder / FIT, json.dumps(table))


def read_back(file: Path) -> tuple["Fit", Passes]:
    """What `write_down` wrote."""
    from lema.training.sft import Fit, Settings

    table = json.loads(file.read_text(encoding="utf-8"))
    with np.load(file.with_name(ROWS)) as arrays:
        rows, start = [], 0
        ids = arrays["ids"]
        for prompt, completion in zip(arrays["prompts"], arrays["completions"], strict=True):
            middle, end = start + prompt, start + prompt + completion
            rows.append(Tokens(ids[start:middle], ids[middle:end]))
            start = end
        ordered = list(map(rows.__getitem__, arrays["order"]))
    settings = Settings.model_validate(table["settings"])
    base, out = Path(table["base"]), Path(table["out"])
    fit = Fit(settings, ordered, base, out, table["seed"], table["call"], table["form"])
    return fit, Passes(table["passes"], table["each"])


def _steps(processes: subprocess.Popen) -> Iterator[int]:
    """The steps done, as the first rank says them; what else the processes say goes where it would have gone."""
    for line in processes.stdout:
        name, _, done = line.partition(" ")
        if name == "lema-step" and done.strip().isdigit():
            yield int(done)
        else:
            sys.stderr.write(line)


def _left(folder: Path) -> dict:
    """The outcome that the first rank left."""
    from lema.training.loop import TooLarge

    try:
        outcome = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise RunError(f"{folder}: the processes that train together ended without a result (above is what they "
                       "said); finished steps are kept: run the same command again") from None
    if "error" in outcome:
        raise {"TooLarge": TooLarge, "RunError": RunError}.get(outcome["kind"], ModelError)(outcome["error"])
    return outcome
