"""`lema journal mend`: what can be read of a damaged journal becomes a new one; the damaged file is kept.

One design decision: the damaged file is copied before anything else, and the new one takes its place in one step;
so a kill at any moment leaves a journal that holds all that can be read, and the same command goes on from there.
"""

import contextlib
import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from lema.commands.journal import family, journal_in, opened, size_of
from lema.errors import RunError
from lema.journal import Journal
from lema.journal.checksums import checksum, damaged_rows, is_whole, oldest_of
from lema.journal.jobs import JOB, read_job
from lema.journal.merging import REPLY, TABLES
from lema.runs.folder import held

SMALLEST_ROW = 16  # bytes: so many rows at most are in a file of a given size
JOB_ROWS = f"SELECT {', '.join(JOB)} FROM jobs"
LARGEST_GAP = 2**34  # bytes by which a file is padded: a header that says more is damaged itself


def mend(folder: Path) -> str:
    """Writes what can be read of a damaged journal into a new one and keeps the damaged file beside it; a healthy
    one is left alone. At every moment there is a journal that holds what can be read."""
    path = journal_in(folder)
    with held(folder):
        if (count := _healthy(path)) is not None:
            return f"{path}: healthy, {count:,} completions; nothing to mend"
        try:
            kept = _kept_aside(path)
            _pad(path)
            saved, lost = _saved(path)
        except OSError as error:
            raise RunError(f"{path}: cannot be mended ({error.strerror or error}); make room on the disk, about "
                           f"{2 * size_of(path) / 1e6:,.0f} MB, and run the same command again") from None
    damaged = f" ({lost:,} were damaged)" if lost else ""
    return (f"{path}: {saved:,} completions saved{damaged}; the damaged file is kept as {kept.name}; what is "
            "missing is asked again when a stage needs it")


def _healthy(path: Path) -> int | None:
    """How many completions the journal holds; None where anything of it is damaged."""
    if path.stat().st_size < _declared(path):
        return None
    try:
        Journal(path).close()
        with contextlib.closing(sqlite3.connect(path)) as file:
            if file.execute("PRAGMA integrity_check").fetchall() != [("ok",)] or any(damaged_rows(file)):
                return None
            if None in map(read_job, file.execute(JOB_ROWS)):
                return None
            return file.execute("SELECT count(*) FROM completions").fetchone()[0]
    except (RunError, sqlite3.Error, UnicodeDecodeError):
        return None


def _declared(path: Path) -> int:
    """The size in bytes that the file's header states; 0 where it is no SQLite file."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        return 0
    page = int.from_bytes(header[16:18], "big")
    return (65536 if page == 1 else page) * int.from_bytes(header[28:32], "big")


def _pad(path: Path) -> None:
    """Makes a file that was cut short as long as it says it is: SQLite refuses every row of a shorter one. Then
    what its log holds goes into it, so that the log can be removed."""
    size, declared = path.stat().st_size, _declared(path)
    if size < declared <= size + LARGEST_GAP:
        with path.open("r+b") as file:
            file.truncate(declared)
    with contextlib.suppress(sqlite3.Error, UnicodeDecodeError), contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _saved(path: Path) -> tuple[int, int]:
    """Puts a new journal with all that can be read in the damaged one's place; how many completions it holds, and
    how many were left out because they are not what was written."""
    mended = path.with_name("journal.mended.sqlite")
    for left in family(mended):
        left.unlink(missing_ok=True)
    saved = lost = 0
    with opened(mended) as into:
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.text_factory = lambda stored: stored.decode("utf-8", "replace")
            oldest = _oldest(file)
            for table, columns in TABLES.items():
                with into:
                    for number, row in _readable(file, table, columns, path.stat().st_size):
                        row = _sound(table, row, number, oldest)
                        if row is None:
                            lost += table == "completions"
                            continue
                        added = _add(into, table, columns, row)
                        saved += added and table == "completions"
        into.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _synced(mended)
    for log in family(path)[1:]:  # what it held is in the file by now, and it would be taken for the new one's
        log.unlink(missing_ok=True)
    mended.replace(path)
    return saved, lost


def _oldest(file: sqlite3.Connection) -> int:
    """Row numbers up to this may lack a checksum: all, in a file of before there were any."""
    try:
        return oldest_of(file) if "checksum" in _present(file, "completions") else 2**63
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return 0


def _sound(table: str, row: tuple, number: int, oldest: int) -> tuple | None:
    """A row as it goes into the new journal; None where it is not what was written."""
    if table == "completions":
        return _summed(row, number, oldest)
    columns = dict(zip(TABLES[table], row, strict=False))
    if table == "jobs":
        return row if len(columns) == len(row) and read_job([columns.get(name) for name in JOB]) else None
    return row


def _summed(row: tuple, number: int, oldest: int) -> tuple | None:
    """A completion's row with its checksum; None where it is not what was written."""
    columns = dict(zip(TABLES["completions"], row, strict=False))
    if not isinstance(columns["finish"], str):
        return None
    content = [columns["key"], columns["text"], columns["finish"].encode(), columns["prompt_tokens"],
               columns["tokens"], columns.get("share", 1.0)]
    if not is_whole((*content, columns.get("checksum"), number), oldest):
        return None
    return (*row[:len(REPLY) - 1], content[-1], checksum(*content), bool(columns.get("reckoned")))


def _add(into: sqlite3.Connection, table: str, columns: tuple[str, ...], row: tuple) -> int:
    names, marks = ", ".join(columns[:len(row)]), ", ".join("?" * len(row))
    return into.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", row).rowcount


def _present(file: sqlite3.Connection, table: str) -> set[str]:
    return set(map(itemgetter(1), file.execute(f"PRAGMA table_info({table})")))


def _readable(file: sqlite3.Connection, table: str, columns: tuple[str, ...],
              size: int) -> Iterator[tuple[int, tuple]]:
    """Every row that can be read, with its number. Ranges of row numbers that cannot are cut in halves down to
    single rows."""
    try:
        present = _present(file, table)
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return
    names = list(filter(present.__contains__, columns))
    ranges = [(1, _last(file, table, columns[0], size))] if names else []
    while ranges:
        low, high = ranges.pop()
        try:
            rows = file.execute(f"SELECT rowid, {', '.join(names)} FROM {table} NOT INDEXED WHERE rowid "
                                "BETWEEN ? AND ? ORDER BY rowid", (low, high)).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            if low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
            continue
        for number, *row in rows:
            if isinstance(row[0], bytes | str) and None not in row[:len(REPLY)]:
                yield number, tuple(row)


def _last(file: sqlite3.Connection, table: str, key: str, size: int) -> int:
    """The last row number: of the table, else of its index, else the most that a file of that size can hold."""
    by_key = f"INDEXED BY sqlite_autoindex_{table}_1 WHERE {key} >= x'' OR {key} < x''"
    for where in ("", by_key):
        with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
            return file.execute(f"SELECT max(rowid) FROM {table} {where}").fetchone()[0] or 0
    return size // SMALLEST_ROW


def _kept_aside(path: Path) -> Path:
    """A copy of the damaged file and of its log, whole before it has its name; returns the name."""
    names = (path.with_name(f"journal.damaged-{number}.sqlite") for number in range(1, 1000))
    kept = next(itertools.filterfalse(Path.exists, names))
    for file in reversed(family(path)[:2]):  # the log first: with the file, everything is there
        if file.exists():
            part = kept.with_name(kept.name + ".part")
            part.unlink(missing_ok=True)
            shutil.copyfile(file, part, follow_symlinks=False)
            _synced(part)
            part.replace(kept.with_name(kept.name + file.name.removeprefix(path.name)))
    return kept


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
