"""One journal's rows put into another: another run's, or the shards in which the actors of a cluster kept theirs.

One design decision: the file that is read stays as it is until the other has all of it on the disk, so that a kill
in between costs nothing and the same call goes on.
"""

import contextlib
import sqlite3
from functools import partial
from pathlib import Path

from lema.errors import RunError
from lema.journal.checksums import KEPT, checksum, damaged_rows, is_whole, oldest_of, put_aside
from lema.journal.opening import PATIENCE, SHARDS, explained
from lema.journal.store import Journal

REPLY = ("key", "model", "request", "path", "text", "finish", "prompt_tokens", "tokens", "created", "share")
TABLES = {  # columns in the order in which a row is written; those without a place in an older file get a default
    "requests": ("hash", "facts"),
    "completions": (*REPLY, "checksum", "reckoned"), "failures": (*REPLY, "reckoned"),
    "jobs": ("name", "model", "state", "file", "batch", "requests", "owner", "created"),
}
CHECKED = f"{', '.join(REPLY)}, checked({KEPT}) AS checked, reckoned"


def merged(path: Path, source: Path) -> int:
    """Adds to the journal in `path` what another file holds and returns how many completions were new. RunError
    where the other is no journal; it is closed when this returns, and brought up to date."""
    added = {}
    Journal(source).close()
    with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as file, explained(path):
        file.execute("PRAGMA synchronous=FULL")
        file.execute("ATTACH ? AS other", (str(source),))
        file.create_function("checked", 8, partial(_checked, oldest_of(file, "other")))
        with file:
            put_aside(file, list(damaged_rows(file)))  # the other's may be whole
            for table, columns in TABLES.items():
                names = ", ".join(columns)
                values, only = (CHECKED, "checked IS NOT NULL") if table == "completions" else (names, "true")
                added[table] = file.execute(
                    f"INSERT INTO main.{table} ({names}) SELECT {values} FROM other.{table} WHERE {only} "
                    f"{_only_new(table)}").rowcount
    return added["completions"]


def gathered_shards(path: Path) -> int:
    """Merges every shard that was left beside the journal in `path`, where a run was killed, and removes it; how
    many completions it alone held. Nobody may have one open. RunError where one is damaged."""
    new = 0
    for shard in sorted((path.parent / SHARDS).glob("*.sqlite")):
        try:
            new += merged(path, shard)
        except RunError as error:
            raise RunError(f"{shard}: cannot be read ({error}); move it away and run the same command again: what "
                           "it alone holds is asked anew") from None
        remove_shard(shard)
    return new


def remove_shard(shard: Path) -> None:
    """Removes a shard with SQLite's files beside it."""
    for end in ("-journal", "-wal", "-shm", ""):  # the file last: alone its log would be another one's
        shard.with_name(shard.name + end).unlink(missing_ok=True)


def _checked(oldest: int, *row: object) -> bytes | None:
    """The checksum of a row that is as it was written, else None."""
    if is_whole(row, oldest):
        return row[6] or checksum(*row[:6])
    return None


def _only_new(table: str) -> str:
    """Rows of these tables have a key of their own; a failure counts as often as it happened, and a clock that
    jumped may say the same of two."""
    if table == "failures":
        return "AND (key, created) NOT IN (SELECT key, created FROM main.failures)"
    return "ON CONFLICT DO NOTHING"
