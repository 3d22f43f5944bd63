"""The config that a run folder keeps, and what a run with another one would do to it.

One design decision: a stored config is the run's memory of what it was asked; it changes in plain sight, and not
at all without the user's word where stages that were paid for would become stale.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import tomli_w

from lema.commands.run_folder import Meant, finished, going_on, stages_of
from lema.config import load_table, parse_config
from lema.errors import ConfigError, RunError
from lema.files import write_whole
from lema.runs.prices import Usage, price_of

FILE = "config.toml"
UNSET = "not set"


def keep_config(meant: Meant, *, yes: bool) -> None:
    """config.toml as run, what was laid over it included. What differs from the one that is there is shown first;
    RunError where paid stages would become stale and neither `yes` nor the user at the terminal agrees."""
    folder, stored = meant.folder, _stored(meant.folder)
    if stored == meant.table:
        return
    if stored is not None:
        print(f"{folder}: the config differs from the one that is stored there:", file=sys.stderr)
        for line in differences(stored, meant.table):
            print(f"  {line}", file=sys.stderr)
        paid = paid_for(meant, stored)
        if paid and not yes and not _agreed(paid):
            raise RunError(f"{folder}: stages that were paid for would be done anew ({', '.join(paid)}); `--yes` "
                           f"does so, `{going_on(folder)}` goes on with the stored config, `--set name=...` makes "
                           "another run")
    _write(folder, meant.table)


def differences(stored: dict, table: dict) -> Iterator[str]:
    """One line for each key that differs."""
    old, new = dict(_flat(stored)), dict(_flat(table))
    for key in dict.fromkeys([*new, *old]):
        if old.get(key) != new.get(key):
            yield f"{key}: {old.get(key, UNSET)} → {new.get(key, UNSET)}"


def paid_for(meant: Meant, stored: dict) -> list[str]:
    """The finished stages that become stale and for which a model that costs was asked."""
    folder, config = meant.folder, meant.config
    try:
        done = finished(stages_of(folder, parse_config(stored, FILE)))
    except ConfigError:  # stored by an earlier lema: every stage that is there counts
        done = None
    paid = []
    for name, stage in stages_of(folder, config).items():
        if stage.status().state == "stale" and (done is None or name in done):
            for model, row in (stage.record() or {}).get("usage", {}).items():
                price, usage = price_of(config, model), Usage.read(row)
                if usage.replies and not (price is not None and price.here):
                    paid.append(f"{name}: {usage.replies:,} replies of {model}")
    return paid


def _agreed(paid: list[str]) -> bool:
    """Whether the user says so; nobody is asked where nobody can answer."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"These stages were paid for and would be done anew: {', '.join(paid)}", file=sys.stderr)
    print("Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _stored(folder: Path) -> dict | None:
    """The stored table; None where there is none that can be read."""
    try:
        return load_table(str(folder / FILE)) if (folder / FILE).is_file() else None
    except ConfigError:
        return None


def _flat(table: dict, above: str = "") -> Iterator[tuple[str, str]]:
    """Every key with its path and its value in one line."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", json.dumps(value, ensure_ascii=False, default=str)


def _write(folder: Path, table: dict) -> None:
    try:
        write_whole(folder / FILE, tomli_w.dumps(table))
    except OSError as error:
        raise RunError(f"{folder / FILE}: cannot be written ({error.strerror}); make room or its folder writable, "
                       "or remove it where it is no file") from None
