"""`lema journal`: what a run's journal holds, made smaller, filled from another one, or saved after damage.

One design decision: no completion is ever deleted here. What is thrown away is what nothing can come back for
(failures that cost nothing, closed jobs, questions without any answer), and a damaged file is kept as it is beside
the mended one (mend.py).
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lema.config import Config
from lema.errors import DataError, RunError
from lema.journal import Journal
from lema.journal.merging import TABLES, merged
from lema.journal.opening import explained
from lema.runs.bills import reckoned
from lema.runs.budget import served_prices
from lema.runs.folder import held
from lema.runs.prices import Usage

NAME = "journal.sqlite"


def stats(folder: Path, config: Config, *, as_json: bool) -> str:
    """What the journal holds, by model, with what it cost. RunError where there is no journal."""
    path, prices, models = journal_in(folder), served_prices(config), {}
    with Journal(path) as journal:
        for model, replies, prompts, tokens, paid_prompts, paid in journal.spent():
            use = Usage(replies, prompt_tokens=prompts, tokens=tokens, paid_prompt_tokens=paid_prompts,
                        paid_tokens=paid)
            models[model] = {"replies": replies, "prompt_tokens": prompts, "tokens": tokens,
                             "dollars": use.cost(prices(model)), "reckoned": 0}
    with contextlib.closing(sqlite3.connect(path)) as file, explained(path):
        counts = {table: file.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
        here = file.execute("SELECT count(*), sum(prompt_tokens), sum(tokens) FROM completions "
                            "WHERE model = ''").fetchone()
        open_jobs = file.execute("SELECT count(*) FROM jobs WHERE state != 'closed'").fetchone()[0]
        for table in ("completions", "failures"):
            for model, in file.execute(f"SELECT model FROM {table} WHERE model != '' AND reckoned"):
                models[model]["reckoned"] += 1
    facts = {"journal": str(path), "bytes": size_of(path), "completions": counts["completions"],
             "failures": counts["failures"], "prompts": counts["requests"], "batches_under_way": open_jobs,
             "computed_here": {"replies": here[0], "prompt_tokens": here[1] or 0, "tokens": here[2] or 0},
             "models": models}
    return json.dumps(facts, indent=1, ensure_ascii=False) if as_json else _in_words(facts)


def _in_words(facts: dict) -> str:
    from lema.report.tables import Table, in_text  # which the help of the commands must not wait for

    rows = []
    for model, use in facts["models"].items():
        dollars = "price unknown" if use["dollars"] is None else f"${use['dollars']:,.4f}"
        rows.append((model, use["replies"], use["prompt_tokens"], use["tokens"], dollars))
    here = facts["computed_here"]
    rows.append(("(computed here)", here["replies"], here["prompt_tokens"], here["tokens"], "nothing"))
    table = Table(name=f"{facts['journal']}: {facts['bytes'] / 1e6:,.1f} MB, {facts['completions']:,} completions "
                       f"of {facts['prompts']:,} prompts, {facts['failures']:,} failures, "
                       f"{facts['batches_under_way']:,} batches under way", rows=tuple(rows),
                  columns=(("model", "text"), ("replies", "count"), ("prompt tokens", "count"),
                           ("tokens", "count"), ("cost", "text")))
    lines = in_text(table)
    lines += filter(None, (reckoned(use["reckoned"], model) for model, use in facts["models"].items()))
    return "\n".join(lines)


def vacuum(folder: Path) -> str:
    """Throws away what nothing can come back for and gives its room back to the disk."""
    path = journal_in(folder)
    with held(folder), opened(path) as file:
        before, gone = size_of(path), file.total_changes
        with file:
            file.execute("DELETE FROM failures WHERE tokens = 0 AND prompt_tokens = 0")
            file.execute("DELETE FROM jobs WHERE state = 'closed'")
            file.execute("DELETE FROM requests WHERE hash NOT IN (SELECT request FROM completions "
                         "UNION SELECT request FROM failures)")
        gone = file.total_changes - gone
        file.execute("VACUUM")
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return f"{path}: {gone:,} rows thrown away, {before / 1e6:,.1f} MB before, {size_of(path) / 1e6:,.1f} MB now"


def forget(folder: Path) -> str:
    """Gives up the batches that are under way; their requests are asked again when a stage needs them."""
    path = journal_in(folder)
    with held(folder), opened(path) as file, file:
        gone = file.execute("UPDATE jobs SET state = 'closed', requests = x'' WHERE state != 'closed'").rowcount
    return f"{path}: {gone:,} batches given up; what they still answer is not looked at"


def merge(folder: Path, other: Path) -> str:
    """Adds what another run's journal (its folder or file) holds, or the shard of one; what both hold stays as it
    is here. DataError where the other file is no journal, which is then left as it is."""
    path, source = journal_in(folder), other.resolve() if other.is_file() else journal_in(other)
    if path.resolve() == source.resolve():
        raise DataError(f"{source}: the same journal; name another run")
    with held(folder):
        Journal(path).close()
        return f"{path}: {merged(path, source):,} completions added from {source}"


def family(path: Path) -> list[Path]:
    """A journal's file, its log and the log's index, there or not."""
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]


def journal_in(folder: Path) -> Path:
    """The journal of a run. RunError where it has none, or a link in its place."""
    if not (folder / NAME).is_file() or (folder / NAME).is_symlink():
        raise RunError(f"{folder}: no journal here; name a run, or its folder")
    return folder / NAME


def size_of(path: Path) -> int:
    """The bytes of a journal, its log included."""
    return sum(file.stat().st_size for file in family(path) if file.exists())


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file with its tables up to date, closed at the end; the errors of the disk in one line. Nobody else may
    have it open."""
    Journal(path).close()
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as file, explained(path):
        yield file
