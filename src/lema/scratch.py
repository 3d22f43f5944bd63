"""Records put aside on disk: found again by a key, or read back in the order of their keys or in turns.

One design decision: a verb that must look something up, sort or group keeps nothing in memory but puts it here, so
that a million rows need no more memory than ten thousand. The file belongs to one verb's call and has no name in
its folder (without a folder it lies where the system keeps temporary files): whatever ends the process, nothing of
it stays.
"""

import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, islice, starmap
from pathlib import Path
from typing import Generic, Self, TypeVar

from pydantic_core import PydanticSerializationError

from lema.records import adapter, from_row, to_row

Record = TypeVar("Record")
PUT = 1000  # rows handed to SQLite at once


def by_id(folder: Path | None, kind: type[Record], rows: Iterable[Record]) -> "ScratchTable[Record]":
    """A table of rows by their ids."""
    return by_field("id", folder, kind, rows)


def by_field(name: str, folder: Path | None, kind: type[Record], rows: Iterable[Record]) -> "ScratchTable[Record]":
    """A table of rows by a field, such as the question that they are about."""
    return ScratchTable(folder, kind).fill((getattr(row, name), row) for row in rows)


class _Table:
    """A database of its own, which is gone where its `with` ends."""

    _db: sqlite3.Connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()


class ScratchTable(_Table, Generic[Record]):
    """Records of `kinds` under text keys; several may share a key and keep the order in which they were put.

    Everything is put before anything is read. Disk space is the rows' and some 40 bytes each. `len` is how many
    were put.
    """

    def __init__(self, folder: Path | None, *kinds: type[Record]) -> None:
        self.kinds, self._put = kinds, 0
        self._db = _opened(folder, "CREATE TABLE rows (key TEXT NOT NULL, kind INTEGER NOT NULL, row BLOB)")
        self._waiting: list[tuple[str, int, bytes]] = []
        self._reading = False
        self._last: tuple[str | None, Record | None] = (None, None)

    def put(self, key: str, record: Record) -> None:
        self._put += 1
        self._waiting.append((key, self.kinds.index(type(record)), _packed(record)))
        if len(self._waiting) >= PUT:
            self._flush()

    def fill(self, records: Iterable[tuple[str, Record]]) -> Self:
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
        rows = self._db.execute("SELECT kind, row FROM rows WHERE key = ? ORDER BY rowid", (key,))
        return list(starmap(self._record, rows))

    def __iter__(self) -> Iterator[Record]:
        """All records in the order in which they were put."""
        self._flush()
        return starmap(self._record, self._db.execute("SELECT kind, row FROM rows"))

    def groups(self) -> Iterator[tuple[str, list[Record]]]:
        """(key, its records) in the order of the keys."""
        self._index()
        rows = self._db.execute("SELECT key, kind, row FROM rows ORDER BY key, rowid")
        for key, several in groupby(rows, key=lambda row: row[0]):
            yield key, [self._record(kind, row) for _, kind, row in several]

    def __len__(self) -> int:
        return self._put

    def _record(self, kind: int, row: bytes) -> Record:
        return from_row(self.kinds[kind], row, "shelf")

    def _index(self) -> None:
        if not self._reading:
            self._flush()
            self._db.execute("CREATE INDEX by_key ON rows (key)")
            self._reading = True

    def _flush(self) -> None:
        self._db.executemany("INSERT INTO rows VALUES (?, ?, ?)", self._waiting)
        self._waiting.clear()


class TurnTable(_Table, Generic[Record]):
    """Records of one kind in groups, read back in turns as often as wanted: the first of every group, then the
    second of those that have one, and so on, at most `most` of each; within a turn, and within a group, in the
    order of their keys.

    Everything is put before anything is read. `len` is how many are read back.
    """

    def __init__(self, folder: Path | None, kind: type[Record], most: int | None = None) -> None:
        self.kind, self._most, self._ordered = kind, most, False
        self._db = _opened(folder, "CREATE TABLE rows (family TEXT NOT NULL, key TEXT NOT NULL, row BLOB)")

    def fill(self, records: Iterable[tuple[str, str, Record]]) -> Self:
        """Puts all (group, key, record), and returns itself."""
        records = iter(records)
        while several := [(family, key, _packed(record)) for family, key, record in islice(records, PUT)]:
            self._db.executemany("INSERT INTO rows VALUES (?, ?, ?)", several)
        return self

    def __iter__(self) -> Iterator[Record]:
        self._order()
        rows = self._db.execute("SELECT row FROM turns JOIN rows ON rows.rowid = place ORDER BY turns.rowid")
        return (from_row(self.kind, row, "shelf") for (row,) in rows)

    def __len__(self) -> int:
        self._order()
        return self._db.execute("SELECT count(*) FROM turns").fetchone()[0]

    def _order(self) -> None:
        if not self._ordered:
            self._db.execute(
                "CREATE TABLE turns AS SELECT place FROM (SELECT rowid AS place, key, row_number() OVER "
                "(PARTITION BY family ORDER BY key, rowid) AS turn FROM rows) WHERE ? IS NULL OR turn <= ? "
                "ORDER BY turn, key, place", (self._most, self._most))
            self._ordered = True


class IdTable(_Table):
    """A set of texts on disk that only grows."""

    def __init__(self, folder: Path | None) -> None:
        self._db = _opened(folder, "CREATE TABLE seen (text TEXT PRIMARY KEY) WITHOUT ROWID")

    def add(self, text: str) -> bool:
        """Adds `text`; whether it was new."""
        return self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (text,)).rowcount == 1

    def __contains__(self, text: str) -> bool:
        return self._db.execute("SELECT 1 FROM seen WHERE text = ?", (text,)).fetchone() is not None


def _packed(record: object) -> bytes:
    """The record as JSON that `from_row` reads, written in a fifth of a row's time."""
    try:
        return adapter(type(record)).dump_json(record)
    except PydanticSerializationError:  # a lone surrogate
        return to_row(record).encode()


class _Disk(sqlite3.Connection):
    """A connection that says of a full disk what every other file says, an OSError, which is told in one line."""

    def execute(self, *statement: object) -> sqlite3.Cursor:
        return _tried(super().execute, statement)

    def executemany(self, *statement: object) -> sqlite3.Cursor:
        return _tried(super().executemany, statement)


def _tried(call: Callable[..., sqlite3.Cursor], statement: tuple[object, ...]) -> sqlite3.Cursor:
    try:
        return call(*statement)
    except sqlite3.OperationalError as error:
        full = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
        raise (OSError(errno.ENOSPC, str(error)) if full else error) from None


def _opened(folder: Path | None, table: str) -> sqlite3.Connection:
    """A database of one table in a file without a name: it is unlinked as soon as it is open. It may be read in
    another thread than it was filled in, as backends read the requests that are made of it."""
    number, path = 0, None
    while folder and (path := folder / f"shelf-{number}").exists():
        number += 1
    db = sqlite3.connect(path or "", isolation_level=None, check_same_thread=False, factory=_Disk)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "temp_store = FILE",
                   "cache_size = -8000"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(table)
    if path:
        path.unlink()
    db.execute("BEGIN")
    return db
