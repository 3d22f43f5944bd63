"""Whether a journalled completion is still what was written: a checksum of its own for each.

One design decision: the checksum is keyed with the row's key, so that neither a flipped bit nor a row that an
index points at by mistake ever becomes what a model is said to have written; such a row counts as not there.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import blake2b

KEPT = "key, text, CAST(finish AS BLOB), prompt_tokens, tokens, share, checksum, rowid"
"""The columns of a completion that `is_whole` reads; as bytes, for damaged text cannot be read as text."""
LOST = "error: damaged in the journal"
_ASIDE = ("INSERT OR IGNORE INTO failures (key, model, request, path, text, finish, prompt_tokens, tokens, "
          "created, share, reckoned) SELECT key, model, request, path, x'', ?, prompt_tokens, tokens, created, "
          "share, reckoned FROM completions WHERE rowid = ?")


def checksum(key: bytes, text: bytes, finish: bytes, prompt_tokens: int, tokens: int, share: float) -> bytes:
    """8 bytes of all that is given back under a key."""
    facts = b"%b|%d|%d|%a" % (finish, prompt_tokens, tokens, float(share))
    return blake2b(text + facts, digest_size=8, key=key).digest()


def is_whole(row: Sequence, oldest: int) -> bool:
    """Whether a row of `KEPT` is as it was written. Those up to row number `oldest` are of before there were
    checksums, and are taken as they are."""
    key, text, finish, prompt_tokens, tokens, share, written, number = row
    try:
        if written is None:
            return number <= oldest and all(map(isinstance, row, (bytes, bytes, bytes, int, int, float)))
        return checksum(key, text, finish, prompt_tokens, tokens, share) == written
    except (TypeError, ValueError, OverflowError):  # of another type than it was written with
        return False


def oldest_of(file: sqlite3.Connection, schema: str = "main") -> int:
    """The last row that may lack a checksum: noted when the file got the column."""
    return file.execute(f"PRAGMA {schema}.user_version").fetchone()[0]


def damaged_rows(file: sqlite3.Connection) -> Iterator[int]:
    """The row numbers of the completions that are no more what was written."""
    oldest = oldest_of(file)
    for row in file.execute(f"SELECT {KEPT} FROM main.completions"):
        if not is_whole(row, oldest):
            yield row[-1]


def put_aside(file: sqlite3.Connection, rows: Sequence[int]) -> None:
    """Makes failures of the completions in these rows: what they cost stays on the bill; their place is free."""
    for row in rows:
        file.execute(_ASIDE, (LOST, row))
        file.execute("DELETE FROM completions WHERE rowid = ?", (row,))
