"""`lema journal`: what a run's journal holds, made smaller, filled from another one, or saved after damage.

One design decision: no completion is ever deleted here. What is thrown away is what nothing can come back for
(failures that cost nothing, closed jobs, questions without any answer), and a damaged file is kept as it is beside
the mended one.
"""

import contextlib
import itertools
import json
import sqlite3
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path

from lema.config import Config
from lema.errors import DataError, RunError
from lema.journal import Journal
from lema.runs.budget import served_prices
from lema.runs.folder import held
from lema.runs.prices import Usage

NAME = "journal.sqlite"
REPLY = ("key", "model", "request", "path", "text", "finish", "prompt_tokens", "tokens", "created", "share")
TABLES = {  # columns in the order in which a row is written; those without a place in an older file get a default
    "requests": ("hash", "facts"), "completions": REPLY, "failures": REPLY,
    "jobs": ("name", "model", "state", "file", "batch", "requests", "owner", "created"),
}
SMALLEST_ROW = 16  # bytes: so many rows at most are in a file of a given size


def stats(folder: Path, config: Config, *, as_json: bool) -> str:
    """What the journal holds, by model, with what it cost. RunError where there is no journal."""
    path, prices, models = _there(folder), served_prices(config), {}
    with Journal(path) as journal:
        for model, replies, prompts, tokens, paid_prompts, paid in journal.spent():
            use = Usage(replies, prompt_tokens=prompts, tokens=tokens, paid_prompt_tokens=paid_prompts,
                        paid_tokens=paid)
            models[model] = {"replies": replies, "prompt_tokens": prompts, "tokens": tokens,
                             "dollars": use.cost(prices(model))}
    with contextlib.closing(sqlite3.connect(path)) as file:
        counts = {table: file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
        here = file.execute("SELECT count(*), sum(prompt_tokens), sum(tokens) FROM completions "
                            "WHERE model = ''").fetchone()
        open_jobs = file.execute("SELECT count(*) FROM jobs WHERE state != 'closed'").fetchone()[0]
    facts = {"journal": str(path), "bytes": _size(path), "completions": counts["completions"],
             "failures": counts["failures"], "prompts": counts["requests"], "batches_under_way": open_jobs,
             "computed_here": {"replies": here[0], "prompt_tokens": here[1] or 0, "tokens": here[2] or 0},
             "models": models}
    return json.dumps(facts, indent=1, ensure_ascii=False) if as_json else _in_words(facts)


def _in_words(facts: dict) -> str:
    lines = [f"{facts['journal']}: {facts['bytes'] / 1e6:,.1f} MB, {facts['completions']:,} completions of "
             f"{facts['prompts']:,} prompts, {facts['failures']:,} failures, "
             f"{facts['batches_under_way']:,} batches under way", "",
             f"{'model':32} {'replies':>9} {'prompt tokens':>14} {'tokens':>12} {'cost':>14}"]
    for model, use in facts["models"].items():
        lines.append(_row(model, use, "price unknown" if use["dollars"] is None else f"${use['dollars']:,.4f}"))
    return "\n".join([*lines, _row("(computed here)", facts["computed_here"], "nothing")])


def _row(model: str, use: dict, cost: str) -> str:
    return f"{model:32} {use['replies']:>9,} {use['prompt_tokens']:>14,} {use['tokens']:>12,} {cost:>14}"


def vacuum(folder: Path) -> str:
    """Throws away what nothing can come back for and gives its room back to the disk."""
    path = _there(folder)
    with held(folder), _opened(path) as file:
        before, gone = _size(path), file.total_changes
        with file:
            file.execute("DELETE FROM failures WHERE tokens = 0 AND prompt_tokens = 0")
            file.execute("DELETE FROM jobs WHERE state = 'closed'")
            file.execute("DELETE FROM requests WHERE hash NOT IN (SELECT request FROM completions "
                         "UNION SELECT request FROM failures)")
        gone = file.total_changes - gone
        file.execute("VACUUM")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return f"{path}: {gone:,} rows thrown away, {before / 1e6:,.1f} MB before, {_size(path) / 1e6:,.1f} MB now"


def forget(folder: Path) -> str:
    """Gives up the batches that are under way; their requests are asked again when a stage needs them."""
    path = _there(folder)
    with held(folder), _opened(path) as file, file:
        gone = file.execute("UPDATE jobs SET state = 'closed', requests = x'' WHERE state != 'closed'").rowcount
    return f"{path}: {gone:,} batches given up; what they still answer is not looked at"


def merge(folder: Path, other: Path) -> str:
    """Adds what another run's journal (its folder or file) holds; what both hold stays as it is here."""
    path, source = _there(folder), other if other.is_file() else _there(other)
    if path.resolve() == source.resolve():
        raise DataError(f"{source}: the same journal; name another run")
    added = {}
    with held(folder), _opened(path) as file:
        Journal(source).close()  # brings an older file's tables up to date
        file.execute("ATTACH ? AS other", (str(source),))
        with file:
            for table, columns in TABLES.items():
                names = ", ".join(columns)
                added[table] = file.execute(
                    f"INSERT INTO main.{table} ({names}) SELECT {names} FROM other.{table} WHERE true "
                    f"{_only_new(table)}").rowcount
    return f"{path}: {added['completions']:,} completions added from {source}"


def _only_new(table: str) -> str:
    """Rows of these tables have a key; a failure has none and counts as often as it happened."""
    if table == "failures":
        return "AND created NOT IN (SELECT created FROM main.failures)"
    return "ON CONFLICT DO NOTHING"


def mend(folder: Path) -> str:
    """Writes what can be read of a damaged journal into a new one and keeps the damaged file beside it."""
    path = _there(folder)
    with held(folder):
        mended = path.with_name("journal.mended.sqlite")
        for left in _family(mended):
            left.unlink(missing_ok=True)
        Journal(mended).close()
        saved = dict.fromkeys(TABLES, 0)
        with _opened(mended) as into, contextlib.closing(sqlite3.connect(path)) as file:
            for table, columns in TABLES.items():
                with into:
                    for row in _readable(file, table, columns, path.stat().st_size):
                        names, marks = ", ".join(columns[:len(row)]), ", ".join("?" * len(row))
                        done = into.execute(
                            f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING", row)
                        saved[table] += done.rowcount
        kept = _set_aside(path)
        mended.rename(path)
    return (f"{path}: {saved['completions']:,} completions saved; the damaged file is kept as {kept.name}; what "
            "is missing is asked again when a stage needs it")


def _readable(file: sqlite3.Connection, table: str, columns: tuple[str, ...], size: int) -> Iterator[tuple]:
    """Every row that can be read. Ranges of row numbers that cannot are cut in halves down to single rows."""
    try:
        present = set(map(itemgetter(1), file.execute(f"PRAGMA table_info({table})")))
        names = list(filter(present.__contains__, columns))
        last = size // SMALLEST_ROW
        with contextlib.suppress(sqlite3.DatabaseError):
            last = file.execute(f"SELECT max(rowid) FROM {table}").fetchone()[0] or 0
    except sqlite3.DatabaseError:
        return
    ranges = [(1, last)] if names else []
    while ranges:
        low, high = ranges.pop()
        try:
            rows = file.execute(f"SELECT {', '.join(names)} FROM {table} NOT INDEXED WHERE rowid BETWEEN ? AND ? "
                                "ORDER BY rowid", (low, high)).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            if low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
            continue
        for row in rows:
            if isinstance(row[0], bytes | str) and None not in row:
                yield row


def _set_aside(path: Path) -> Path:
    """Renames the damaged file and those that belong to it; returns its new name."""
    names = (path.with_name(f"journal.damaged-{number}.sqlite") for number in range(1, 1000))
    kept = next(itertools.filterfalse(Path.exists, names))
    for file in _family(path):
        if file.exists():
            file.rename(kept.with_name(kept.name + file.name.removeprefix(path.name)))
    return kept


def _family(path: Path) -> list[Path]:
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]


def _there(folder: Path) -> Path:
    if not (folder / NAME).is_file():
        raise RunError(f"{folder}: no journal here; name a run, or its folder")
    return folder / NAME


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _family(path) if file.exists())


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file with its tables up to date; the errors of the disk in one line."""
    Journal(path).close()
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as file:
        try:
            yield file
        except sqlite3.OperationalError as error:
            raise RunError(f"{path}: cannot be written ({error}); make room on the disk, or make it writable, and "
                           "run the same command again") from None
