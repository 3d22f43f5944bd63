"""A run and its remembered stages: what is done, stale or missing.

One design decision: a stage's fingerprint is made of its verb and version, its own settings and the
fingerprints of its inputs, never of the rows themselves; so what a run will do is known before anything runs,
and a changed setting makes exactly its descendants stale. A stage is written to `<name>.part`, its record.json
last, and renamed; a folder without a matching record.json is not there.
"""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, get_args, get_type_hints

from lema.config import Config
from lema.errors import DataError
from lema.files import remove, sync
from lema.plugins import Settings
from lema.printable import one_line
from lema.records import Checkpoint, content_id, read_rows
from lema.runs.dependencies import models_of, prompts_of
from lema.runs.folder import content_of, damage_of, read_record, write_record


@dataclass(frozen=True)
class Stage:
    """One named folder of a run and the call that fills it; iterating over it reads its rows.

    `verb(context, settings, *inputs)` yields records of the type that its return annotation names; its module
    holds `VERSION`. `models` are those it may ask: name -> facts. `prompts`: name -> content id.
    """

    run: Path
    name: str
    verb: Callable
    settings: Settings | None
    inputs: tuple["Stage | tuple[Stage, ...]", ...] = ()
    models: dict[str, "Stage | dict"] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    test_set: str = ""  # whose task it works on; "" the run's own

    @property
    def folder(self) -> Path:
        return self.run / self.name

    @property
    def part(self) -> Path:
        return self.folder.with_name(self.folder.name + ".part")

    @cached_property
    def kind(self) -> type:
        """The record type of its rows."""
        return get_args(get_type_hints(self.verb)["return"])[0]

    @cached_property
    def facts(self) -> dict:
        """Everything that decides what comes out, JSON-ready, in words that `lema plan` can show."""
        settings = self.settings.facts() if self.settings is not None else {}
        models = {name: given.fingerprint if isinstance(given, Stage) else given
                  for name, given in self.models.items()}
        return {"verb": self.verb.__name__, "version": sys.modules[self.verb.__module__].VERSION,
                "settings": settings, "models": models, "prompts": self.prompts,
                "inputs": {stage.name: stage.fingerprint for stage in self.sources}}

    @cached_property
    def sources(self) -> list["Stage"]:
        """Its inputs in one flat list."""
        return list(_flat(self.inputs))

    @property
    def makers(self) -> list["Stage"]:
        """The stages that make models which it may ask."""
        return [given for given in self.models.values() if isinstance(given, Stage)]

    @cached_property
    def fingerprint(self) -> str:
        return content_id(self.facts)

    def __iter__(self) -> Iterator:
        return self._rows("")

    def naming(self, identifier: str, *, whole: bool = True) -> Iterator:
        """Its rows that hold this id, or one that begins with it, somewhere: as their own, their question's, or in
        a text."""
        as_written = one_line(json.dumps(identifier, ensure_ascii=False))
        as_written = as_written if whole else as_written[:-1]
        return self._rows(as_written)

    def _rows(self, holding: str) -> Iterator:
        if damage := self.damage():
            raise DataError(damage)
        try:
            yield from read_rows(self.kind, self.folder / "rows.jsonl", holding)
        except (DataError, FileNotFoundError) as error:
            raise DataError(f"{error}; {self.remedy}") from None

    def record(self) -> dict | None:
        """Its record.json, or None where it has none that can be read."""
        return read_record(self.folder)

    def damage(self) -> str:
        """What is wrong with its rows and what to do, in one line; empty where they are as they were written."""
        record = self.record()
        reason = damage_of(self.folder, record) if record is not None else ""
        return f"{self.folder}/rows.jsonl: damaged ({reason}); {self.remedy}" if reason else ""

    @property
    def remedy(self) -> str:
        """What to do where its folder is damaged."""
        return (f"remove the folder {self.folder} and run the same command again: what models replied is in the "
                "journal, and is not paid again")

    def status(self) -> "Status":
        """Whether it is done, damaged, stale or missing, and why."""
        record = self.record()
        if record is None:
            unread = (self.folder / "record.json").exists()
            return Status("missing", "its record.json cannot be read" if unread else "never finished")
        if record["fingerprint"] == self.fingerprint:
            damage = self.damage()
            return Status("damaged", damage) if damage else Status("done")
        return Status("stale", _difference(record.get("facts", {}), json.loads(json.dumps(self.facts))))

    def finish(self, counts: dict) -> None:
        """Writes record.json into the .part folder and puts the folder in its place."""
        sync(self.part, within=True)
        record = {"fingerprint": self.fingerprint, "facts": self.facts, **counts, **content_of(self.part),
                  "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        write_record(self.part, record)
        self.adopt()

    def adopt(self) -> bool:
        """Puts a finished .part folder in its place; False where there is none (a kill may fall in between)."""
        record = None if self.part.is_symlink() else read_record(self.part)
        if record is None or record["fingerprint"] != self.fingerprint or damage_of(self.part, record):
            return False
        old = self.folder.with_name(self.folder.name + ".old")
        remove(old)
        if os.path.lexists(self.folder):
            self.folder.rename(old)
        self.part.rename(self.folder)
        sync(self.folder.parent)
        remove(old)
        return True


def _flat(given: "Stage | tuple") -> "Iterator[Stage]":
    """The stages of an input: itself, or those of a tuple, in which an empty one stands for what is not there."""
    if isinstance(given, Stage):
        yield given
    else:
        for each in given:
            yield from _flat(each)


class Status(NamedTuple):
    state: Literal["done", "damaged", "stale", "missing"]
    why: str = ""


Engine = Callable[[Sequence[Stage]], None]
"""Performs the stages that are not done; they do not need each other, so they may run side by side."""


@dataclass(frozen=True)
class Run:
    """What the pipeline writes its stages into.

    `config` is asked for the models and prompts that a stage's settings name. `made` are the stages that made a
    model so far, by the model's name: what is grown or trained here is used like any other model.
    """

    folder: Path
    engine: Engine
    config: Config
    made: dict[str, Stage] = field(default_factory=dict)
    test_set: str = ""

    def on(self, test_set: str) -> "Run":
        """The same run, whose further stages work on the task of a test set."""
        return dataclasses.replace(self, test_set=test_set)

    def stage(self, name: str, verb: Callable, settings: Settings | None,
              *inputs: "Stage | tuple[Stage, ...]") -> Stage:
        """One stage, performed now unless it is remembered."""
        return self.side_by_side([self.planned(name, verb, settings, *inputs)])[0]

    def planned(self, name: str, verb: Callable, settings: Settings | None,
                *inputs: "Stage | tuple[Stage, ...]") -> Stage:
        """One stage, not performed yet."""
        config = self.config.on(self.test_set)
        stage = Stage(self.folder, name, verb, settings, inputs, models_of(config, settings, self.made),
                      prompts_of(config, settings), self.test_set)
        stage = self.placed(stage)
        if stage.kind is Checkpoint:
            self.made[stage.folder.name] = stage
        return stage

    def placed(self, stage: Stage) -> Stage:
        """Where the stage lies; a pilot has a place of its own for what differs from the run."""
        return stage

    def side_by_side(self, stages: Sequence[Stage]) -> list[Stage]:
        """Performs stages that do not need each other, on as many workers as there are."""
        self.engine(stages)
        return list(stages)


def _difference(old: object, new: object, path: str = "") -> str:
    """The first fact that differs between two records, in words."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*new, *old]):
            if old.get(key) != new.get(key):
                return _difference(old.get(key), new.get(key), f"{path}.{key}".strip("."))
    if path.startswith(("inputs.", "models.")) and isinstance(new, str):
        return f"{path.split('.', 1)[1]} is another one now"
    return f"{path}: {_short(old)} → {_short(new)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + "…"
