"""Every completion is kept once: the journal under all model backends.

One design decision: a completion is on the disk before anybody sees it, under a key that is a hash of everything
that reaches the model. So a run that is killed at any moment and started again asks only for what was in flight,
and a completion that was seen once is the same for ever. One thread per process writes, all that has come since
its last commit in one transaction; any number of processes may share the file.
"""

import contextlib
import hashlib
import queue
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

from lema.errors import ModelError, RunError
from lema.journal.jobs import JOBS, Jobs
from lema.journal.waiting import AHEAD, OPEN, READ, Call, Counted, Gate, Line, call_of
from lema.messages import BatchedModel, Completion, Model, Request

GROUP = 1000  # rows in one transaction
SLOW = 0.005  # seconds: a model this slow is waited for less than the disk is
PATIENCE = 60  # seconds to wait for another process's transaction

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


class Journal:
    """The SQLite file of a run's completions, open for reading and writing; RunError where that fails.

    Texts are kept as UTF-8 bytes with lone surrogates passed through, so that any string comes back as it was.
    Failed completions go into a table of their own: they are recorded, but never given as an answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._explained():
            self._reading, self._writing = self._connect(), self._connect()
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def known(self, keys: Sequence[bytes]) -> dict[bytes, Completion]:
        """The completions kept under `keys`; keys without one are left out."""
        with self._lock, self._explained():
            return _find(self._reading, keys)

    def holds(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of `keys` under which a completion is kept."""
        with self._lock, self._explained():
            return {row[0] for row in _select(self._reading, "key", keys)}

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

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        if _shared(connection) != "wal":
            raise RunError(f"{self.path}: this file system cannot hold a journal that processes share; put the "
                           "run on a local disk")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in f"{SCHEMA} {JOBS}".split(";"):
            connection.execute(statement)
        for table in ("completions", "failures"):
            if "share" not in [column[1] for column in connection.execute(f"PRAGMA table_info({table})")]:
                connection.execute(ADD_SHARE.format(table))
        connection.execute("COMMIT")
        return connection

    def _write(self) -> None:
        open_for_more = True
        while open_for_more:
            items = [self._inbox.get()]
            while len(items) < GROUP and not self._inbox.empty():
                items.append(self._inbox.get())
            open_for_more = None not in items
            self._commit([item for item in items if item is not None])

    def _commit(self, items: list[tuple[Call, Completion, Future]]) -> None:
        try:
            with self._explained():
                kept = _insert(self._writing, [item[:2] for item in items])
        except Exception as error:  # whoever waits for a ticket must hear of it, whatever it is
            for *_, ticket in items:
                ticket.set_exception(error)
        else:
            for (*_, ticket), completion in zip(items, kept, strict=True):
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


def complete(journal: Journal, model: Model, requests: Iterable[Request],
             counted: Counted = lambda completion, known: None, gate: Gate = OPEN) -> Iterator[Completion]:
    """One completion per request, in request order, each on the disk before it is yielded.

    Known ones come from the journal, the rest from the model; equal requests are asked once. Memory is bounded,
    except that a BatchedModel needs the whole list of requests (not of texts) at once. What is missing goes out
    only as far as the `gate` admits it; a BatchedModel runs here and costs nothing.
    """
    if hasattr(model, "batches"):
        return _by_batches(journal, model, list(requests), counted)
    if hasattr(model, "jobs"):
        model.jobs = journal.jobs(model.identity())
    return _streamed(journal, model, requests, counted, gate)


def _streamed(journal: Journal, model: Model, requests: Iterable[Request], counted: Counted, gate: Gate
              ) -> Iterator[Completion]:
    line = Line(journal.known, journal.put, model.identity(), iter(requests), counted, gate,
                getattr(model, "ahead", AHEAD))
    while line.misses or not line.ended:
        if line.misses:
            yield from _asked(line, model)
        else:
            line.read()
            yield from line.answered()
    assert not line.places, "every request read was answered"


def _asked(line: Line, model: Model) -> Iterator[Completion]:
    """Lets the model work on the line's missing requests and yields what is answered meanwhile."""
    tells = getattr(model, "complete_telling", None)
    answers = tells(line.to_ask(), line.arrived) if tells else model.complete(line.to_ask())
    given = 0
    with contextlib.closing(answers) if hasattr(answers, "close") else contextlib.nullcontext():
        asked_at = time.monotonic()
        for completion in answers:
            if not tells:
                line.arrived(given, completion)
            given += 1
            # a fast model is not held up by a commit per row; a slow one's rows are not held back for the next
            yield from line.answered() if time.monotonic() - asked_at > SLOW else line.settled()
            asked_at = time.monotonic()
    if given != line.took or line.taken or not given:
        raise ModelError(f"{type(model).__module__}: gave {given} completions for {line.took} requests; a backend "
                         "must give (and, if it tells, tell) one each, a failure included")
    yield from line.answered()


def _by_batches(journal: Journal, model: BatchedModel, requests: Sequence[Request], counted: Counted
                ) -> Iterator[Completion]:
    """Runs every batch with a missing member as a whole, then reads all texts back in request order."""
    identity = model.identity()
    keys = [call_of(identity, request).key for request in requests]
    first = {key: position for position, key in reversed(list(enumerate(keys)))}
    unique = [requests[position] for position in sorted(first.values())]
    names = [keys[position] for position in sorted(first.values())]
    missing = set(names) - journal.holds(names)
    failed: dict[bytes, Completion] = {}
    for batch in model.batches(unique):
        lacking = [position for position in batch if names[position] in missing]
        if lacking:
            came = dict(zip(batch, model.complete([unique[position] for position in batch]), strict=True))
            tickets = [journal.put(call_of(identity, unique[position]), came[position]) for position in lacking]
            for position, ticket in zip(lacking, tickets, strict=True):
                counted(ticket.result(), False)
                if ticket.result().failed:
                    failed[names[position]] = ticket.result()
    for start in range(0, len(keys), READ):
        known = journal.known(keys[start:start + READ])
        for key in keys[start:start + READ]:
            completion = failed.get(key) or known[key]
            if key in missing:
                missing.discard(key)  # it was counted when it came
            else:
                counted(completion, True)
            yield completion


def _insert(connection: sqlite3.Connection, items: Sequence[tuple[Call, Completion]]) -> list[Completion]:
    """Writes the items in one transaction and returns what is kept for each of them."""
    rows: dict[str, list[tuple]] = {INSERT_COMPLETION: [], INSERT_FAILURE: []}
    facts = {}
    now = time.time()
    for call, it in items:
        request = hashlib.sha256(call.facts.encode()).digest()
        facts[request] = call.facts
        rows[INSERT_FAILURE if it.failed else INSERT_COMPLETION].append(
            (call.key, call.model, request, call.path, it.text.encode("utf-8", "surrogatepass"),
             it.finish.encode("utf-8", "replace").decode(), it.prompt_tokens, it.tokens, now, it.share))
    with connection:  # rolls back on an error
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT_FACTS, facts.items())
        before = connection.total_changes
        for insert, its_rows in rows.items():
            connection.executemany(insert, its_rows)
        written = connection.total_changes - before
    if written == len(items):
        return [completion for _, completion in items]
    kept = _find(connection, [call.key for call, _ in items])  # another process had some of them before
    return [it if it.failed else kept[call.key] for call, it in items]


def _select(connection: sqlite3.Connection, columns: str, keys: Sequence[bytes]) -> Iterator[tuple]:
    for start in range(0, len(keys), READ):
        part = keys[start:start + READ]
        yield from connection.execute(
            f"SELECT {columns} FROM completions WHERE key IN ({', '.join('?' * len(part))})", part)


def _find(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Completion]:
    return {key: Completion(text.decode("utf-8", "surrogatepass"), *rest)
            for key, text, *rest in _select(connection, "key, text, finish, prompt_tokens, tokens, share", keys)}
