"""What is asked of the index: which rows of a stage, in which order, which page of them.

One design decision: everything that decides what a page shows stands in its address, so every state is a link.
"""

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

from lema.commands.view.index import FILTERS

SIZES = (25, 50, 100, 200)
ORDERS = {"": "place", "tokens": "tokens, place", "-tokens": "tokens DESC, place", "level": "level, place",
          "-level": "level DESC, place", "model": "model, place", "verdict": "verdict, place", "id": "id, place"}
"""What rows can be sorted by; the first is the order of their file."""
DAMAGED = {"damaged": "this row cannot be read any more; `lema plan` says what to do"}


@dataclass(frozen=True)
class Query:
    """One state of the page of rows."""

    stage: str
    filters: dict[str, str] = field(default_factory=dict)
    text: str = ""
    sort: str = ""
    page: int = 1
    size: int = 50

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Query":
        """The state that an address names; what it does not understand is as if it were not there."""
        filters = {name: given[name] for name in FILTERS if given.get(name)}
        size = number_in(given.get("size"), 50)
        return cls(given.get("stage", ""), filters, given.get("text", "").strip()[:200],
                   given.get("sort", "") if given.get("sort", "") in ORDERS else "",
                   max(1, number_in(given.get("page"), 1)), size if size in SIZES else 50)

    def address(self, **changes: object) -> str:
        """The part of an address that names this state, with changes; another filter begins at the first page."""
        there = replace(self, **({"page": 1} | changes))
        values = {"stage": there.stage, **there.filters, "text": there.text, "sort": there.sort,
                  "page": there.page if there.page > 1 else "", "size": there.size if there.size != 50 else ""}
        return urlencode({name: value for name, value in values.items() if value != ""})

    def where(self, number: int) -> tuple[str, list]:
        """The condition for rows of the stage with this number."""
        terms, values = ["stage = ?"], [number]
        for name, value in self.filters.items():
            terms.append(f"{name} = ?")
            values.append(number_in(value, -1) if name in ("level", "seed") else value)
        if self.text:
            terms.append(f"place IN (SELECT rowid FROM words_{number} WHERE words_{number} MATCH ?)")
            values.append(_words(self.text))
        return " AND ".join(terms), values


def number_in(text: str | None, otherwise: int) -> int:
    """A number of an address, or what stands for one that is none."""
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else otherwise


def _words(text: str) -> str:
    """What FTS5 is to look for: every word, the last one perhaps unfinished."""
    words = re.findall(r"\w+", text)
    quoted = [f'"{word}"' for word in words]
    return " AND ".join(quoted) + "*" if quoted else '""'


@dataclass(frozen=True)
class RowPage:
    """A page of rows: the index's columns beside what stands in the file."""

    rows: list[tuple[sqlite3.Row, dict]]
    total: int
    pages: int


def page_of(db: sqlite3.Connection, folder: Path, query: Query) -> RowPage:
    """The rows that a state shows."""
    number = number_of(db, query.stage)
    if number is None:
        return RowPage([], 0, 0)
    where, values = query.where(number)
    total = _count(db, query, where, values, number)
    if query.text and not query.filters and not query.sort:
        places = f"SELECT rowid FROM words_{number} WHERE words_{number} MATCH ? ORDER BY rowid LIMIT ? OFFSET ?"
        indexed = db.execute(f"SELECT * FROM rows WHERE place IN ({places}) ORDER BY place",
                             (_words(query.text), query.size, (query.page - 1) * query.size)).fetchall()
        return RowPage(list(zip(indexed, read_all(db, folder, indexed), strict=True)), total,
                       -(-total // query.size))
    pages = -(-total // query.size)
    at = (min(query.page, max(1, pages)) - 1) * query.size
    if not query.sort and not query.filters and not query.text:  # rows of a stage follow each other
        first = db.execute("SELECT min(place) FROM rows WHERE stage = ?", (number,)).fetchone()[0] or 0
        where, values, at = f"{where} AND place >= ?", [*values, first + at], 0
    indexed = db.execute(f"SELECT * FROM rows WHERE {where} ORDER BY {ORDERS[query.sort]} LIMIT ? OFFSET ?",
                         [*values, query.size, at]).fetchall()
    return RowPage(list(zip(indexed, read_all(db, folder, indexed), strict=True)), total, pages)


def _count(db: sqlite3.Connection, query: Query, where: str, values: list, number: int) -> int:
    """How many rows there are; known without counting for a whole stage, or for one filter of it."""
    if query.text and not query.filters:
        return db.execute(f"SELECT count(*) FROM words_{number} WHERE words_{number} MATCH ?",
                          (_words(query.text),)).fetchone()[0]
    if query.text or len(query.filters) > 1:
        return db.execute(f"SELECT count(*) FROM rows WHERE {where}", values).fetchone()[0]
    if not query.filters:
        return db.execute("SELECT rows FROM stages WHERE number = ?", (number,)).fetchone()[0]
    (name, value), = query.filters.items()
    kept = db.execute("SELECT rows FROM choices WHERE stage = ? AND name = ? AND value = ?",
                      (number, name, value)).fetchone()
    return kept[0] if kept else 0


def number_of(db: sqlite3.Connection, stage: str) -> int | None:
    row = db.execute("SELECT number FROM stages WHERE name = ?", (stage,)).fetchone()
    return row["number"] if row else None


def choices_of(db: sqlite3.Connection, stage: str) -> dict[str, list[tuple[str, int]]]:
    """What the rows of a stage can be filtered by: filter → (value, how many rows)."""
    rows = db.execute("SELECT choices.name, value, choices.rows AS count FROM choices JOIN stages ON "
                      "number = stage WHERE stages.name = ? ORDER BY choices.rows DESC, value", (stage,))
    choices: dict[str, list[tuple[str, int]]] = {name: [] for name in FILTERS}
    for row in rows:
        choices[row["name"]].append((row["value"], row["count"]))
    return {name: sorted(values, key=_value) if name in ("level", "seed") else values
            for name, values in choices.items()}


def _value(choice: tuple[str, int]) -> int:
    return int(choice[0])


def read_all(db: sqlite3.Connection, folder: Path, indexed: Iterable[sqlite3.Row]) -> list[dict]:
    """The rows themselves, from the files of their stages; one that is gone or damaged says so."""
    names = dict(db.execute("SELECT number, name FROM stages").fetchall())
    files, rows = {}, []
    try:
        for row in indexed:
            path = folder / names[row["stage"]] / "rows.jsonl"
            if path not in files:
                files[path] = path.open("rb") if path.is_file() and not path.is_symlink() else None
            rows.append(_read(files[path], row))
    finally:
        for file in filter(None, files.values()):
            file.close()
    return rows


def _read(file, row: sqlite3.Row) -> dict:
    if file is None:
        return DAMAGED
    file.seek(row["start"])
    try:
        read = json.loads(file.read(row["size"]))
    except ValueError:
        return DAMAGED
    return read if isinstance(read, dict) else DAMAGED
