"""How a task, a model backend, a trainer or a kind of example is found by its name.

One design decision: a name is a module. `gsm8k` is `lema/tasks/gsm8k.py`; `mypkg.mytask` is the user's own
file. The module holds a pydantic `Settings` and the class itself (`Task`, `Model` or `Trainer`), built from
them. There is no table of names to register in and no decorator.
"""

import difflib
import hashlib
import importlib
import pkgutil
from functools import partial
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lema.errors import ConfigError
from lema.printable import short


class Settings(BaseModel):
    """Base of every settings table: unknown keys are refused, values never change.

    `execution` names the fields that say where and how fast, not what: they stay out of fingerprints.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def execution_fields(cls) -> frozenset[str]:
        return frozenset(
            name for name, field in cls.model_fields.items()
            if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("execution")
        )

    def files(self) -> tuple[Path, ...]:
        """The files whose contents these settings stand for; their hashes belong to the facts."""
        return ()

    def facts(self) -> dict:
        """What decides what comes out: all fields but the execution ones, and the files' hashes; JSON-ready."""
        facts = self.model_dump(mode="json", exclude=set(self.execution_fields()))
        hashes = {str(path): file_hash(path) for path in self.files()}
        return {**facts, "files": hashes} if hashes else facts

    def models_used(self) -> tuple[str, ...]:
        """The models that a stage with these settings asks or continues from."""
        return ()

    def prompts_used(self) -> dict[str, str | None]:
        """The prompts that it reads, and the user's file where one takes the place of the shipped text."""
        return {}


class Open(Settings):
    """A table whose further keys belong to the module that it names."""

    model_config = ConfigDict(extra="allow", frozen=True)

    @property
    def own(self) -> dict:
        """The keys that the named module checks."""
        return dict(self.__pydantic_extra__ or {})


def file_hash(path: Path) -> str:
    """16 hex digits of a file's SHA-256; "missing" where it cannot be read (who reads it then says so)."""
    if not path.is_file():  # whoever opened a pipe would wait for ever
        return "missing"
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError:
        return "missing"


KNOWN = 40  # names that a message lists at most
LONGEST_PLACE = 200
"""Characters of a key and of the tables above it that an error shows."""
EXECUTION = {"execution": True}
"""`Field(..., json_schema_extra=EXECUTION)` marks a field that does not change what comes out."""
execution = partial(Field, json_schema_extra=EXECUTION)  # `concurrency: int = execution(64, ge=1)`


def shipped(room: str) -> list[str]:
    """The names that lema ships in `room` (tasks, models or training): packages, and modules with a `Settings`.

    The text is searched, nothing is imported: a list must not load torch.
    """
    package = importlib.import_module(f"lema.{room}")
    folder = Path(package.__path__[0])
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_") and (
        m.ispkg or "\nclass Settings" in (folder / f"{m.name}.py").read_text(encoding="utf-8")))


def find(room: str, name: str, part: str, where: str = "") -> ModuleType:
    """The module called `name`: a shipped one of `room`, or a dotted path of the user's.

    `part` is the class that it must hold. Raises ConfigError with `where` it is named and the near misses.
    """
    if not all(map(str.isidentifier, name.split("."))):
        raise ConfigError(f"{room}: {name!r} can be no name{near_miss(name, shipped(room))}; `lema list` "
                          "shows all, and a dotted path names a module of your own")
    dotted = name if "." in name else f"lema.{room}.{name}"
    try:
        module = importlib.import_module(dotted)
    except ModuleNotFoundError as error:
        if error.name and not dotted.startswith(error.name):
            raise  # the module is there; something that it imports is not
        raise ConfigError(f"{where or room}: no {name!r}{near_miss(name, shipped(room))}; `lema list` shows all, "
                          "and a dotted path names a module of your own") from None
    for needed in (part, "Settings"):
        if not hasattr(module, needed):
            raise ConfigError(f"{where or room}: {dotted} has no class {needed}; docs/guide.md shows what it must "
                              "hold")
    return module


def settings_of(kind: type[Settings], table: dict, where: str) -> Settings:
    """`table` as validated settings; the first problem becomes one line that names `where` and the key."""
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise ConfigError(explain(error, where, kind)) from None


def explain(error: ValidationError, where: str, kind: type[BaseModel]) -> str:
    """One line for a pydantic error: an unknown key first, with its near miss, because a misspelt key also makes
    the right one missing; else the first problem."""
    first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    place = ".".join(filter(None, [where, *(str(part) for part in first["loc"])]))
    place = " ".join(place.splitlines())
    if len(place) > LONGEST_PLACE:  # somebody's text in a key's place
        place = f"{place[:LONGEST_PLACE // 2]}…{place[-LONGEST_PLACE // 2:]}"
    if first["type"] == "extra_forbidden":
        return f"{place}: unknown key{near_miss(str(first['loc'][-1]), _fields_at(kind, first['loc'][:-1]))}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def near_miss(word: str, names: list[str]) -> str:
    """'; did you mean x?' where one of the names is close, else the list of them."""
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {short(close[0])!r}?"
    shown = [*map(short, sorted(names)[:KNOWN]), *["…"] * (len(names) > KNOWN)]
    return f"; known: {', '.join(shown)}" if names else ""


def _fields_at(kind: type[BaseModel], path: tuple) -> list[str]:
    """The keys of the settings table that `path` leads to, walking through nested models and dicts of them."""
    for part in path:
        field = {field.alias or name: field for name, field in kind.model_fields.items()}.get(str(part))
        if field is None:
            continue  # a key inside dict[str, Model], or a list index: the model was already entered
        inner = [t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, BaseModel)]
        if not inner:
            return []
        kind = inner[0]
    return [field.alias or name for name, field in kind.model_fields.items()]


def _types(annotation: object) -> list[object]:
    types = [annotation]
    for argument in getattr(annotation, "__args__", ()):
        types += _types(argument)
    return types
