"""Records put aside on disk: found again by a key, or read back in the order of their keys.

One design decision: a verb that must look something up, sort or group keeps nothing in memory but puts it here, so
that a million rows need no more memory than ten thousand. The file belongs to one verb's call and has no name in
its folder: whatever ends the process, nothing of it stays.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Generic, TypeVar

from lema.records import from_row, to_row

Record = TypeVar("Record")
PUT = 1000  # rows handed to SQLite at once


class Shelf(Generic[Record]):
    """Records of `kinds` under text keys; several may share a key and keep the order in which they were put.

    Everything is put before anything is read. Disk space is the rows' and some 40 bytes each.
    """

    def __init__(self, folder: Path, *kinds: type[Record]) -> None:
        self.kinds = kinds
        self._db = _opened(folder, "CREATE TABLE rows (key TEXT NOT NULL, kind INTEGER NOT NULL, row TEXT)")
        self._waiting: list[tuple[str, int, str]] = []
        self._reading = False
        self._last: tuple[str | None, Record | None] = (None, None)

    def put(self, key: str, record: Record) -> None:
        self._waiting.append((key, self.kinds.index(type(record)), to_row(record)))
        if len(self._waiting) >= PUT:
            self._flush()

    def fill(self, records: Iterable[tuple[str, Record]]) -> "Shelf[Record]":
        """Puts all of them, and returns itself."""
        for key, record in records:
            self.put(key, record)
        return self

    def get(self, key: str) -> Record | None:
        """The first record that was put under `key`; None where there is none. Asking twice costs once."""
        if self._last[0] != key:
            self._last = (key, next(iter(self.under(key)), None))
        return self._last[1]

    def under(self, key: str) -> list[Record]:
        """All records that were put under `key`."""
        self._index()
        found = self._db.execute("SELECT kind, row FROM rows WHERE key = ? ORDER BY rowid", (key,))
        return [self._record(kind, row) for kind, row in found]

    def groups(self) -> Iterator[tuple[str, list[Record]]]:
        """(key, its records) in the order of the keys."""
        self._index()
        rows = self._db.execute("SELECT key, kind, row FROM rows ORDER BY key, rowid")
        for key, several in groupby(rows, key=lambda row: row[0]):
            yield key, [self._record(kind, row) for _, kind, row in several]

    def __enter__(self) -> "Shelf[Record]":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def _record(self, kind: int, row: str) -> Record:
        return from_row(self.kinds[kind], row, "shelf")

    def _index(self) -> None:
        if not self._reading:
            self._flush()
            self._db.execute("CREATE INDEX by_key ON rows (key)")
            self._reading = True

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?)", self._waiting)
        self._waiting.clear()


class Seen:
    """A set of texts on disk that only grows."""

    def __init__(self, folder: Path) -> None:
        self._db = _opened(folder, "CREATE TABLE seen (text TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, text: str) -> bool:
        """Adds `text`; whether it was new."""
        return self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (text,)).rowcount == 1

    def __contains__(self, text: str) -> bool:
        return self._db.execute("SELECT 1 FROM seen WHERE text = ?", (text,)).fetchone() is not None

    def __enter__(self) -> "Seen":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()


def _opened(folder: Path, table: str) -> sqlite3.Connection:
    """A database of one table in a file without a name: it is unlinked as soon as it is open."""
    number = 0
    while (path := folder / f"shelf-{number}").exists():
        number += 1
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "temp_store = FILE",
                   "cache_size = -8000"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(table)
    path.unlink()
    db.execute("BEGIN")
    return db
