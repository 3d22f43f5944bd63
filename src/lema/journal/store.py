"""The journal's file: one SQLite database that any number of threads and processes write into at once.

One design decision: one thread of each process writes, all that has come since its last commit in one transaction,
and whoever put something gets a ticket that is done when it is on the disk.
"""

import contextlib
import hashlib
import queue
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from lema.errors import RunError
from lema.files import is_plain
from lema.journal.checksums import KEPT, checksum, is_whole, oldest_of, put_aside
from lema.journal.jobs import JOBS, Jobs
from lema.journal.opening import (
    PATIENCE,
    columns_of,
    explained,
    looked_at,
    mode_for,
    require_journal,
    require_plain,
    shared,
    was_closed,
)
from lema.journal.usage import CEILING
from lema.journal.waiting import READ, Call
from lema.messages import Completion

GROUP = 1000  # rows in one transaction: more would hold up other processes, and nothing is gained

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (hash BLOB NOT NULL UNIQUE, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS completions (
    key BLOB NOT NULL UNIQUE, model TEXT NOT NULL, request BLOB NOT NULL, path INTEGER NOT NULL,
    text BLOB NOT NULL, finish TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL,
    created REAL NOT NULL, share REAL NOT NULL DEFAULT 1.0, checksum BLOB, reckoned INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS failures (
    key BLOB NOT NULL, model TEXT NOT NULL, request BLOB NOT NULL, path INTEGER NOT NULL,
    text BLOB NOT NULL, finish TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL,
    created REAL NOT NULL, share REAL NOT NULL DEFAULT 1.0, reckoned INTEGER NOT NULL DEFAULT 0);
"""
REPLY = ("key", "model", "request", "path", "text", "finish", "prompt_tokens", "tokens", "created", "share",
         "reckoned")
INSERT_FACTS = "INSERT INTO requests VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"
INSERT = f"INSERT INTO {{}} ({', '.join(REPLY)}{{}}) VALUES ({', '.join('?' * len(REPLY))}{{}})"
INSERT_COMPLETION = INSERT.format("completions", ", checksum", ", ?") + " ON CONFLICT (key) DO NOTHING"
INSERT_FAILURE = INSERT.format("failures", "", "")
# an older journal may hold what a server claimed and nobody checked: less than nothing, or more than adds up
FIGURES = f"max(0, min(prompt_tokens, {CEILING})) AS prompt_tokens, max(0, min(tokens, {CEILING})) AS tokens"
SHARE = "CASE WHEN typeof(share) = 'real' AND share BETWEEN 0 AND 1 THEN share ELSE 1.0 END AS share"
COLUMNS = f"CAST(model AS TEXT) AS model, {FIGURES}, {SHARE}"
SPENT = ("SELECT model, count(*), sum(prompt_tokens), sum(tokens), sum(share * prompt_tokens), "
         f"sum(share * tokens) FROM (SELECT {COLUMNS} FROM completions UNION ALL SELECT {COLUMNS} FROM failures) "
         "WHERE model != '' GROUP BY model ORDER BY model")
LATER = {"share": "REAL NOT NULL DEFAULT 1.0", "reckoned": "INTEGER NOT NULL DEFAULT 0"}
"""Columns that older journals lack: they are of before there were batches, and before usage was checked."""


class Journal(contextlib.AbstractContextManager):
    """The SQLite file of a run's completions, open for reading and writing; RunError where that fails.

    Texts are kept as UTF-8 bytes with lone surrogates passed through, so that any string comes back as it was.
    Failed completions go into a table of their own: they are recorded, but never given as an answer. `damaged` are
    the keys whose completion was met but is no more what was written: they count as not there.
    """

    def __init__(self, path: Path, *, read_through: bool = False) -> None:
        """A journal that was not closed is read through first; `read_through`: whoever started this process has
        done that, and holds the journal open."""
        self.path = path
        self.damaged: set[bytes] = set()
        require_plain(path)
        with explained(self.path):
            if not (read_through or was_closed(path)):
                # the log of the other mode is taken back by whoever may write; this one must stay as it is
                with looked_at(path, "mode=ro" if mode_for(path) == "wal" else "mode=rw"):
                    pass
            self._reading, self._writing = self._connect(), self._connect()
        # Several threads of this process read over one connection: whoever reads holds the lock, and the others
        # wait for the milliseconds of a lookup. The writer has a connection of its own and waits for none of them.
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def kept(self, keys: Sequence[bytes]) -> dict[bytes, Completion]:
        """The completions kept under `keys`; keys without one are left out."""
        with self._lock, explained(self.path):
            kept, damaged = _find(self._reading, keys, self._oldest)
        self.damaged |= damaged.keys()
        return kept

    def holds(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of `keys` under which a completion is kept."""
        held: set[bytes] = set()
        for start in range(0, len(keys), READ):
            held |= self.kept(keys[start:start + READ]).keys()
        return held

    def spent(self) -> list[tuple[str, int, int, int, float, float]]:
        """What served models gave, failures included: (model, replies, prompt tokens, tokens, and both weighed by
        the share of the price that was charged)."""
        with self._lock, explained(self.path):
            return self._reading.execute(SPENT).fetchall()

    def has_text_of(self, model: str) -> bool:
        """Whether a served model ever wrote anything."""
        with self._lock, explained(self.path):
            wrote = "SELECT 1 FROM completions WHERE model = ? AND text != x'' LIMIT 1"
            return self._reading.execute(wrote, (model,)).fetchone() is not None

    def jobs(self, identity: dict) -> Jobs:
        """Where a backend notes the jobs that outlive this process."""
        return Jobs(self.path, identity)

    def put(self, call: Call, completion: Completion) -> "Future[Completion]":
        """Hands a completion to the writer, at once and from any thread. The result, which is there when it is
        on the disk, is what is kept under the key from now on: that of another process if it came first."""
        ticket: Future[Completion] = Future()
        self._inbox.put((call, completion, ticket))
        return ticket

    def close(self) -> None:
        """Writes what was put and closes the file. A second call does nothing."""
        if self._writer.is_alive():
            self._inbox.put(None)
            self._writer.join()
            with self._lock:
                self._reading.close()
            self._writing.close()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        connection.text_factory = _text
        require_journal(connection, self.path)
        if shared(connection, mode := mode_for(self.path)) != mode:
            raise RunError(f"{self.path}: this file system cannot hold a journal that processes share; put the "
                           "run on a local disk")
        # with less, SQLite's WAL may lose the last commits in a power cut: completions that were paid for
        connection.execute("PRAGMA synchronous=FULL")
        # the right to write is taken first: of two processes that both began by reading, SQLite refuses the later
        # one at once, where like this it waits for its turn
        connection.execute("BEGIN IMMEDIATE")
        for statement in f"{SCHEMA} {JOBS}".split(";"):
            connection.execute(statement)
        for table in ("completions", "failures"):
            for name, kind in LATER.items():
                if name not in columns_of(connection, table):
                    connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
        if "checksum" not in columns_of(connection, "completions"):
            connection.execute("ALTER TABLE completions ADD COLUMN checksum BLOB")
            last = connection.execute("SELECT max(rowid) FROM completions").fetchone()[0] or 0
            connection.execute(f"PRAGMA user_version = {last}")
        connection.execute("COMMIT")
        self._oldest = oldest_of(connection)
        return connection

    def _write(self) -> None:
        """A commit waits for the disk, however much is in it; so all that came during one goes into the next: of a
        fast model many rows, of a slow one a single row, which waits for no others."""
        open_for_more = True
        while open_for_more:
            group = [self._inbox.get()]
            while len(group) < GROUP and not self._inbox.empty():
                group.append(self._inbox.get())
            open_for_more = None not in group
            self._commit([put for put in group if put is not None])

    def _commit(self, group: list[tuple[Call, Completion, Future]]) -> None:
        try:
            with explained(self.path):
                kept = _insert(self._writing, group, self._oldest)
        except Exception as error:  # whoever waits for a ticket must hear of it, whatever it is
            for *_, ticket in group:
                ticket.set_exception(error)
        else:
            for (*_, ticket), completion in zip(group, kept, strict=True):
                ticket.set_result(completion)


def _text(stored: bytes) -> str:
    """A damaged text is read all the same: where it matters, its checksum tells."""
    return stored.decode("utf-8", "replace")


def spent_in(path: Path) -> list[tuple[str, int, int, int, float, float]]:
    """`Journal.spent` of a file that is only looked at, on a disk that may be read-only; empty where it cannot be
    read, which whoever writes to it is told."""
    if not is_plain(path):
        return []
    for how in ("mode=ro", "immutable=1"):
        try:
            with looked_at(path, how) as file:
                return file.execute(SPENT).fetchall()
        except (sqlite3.OperationalError, UnicodeDecodeError):
            continue
        except sqlite3.DatabaseError:
            break
    return []


def last_replies(path: Path, count: int) -> list[tuple[str, str, float]]:
    """The last completions of a journal that is only looked at: model, text, when. sqlite3.Error where it cannot
    be read."""
    with looked_at(path) as file:
        rows = file.execute("SELECT model, text, created FROM completions ORDER BY rowid DESC LIMIT ?", (count,))
        return [(model, bytes(text).decode("utf-8", "replace"), created) for model, text, created in rows]


def _insert(connection: sqlite3.Connection, group: Sequence[tuple[Call, Completion, Future]],
            oldest: int) -> list[Completion]:
    """Writes the group in one transaction and returns what is kept for each of them."""
    facts, failures, completions = {}, [], {}
    now = time.time()
    for call, completion, _ in group:
        request = hashlib.sha256(call.facts.encode()).digest()
        facts[request] = call.facts
        row = _row(call, completion, request, now)
        if completion.failed:
            failures.append(row)
        else:
            completions.setdefault(call.key, row)
    with connection:  # rolls back on an error
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT_FACTS, facts.items())
        connection.executemany(INSERT_FAILURE, failures)
        before = connection.total_changes
        connection.executemany(INSERT_COMPLETION, completions.values())
        kept = {}
        if connection.total_changes - before < len(group) - len(failures):
            # another process had some of them before: what it keeps is the answer from now on, if it is whole
            kept, damaged = _find(connection, list(completions), oldest)
            put_aside(connection, list(damaged.values()))
            connection.executemany(INSERT_COMPLETION, map(completions.__getitem__, damaged))
    return [completion if completion.failed else kept.get(call.key, completion) for call, completion, _ in group]


def _row(call: Call, completion: Completion, request: bytes, now: float) -> tuple:
    """A row of completions, or without its checksum one of failures."""
    text, finish = completion.text.encode("utf-8", "surrogatepass"), completion.finish.encode("utf-8", "replace")
    figures = completion.prompt_tokens, completion.tokens
    row = (call.key, call.model, request, call.path, text, finish.decode(), *figures, now, completion.share,
           completion.reckoned)
    return row if completion.failed else (*row, checksum(call.key, text, finish, *figures, completion.share))


def _find(connection: sqlite3.Connection, keys: Sequence[bytes],
          oldest: int) -> tuple[dict[bytes, Completion], dict[bytes, int]]:
    """The completions that are kept under the keys, and the row numbers of those that are damaged."""
    kept, damaged = {}, {}
    for start in range(0, len(keys), READ):
        part = keys[start:start + READ]
        marks = ", ".join("?" * len(part))
        rows = connection.execute(f"SELECT reckoned, {KEPT} FROM completions WHERE key IN ({marks})", part)
        for reckoned, *row in rows:
            if is_whole(row, oldest):
                key, text, finish, prompt_tokens, tokens, share, *_ = row
                answer, figures = text.decode("utf-8", "surrogatepass"), map(_countable, (prompt_tokens, tokens))
                kept[key] = Completion(answer, finish.decode(), *figures, share, bool(reckoned))
            else:
                damaged[row[0]] = row[-1]
    return kept, damaged


def _countable(figure: int) -> int:
    """A figure of before usage was checked, as `FIGURES` has it."""
    return max(0, min(figure, CEILING))
