"""`lema show RUN --list ...`: the wrong paths, or the corrections, of a run, a line or two for each; and which
of all that `lema show` can show is asked for."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from lema.commands.opened_run import OpenedRun
from lema.commands.show import comparison_as_markdown, life_of, summary_of, tables_of
from lema.errors import ConfigError
from lema.plugins import near_miss
from lema.printable import short
from lema.records import Correction, ReasoningPath, to_row

LISTS = ("wrong", "kept", "rejected")


def shown(folder: Path, identifier: str | None, what: str | None, limit: int, *, tables: bool, markdown: bool,
          as_json: bool) -> str:
    """What the arguments of `lema show` ask for."""
    if what:
        return listed(folder, what, limit, as_json=as_json)
    if tables:
        return tables_of(folder, as_json=as_json)
    if markdown:
        return comparison_as_markdown(folder)
    return life_of(folder, identifier, as_json=as_json) if identifier else summary_of(folder, as_json=as_json)


def listed(folder: Path, what: str, limit: int, *, as_json: bool) -> str:
    """The first `limit` rows of one sort, with their ids; as JSON the rows themselves."""
    if what not in LISTS:
        raise ConfigError(f"show: --list {what!r}{near_miss(what, list(LISTS))}")
    run = OpenedRun(folder)
    rows = list(islice(_of_sort(run, what), limit + 1))
    if as_json:
        return json.dumps([json.loads(to_row(row)) for row in rows[:limit]], indent=1, ensure_ascii=False)
    if not rows:
        return f"{run.config.name}: no {what} rows yet"
    lines = []
    for row in rows[:limit]:
        lines += _in_lines(row)
    more = [f"there are more: --limit N, or `lema view {folder}`"] if len(rows) > limit else []
    return "\n".join([*lines, *more])


def _of_sort(run: OpenedRun, what: str) -> Iterator[ReasoningPath | Correction]:
    if what == "wrong":
        return (path for path in run.paths if path.verdict == "wrong")
    return _corrections(run.corrections, kept=what == "kept")


def _corrections(rows: Iterable[Correction], *, kept: bool) -> Iterator[Correction]:
    return (row for row in rows if bool(row.verified) == kept)


def _in_lines(row: ReasoningPath | Correction) -> list[str]:
    """An id with what matters of its row, no line longer than 80 columns."""
    if isinstance(row, ReasoningPath):
        return [f"{row.id}  {short(row.model, 24)}  answered {short(row.answer, 30)}",
                f"  {short(' '.join(row.text.split()), 76)}"]
    outcome = "kept" if row.verified else short(row.rejected, 36)
    text = " ".join([row.explanation, *row.steps]) or row.reply
    return [f"{row.id}  {short(row.model, 20)}  {outcome}", f"  {short(' '.join(text.split()), 76)}"]
