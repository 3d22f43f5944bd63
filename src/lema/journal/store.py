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
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from lema.errors import RunError
from lema.journal.jobs import JOBS, PATIENCE, Jobs
from lema.journal.waiting import READ, Call
from lema.messages import Completion

GROUP = 1000  # rows in one transaction: more would hold up other processes, and nothing is gained

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (hash BLOB NOT NULL UNIQUE, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS completions (
    key BLOB NOT NULL UNIQUE, model TEXT NOT NULL, request BLOB NOT NULL, path INTEGER NOT NULL,
    text BLOB NOT NULL, finish TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL,
    created REAL NOT NULL, share REAL NOT NULL DEFAULT 1.0);
CREATE TABLE IF NOT EXISTS failures (
    key BLOB NOT NULL, model TEXT NOT NULL, request BLOB NOT NULL, path INTEGER NOT NULL,
    text BLOB NOT NULL, finish TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL,
    created REAL NOT NULL, share REAL NOT NULL DEFAULT 1.0);
"""
INSERT_FACTS = "INSERT INTO requests VALUES (?, ?) ON CONFLICT (hash) DO NOTHING"
INSERT_COMPLETION = "INSERT INTO completions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING"
INSERT_FAILURE = "INSERT INTO failures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
COLUMNS = "model, prompt_tokens, tokens, share"
SPENT = ("SELECT model, count(*), sum(prompt_tokens), sum(tokens), sum(share * prompt_tokens), "
         f"sum(share * tokens) FROM (SELECT {COLUMNS} FROM completions UNION ALL SELECT {COLUMNS} FROM failures) "
         "WHERE model != '' GROUP BY model ORDER BY model")
ADD_SHARE = "ALTER TABLE {} ADD COLUMN share REAL NOT NULL DEFAULT 1.0"  # journals of before there were batches


class Journal(contextlib.AbstractContextManager):
    """The SQLite file of a run's completions, open for reading and writing; RunError where that fails.

    Texts are kept as UTF-8 bytes with lone surrogates passed through, so that any string comes back as it was.
    Failed completions go into a table of their own: they are recorded, but never given as an answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            self._reading, self._writing = self._connect(), self._connect()
        # Several threads of this process read over one connection: whoever reads holds the lock, and the others
        # wait for the milliseconds of a lookup. The writer has a connection of its own and waits for none of them.
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def kept(self, keys: Sequence[bytes]) -> dict[bytes, Completion]:
        """The completions kept under `keys`; keys without one are left out."""
        with self._lock, self._explained():
            return _find(self._reading, keys)

    def holds(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of `keys` under which a completion is kept."""
        with self._lock, self._explained():
            return {key for key, in _select(self._reading, "key", keys)}

    def spent(self) -> list[tuple[str, int, int, int, float, float]]:
        """What served models gave, failures included: (model, replies, prompt tokens, tokens, and both weighed by
        the share of the price that was charged)."""
        with self._lock, self._explained():
            return self._reading.execute(SPENT).fetchall()

    def jobs(self, identity: dict) -> Jobs:
        """Where a backend notes the jobs that outlive this process."""
        return Jobs(self.path, identity, self._explained)

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
        if _shared(connection) != "wal":
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
            if "share" not in [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]:
                connection.execute(ADD_SHARE.format(table))
        connection.execute("COMMIT")
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
            with self._explained():
                kept = _insert(self._writing, group)
        except Exception as error:  # whoever waits for a ticket must hear of it, whatever it is
            for *_, ticket in group:
                ticket.set_exception(error)
        else:
            for (*_, ticket), completion in zip(group, kept, strict=True):
                ticket.set_result(completion)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            remedy = REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
            if remedy is None:
                raise
            raise RunError(f"{self.path}: {remedy.format(error=error, run=self.path.parent)}") from None


def _shared(connection: sqlite3.Connection) -> str:
    """Switches to the mode that processes can share and returns the mode. SQLite does not wait at this switch, as
    it does elsewhere, where others open a new file at the same moment."""
    given_up = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
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
    sqlite3.SQLITE_FULL: _FULL, sqlite3.SQLITE_IOERR: _FULL,
    sqlite3.SQLITE_READONLY: _CLOSED, sqlite3.SQLITE_CANTOPEN: _CLOSED, sqlite3.SQLITE_PERM: _CLOSED,
    sqlite3.SQLITE_BUSY: "held by another process for over a minute ({error}); end that one and run again",
}


def spent_in(path: Path) -> list[tuple[str, int, int, int, float, float]]:
    """`Journal.spent` of a file that is only looked at, on a disk that may be read-only; empty where it cannot be
    read, which whoever writes to it is told."""
    for how in ("mode=ro", "immutable=1"):
        with contextlib.suppress(sqlite3.Error), contextlib.closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as file:
            return file.execute(SPENT).fetchall()
    return []


def _insert(connection: sqlite3.Connection,
            group: Sequence[tuple[Call, Completion, Future]]) -> list[Completion]:
    """Writes the group in one transaction and returns what is kept for each of them."""
    rows: dict[str, list[tuple]] = {INSERT_COMPLETION: [], INSERT_FAILURE: []}
    facts = {}
    now = time.time()
    for call, completion, _ in group:
        request = hashlib.sha256(call.facts.encode()).digest()
        facts[request] = call.facts
        rows[INSERT_FAILURE if completion.failed else INSERT_COMPLETION].append(
            (call.key, call.model, request, call.path, completion.text.encode("utf-8", "surrogatepass"),
             completion.finish.encode("utf-8", "replace").decode(), completion.prompt_tokens, completion.tokens,
             now, completion.share))
    with connection:  # rolls back on an error
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT_FACTS, facts.items())
        before = connection.total_changes
        for insert, its_rows in rows.items():
            connection.executemany(insert, its_rows)
        written = connection.total_changes - before
    kept = {}
    if written < len(group):  # another process had some of them before: what it keeps is the answer from now on
        kept = _find(connection, [call.key for call, *_ in group])
    return [completion if completion.failed else kept.get(call.key, completion) for call, completion, _ in group]


def _select(connection: sqlite3.Connection, columns: str, keys: Sequence[bytes]) -> Iterator[tuple]:
    for start in range(0, len(keys), READ):
        part = keys[start:start + READ]
        yield from connection.execute(
            f"SELECT {columns} FROM completions WHERE key IN ({', '.join('?' * len(part))})", part)


def _find(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Completion]:
    return {key: Completion(text.decode("utf-8", "surrogatepass"), *rest)
            for key, text, *rest in _select(connection, "key, text, finish, prompt_tokens, tokens, share", keys)}
