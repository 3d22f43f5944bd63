"""Ready arms: a method that others are compared with, named in one line.

One design decision: a ready arm is a few lines of TOML in this folder, no code; where an arm's `take` says a name,
it means the arm of that name in the config, else the ready one, so that a run says once what its worked solutions
are and every rival builds on the same.
"""

import tomllib
from pathlib import Path

from lema.plugins import near_miss

FOLDER = Path(__file__).parent


def ready_arms() -> list[str]:
    """The names of the arms that lema ships."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def ready_arm(name: str) -> dict:
    """A ready arm's table: `about`, `take` and, where it is trained otherwise, `train`."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def expanded(arms: object) -> object:
    """The [arms] of a config with every name in a `take` replaced by what it stands for, and `change` applied.

    `arms` may be a list of names. A table without `take` is the ready arm of its name. ValueError for a name that
    neither the config nor lema has; what is no table is left for the config's own check.
    """
    if isinstance(arms, list) and all(isinstance(name, str) for name in arms):
        arms = {name: {} for name in arms}
    if not isinstance(arms, dict):
        return arms
    return {name: _expanded(name, table, arms) if isinstance(table, dict) else table
            for name, table in arms.items()}


def _expanded(name: str, table: dict, arms: dict) -> dict:
    stands_for, change = table.get("take", name), table.get("change", {})
    ready = ready_arm(stands_for) if isinstance(stands_for, str) and stands_for in ready_arms() else {}
    take = _taken(name, stands_for, arms, (name,))
    if isinstance(take, list) and isinstance(change, dict):
        _check_change(name, change, take)
        take = _changed(take, change)
    return {**ready, **table, "take": take}


def _changed(take: list, change: dict) -> list:
    """The lines with the keys laid over them that `change` has for their kind."""
    return [line | change.get(line.get("kind"), {}) if isinstance(line, dict) else line for line in take]


def _taken(arm: str, take: object, arms: dict, inside: tuple[str, ...]) -> object:
    """The lines of a `take`; `inside` are the arms of the config that are being looked into, whose names inside
    themselves mean the ready arm."""
    if isinstance(take, str):
        take = [take]
    if not isinstance(take, list):
        return take
    lines: list[object] = []
    for line in take:
        stands_for = _named(arm, line, arms, inside) if isinstance(line, str) else [line]
        lines += [each for each in stands_for if each not in lines]
    return lines


def _named(arm: str, name: str, arms: dict, inside: tuple[str, ...]) -> list:
    own = arms.get(name)
    if isinstance(own, dict) and "take" in own and name not in inside:
        return _changed(_taken(arm, own["take"], arms, (*inside, name)), own.get("change", {}))
    if name in ready_arms():
        return _taken(arm, ready_arm(name)["take"], arms, (*inside, name) if name in arms else inside)
    others = [*ready_arms(), *(each for each in arms if each != arm)]
    raise ValueError(f"arms.{arm}.take: no arm {name!r}{near_miss(name, others)}")


def _check_change(arm: str, change: dict, take: list) -> None:
    kinds = [line["kind"] for line in take if isinstance(line, dict) and "kind" in line]
    for kind in change:
        if kind not in kinds:
            raise ValueError(f"arms.{arm}.change: the arm takes no kind {kind!r}{near_miss(kind, kinds)}")
