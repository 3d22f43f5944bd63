"""What stands in a journal's place when it is opened: a journal, whole, on a disk where processes can share it.

One design decision: a log beside a journal means that whoever wrote it was killed or lost its power, or is still
writing; nobody can tell which, so SQLite's own check reads the file through before anything is believed or added.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from lema.errors import RunError
from lema.files import is_plain

PATIENCE = 60  # seconds to wait for another process's transaction
SHARDS = "shards"
"""The folder beside a journal in which each actor of a cluster keeps its replies until the journal has them."""
NETWORKED = ("nfs", "cifs", "smb", "lustre", "ceph", "glusterfs", "beegfs", "gpfs", "afs", "9p", "fuse.")
"""What kinds of file systems are called, at their beginning, that machines share."""
OURS = {"key", "model", "request", "path", "text", "finish", "prompt_tokens", "tokens", "created"}


def require_plain(path: Path) -> None:
    """RunError where something else than a plain file has a journal's place: a link is never followed, and who
    opened a pipe would wait for ever."""
    if os.path.lexists(path) and not is_plain(path):
        raise RunError(f"{path}: a link or no plain file, which is never followed; put the journal itself there, "
                       "or remove it: what it held is then asked anew")


def was_closed(path: Path) -> bool:
    """Whether a journal was closed by the last who had it open: SQLite then leaves no log, or an empty one."""
    logs = (path.with_name(path.name + end) for end in ("-wal", "-journal"))
    return not any(log.is_file() and log.stat().st_size for log in logs)


def require_sound(file: sqlite3.Connection) -> None:
    """SQLite's own check of all pages, of what they say of each other, and of every index (0.7 s for 100,000
    completions of 160 MB); sqlite3.DatabaseError where it fails."""
    (problem,), *_ = file.execute("PRAGMA integrity_check(1)").fetchall()
    if problem != "ok":
        error = sqlite3.DatabaseError(f"it was not closed, and SQLite's check says: {' '.join(problem.split())}")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error


@contextlib.contextmanager
def looked_at(path: Path, how: str = "mode=ro") -> Iterator[sqlite3.Connection]:
    """A journal open for reading alone, read through first where it was not closed; its log stays, so that a
    damaged one is refused by the next who opens it too. sqlite3.Error where it cannot be read, or is damaged."""
    address = f"{path.absolute().as_uri()}?{how}"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as file:
        if not was_closed(path):
            facts = path.stat()
            if _SOUND.get(path) != (facts.st_ino, facts.st_mtime_ns):
                require_sound(file)
                _SOUND[path] = facts.st_ino, facts.st_mtime_ns
        yield file


_SOUND: dict[Path, tuple[int, int]] = {}
"""Which files this process has read through, as they then were: whoever watches a run looks every few seconds."""


def require_journal(file: sqlite3.Connection, path: Path) -> None:
    """RunError where an open database is of something else than a journal, so that nothing is written into it."""
    tables = file.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
    if tables and OURS - columns_of(file, "completions"):
        raise RunError(f"{path}: an SQLite file of something else, no journal; name a run, or a journal.sqlite")


def columns_of(file: sqlite3.Connection, table: str) -> set[str]:
    return {column[1] for column in file.execute(f"PRAGMA table_info({table})")}


def kind_of_disk(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """What the kernel calls the file system of a path, such as "ext4" or "nfs4"; "" where it does not say."""
    place, longest, kind = str(path.absolute().parent.resolve()), -1, ""
    with contextlib.suppress(OSError, ValueError):
        for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
            _, mounted, name, *_ = line.split(" ")
            within = place == mounted or place.startswith(mounted.rstrip("/") + "/")
            if within and len(mounted) >= longest:
                longest, kind = len(mounted), name
    return kind


def mode_for(path: Path) -> str:
    """SQLite's journal mode for a file: the one that processes of a machine share best, but where machines share
    the disk, since its log lies in memory that they do not; there one process opens the file."""
    away = path.absolute().parent.name == SHARDS or kind_of_disk(path).startswith(NETWORKED)
    return "truncate" if away else "wal"


def shared(connection: sqlite3.Connection, mode: str) -> str:
    """Switches to the mode that processes can share and returns the mode. SQLite does not wait at this switch, as
    it does elsewhere, where others open a new file at the same moment."""
    given_up = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute(f"PRAGMA journal_mode={mode}").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > given_up:
                raise
            time.sleep(0.01)


_DAMAGED = ("damaged ({error}); `lema journal mend {run}` saves what can be read, keeps the damaged file, and "
            "leaves finished stages as they are")
_FULL = "cannot be written ({error}); make room on the disk and run the same command again: what it holds is kept"
_CLOSED = "cannot be opened for writing ({error}); check that its folder is there and that you may write in it"
REMEDIES = {
    sqlite3.SQLITE_CORRUPT: _DAMAGED, sqlite3.SQLITE_NOTADB: _DAMAGED,
    # of a file whose pages say other things of its tables than what was made
    sqlite3.SQLITE_ERROR: _DAMAGED, sqlite3.SQLITE_CONSTRAINT: _DAMAGED, sqlite3.SQLITE_MISMATCH: _DAMAGED,
    sqlite3.SQLITE_FORMAT: _DAMAGED, sqlite3.SQLITE_TOOBIG: _DAMAGED,
    sqlite3.SQLITE_FULL: _FULL, sqlite3.SQLITE_IOERR: _FULL,
    sqlite3.SQLITE_READONLY: _CLOSED, sqlite3.SQLITE_CANTOPEN: _CLOSED, sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_BUSY: "held by another process for over a minute ({error}); end that one and run again",
}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into a RunError of one line."""
    try:
        yield
    except UnicodeDecodeError:  # of an error whose words are damaged too
        words = "its tables have no names that can be read"
        raise RunError(f"{path}: {_DAMAGED.format(error=words, run=path.parent)}") from None
    except sqlite3.Error as error:
        undecodable = type(error) is sqlite3.OperationalError and not hasattr(error, "sqlite_errorcode")
        code = sqlite3.SQLITE_CORRUPT if undecodable else getattr(error, "sqlite_errorcode", 0)
        remedy = REMEDIES.get(code & 0xFF)
        if remedy is None:
            raise
        words = " ".join(str(error).split())
        raise RunError(f"{path}: {remedy.format(error=words, run=path.parent)}") from None
