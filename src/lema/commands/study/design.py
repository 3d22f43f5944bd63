"""A study's plan: which cells there are, each an ordinary config, and which seeds a replicate draws anew.

    {"recipe": "one-step", "replicates": 5, "axes": {"budget": {"keys": ["cot.tokens"], "values": [1500, 6000]}}}
    → 10 cells: budget-1500_r0, …, budget-6000_r4

One design decision: a replicate is nothing but other seeds in the config, from the questions to the training; so a
cell can be read, run again and argued about like any run, and nothing of a study is hidden in its code.
"""

import copy
import re
import tomllib
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError, model_validator

from lema.config import Config, PriceName, load_table, parse_config
from lema.config.sources import Name
from lema.errors import ConfigError
from lema.plugins import Settings, explain, find, near_miss

STRIDE = 1_000
"""A replicate's seeds lie so far from those of the one before it."""
ASKING = ("sample", "correct", "cot", "critique")


class AxisConfig(Settings):
    """[axes.X]: a setting that takes several values; or named `options`, each a table of settings."""

    keys: tuple[str, ...] = Field(default=(), description="the settings that take the value; by default X itself")
    values: tuple[int | float | str | bool | tuple, ...] = ()
    replicates: dict[str, Annotated[int, Field(gt=0)]] = Field(
        default={}, description="of a value, how many replicates, where not all")
    options: dict[str, dict] = Field(default={})

    @model_validator(mode="after")
    def _says_what(self) -> "AxisConfig":
        if bool(self.values) == bool(self.options):
            raise ValueError("give values = [...] or options = { name = { ... } }, one of them")
        if len(set(map(str, self.values))) < len(self.values):
            raise ValueError("a value stands there twice")
        labels = list(self.options) or list(map(_label, self.values))
        for label in self.replicates:
            if label not in labels:
                raise ValueError(f"replicates: {label!r} is none of its values{near_miss(label, labels)}")
        return self


class StudyConfig(Settings):
    """A study file."""

    name: Name
    about: str = Field(default="", description="the question that it answers, for the page")
    recipe: str = Field(description="a recipe's name or a config file, which every cell starts from")
    set: dict = Field(default={}, description="settings of every cell")
    drop: tuple[str, ...] = Field(default=(), description="tables and keys of the recipe that no cell has")
    axes: dict[str, AxisConfig] = Field(default={})
    replicates: int | tuple[int, ...] = Field(
        default=5, description="how often everything is drawn anew, students, questions, samples and teacher; or "
                               "which ones, so that a choice and the figures after it draw apart")
    reseed: tuple[str, ...] = Field(default=(), description="further keys that hold a seed of their own")
    pairs: tuple[tuple[str, str], ...] = Field(
        default=(), description="an arm, and what it is held against; the first pair is the headline. By default "
                                "those of the recipe's report")

    prices: tuple[PriceName, ...] = Field(
        default=(), description="models of the price list, by whose prices arms are compared for equal money")

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the replicates."""
        return tuple(range(self.replicates)) if isinstance(self.replicates, int) else self.replicates

    def numbers_at(self, point: tuple[str, ...]) -> tuple[int, ...]:
        """Of the replicates that the cells with these values have: the first ones, where an axis wants fewer."""
        fewest = len(self.numbers)
        for axis, label in zip(self.axes.values(), point, strict=True):
            fewest = min(fewest, axis.replicates.get(label, fewest))
        return self.numbers[:fewest]

    @model_validator(mode="after")
    def _has_cells(self) -> "StudyConfig":
        if not self.numbers or min(self.numbers) < 0 or len(set(self.numbers)) < len(self.numbers):
            raise ValueError("replicates: at least one, each number once, none below zero")
        return self


class Value(NamedTuple):
    """One value of an axis: what it is called, what it sets, and the number that a curve has it at."""

    label: str
    settings: dict
    number: float | None


class Cell(NamedTuple):
    """One run of a study."""

    name: str
    point: tuple[str, ...]  # the labels of its values, axis by axis
    replicate: int
    table: dict
    config: Config


def read_study(source: Path) -> StudyConfig:
    """The study in a file, or a shipped one by its name; ConfigError in one line where it is none."""
    path = find_study(source)
    try:
        return StudyConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{source}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read ({error})") from None
    except ValidationError as error:
        raise ConfigError(f"{source}: {explain(error, '', StudyConfig)}") from None


STUDIES = Path(__file__).parent / "shipped"


def find_study(source: Path) -> Path:
    """A study file, or the shipped one of that name."""
    shipped = sorted(path.stem for path in STUDIES.glob("*.toml"))
    if not source.is_file() and str(source) in shipped:
        return STUDIES / f"{source}.toml"
    if not source.is_file():
        raise ConfigError(f"{source}: no such study file; shipped ones: {', '.join(shipped)}")
    return source


def values_of(name: str, axis: AxisConfig) -> list[Value]:
    """What an axis runs through."""
    if axis.options:
        return [Value(label, settings, None) for label, settings in axis.options.items()]
    values = []
    for value in axis.values:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
        values.append(Value(_label(value), dict.fromkeys(axis.keys or (name,), value), number))
    return values


def _label(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def cells_of(study: StudyConfig, source: Path) -> list[Cell]:
    """Every cell, replicate by replicate, so that a study which is stopped has whole replicates. ConfigError where
    one is no config, or two share nothing that they could be compared by."""
    base = load_table(study.recipe)
    for key in study.drop:
        _drop(base, key, source)
    for key, value in study.set.items():
        lay(base, key, value, source)
    axes = [values_of(name, axis) for name, axis in study.axes.items()]
    points = [_Point.of(study, source, base, values) for values in product(*axes)]
    cells: dict[str, Cell] = {}
    for number, point in product(study.numbers, points):
        if number not in study.numbers_at(point.labels):
            continue
        cell = point.cell(number, source)
        if cell.name in cells:
            raise ConfigError(f"{source}: two cells would be called {cell.name}; give their values other names")
        cells[cell.name] = cell
    _share_seeds(source, list(cells.values()))
    return list(cells.values())


class _Point(NamedTuple):
    """One combination of values, before it is drawn."""

    name: str
    labels: tuple[str, ...]
    table: dict
    seeds: tuple[str, ...]  # the keys that hold one

    @classmethod
    def of(cls, study: StudyConfig, source: Path, base: dict, values: tuple[Value, ...]) -> "_Point":
        table, parts = copy.deepcopy(base), []
        for axis, value in zip(study.axes, values, strict=True):
            for key, setting in value.settings.items():
                lay(table, key, setting, source)
            parts.append(f"{axis}-{value.label}_")
        name = re.sub(r"[^A-Za-z0-9_.-]+", ".", "".join(parts))
        config = parse_config(table, f"{source}: {name.rstrip('_') or study.recipe}")
        return cls(name, tuple(value.label for value in values), table, (*seeds_in(config), *study.reseed))

    def cell(self, number: int, source: Path) -> Cell:
        table, name = copy.deepcopy(self.table), f"{self.name}r{number}"
        for key in self.seeds:
            reseed(table, key, number * STRIDE, source)
        table["name"] = name
        return Cell(name, self.labels, number, table, parse_config(table, f"{source}: cell {name}"))


def lay(table: dict, key: str, value: object, where: Path) -> None:
    """Sets `a.b.c` in a table; a table laid over a table is merged into it."""
    *path, last = key.split(".")
    for part in path:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{where}: {key}: {part!r} is not a table")
    if isinstance(value, dict) and isinstance(table.get(last), dict):
        for inner, setting in value.items():
            lay(table[last], inner, setting, where)
        return
    table[last] = copy.deepcopy(list(value) if isinstance(value, tuple) else value)


def _drop(table: dict, key: str, where: Path) -> None:
    *path, last = key.split(".")
    for part in path:
        table = table.get(part, {})
    if last not in table:
        raise ConfigError(f"{where}: drop: {key!r} is not in the recipe")
    del table[last]


def seeds_in(config: Config) -> Iterator[str]:
    """Every key of a config that holds a seed: of questions, of students, of whoever draws, of the training."""
    if "seed" in find("tasks", config.task.name, "Task", "task.name").Settings.model_fields:
        yield "task.seed"
    for name, model in config.models.items():
        if model.grow:
            yield f"models.{name}.grow.seed"
        elif "seed" in find("models", model.backend, "Model", f"models.{name}.backend").Settings.model_fields:
            yield f"models.{name}.seed"
    for table in ASKING:
        if getattr(config, table) is not None:
            yield f"{table}.seed"
    for name in config.evolve:
        yield f"evolve.{name}.seed"
    if config.train is not None:
        yield "train.seeds"


def reseed(table: dict, key: str, by: int, where: Path) -> None:
    """Adds `by` to a seed, or to each of several; one that is not set counts from its default, which is fine
    where that is 0 and 1 for the lab's questions alone."""
    if not by:
        return
    *path, last = key.split(".")
    inner = table
    for part in path:
        inner = inner.setdefault(part, {})
    seeds = inner.get(last, [1, 2, 3] if last == "seeds" else 0)
    if not isinstance(seeds, int | list):
        raise ConfigError(f"{where}: {key} = {seeds!r} is no seed")
    lay(table, key, [seed + by for seed in seeds] if isinstance(seeds, list) else seeds + by, where)


def _share_seeds(source: Path, cells: list[Cell]) -> None:
    """ConfigError where cells cannot be held against each other: no arms, or no training seed in common."""
    if any(not cell.config.arms or cell.config.train is None for cell in cells):
        raise ConfigError(f"{source}: a study compares arms that are trained; its recipe has no [arms] or no "
                          "[train]")
    for replicate in {cell.replicate for cell in cells}:
        seeds = [set(cell.config.train.seeds) for cell in cells if cell.replicate == replicate]
        if not set.intersection(*seeds):
            raise ConfigError(f"{source}: train.seeds have no seed in common over the cells, so that nothing can "
                              "be paired; give all cells the same train.seeds")
