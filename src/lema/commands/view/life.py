"""One question's whole life: paths with their corrections, critiques, training rows, answers, and children.

One design decision: everything of a question is read by the index, and a row that a later stage hands on (a path
that is graded, a correction that is checked) is shown once, as the last stage left it.
"""

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from lema.chains import StepCorrection
from lema.commands.view.query import read_all
from lema.commands.view.side_by_side import SideBySide, beside
from lema.errors import DataError
from lema.records import from_row
from lema.report.chains import chain_in_words

MOST_ROWS = 2_000  # of a question on one page


@dataclass(frozen=True)
class LifeRow:
    """A row with what the index knows of it."""

    stage: str
    kind: str
    columns: sqlite3.Row
    row: dict


@dataclass(frozen=True)
class CorrectedPath:
    """A correction beside the path that it is about."""

    correction: LifeRow
    pair: SideBySide | None  # None where it could not be read


@dataclass(frozen=True)
class LifePath:
    """A path with everything that is about it."""

    path: LifeRow
    corrections: list[CorrectedPath] = field(default_factory=list)
    critiques: list[LifeRow] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Life:
    """A question and all that was made of it."""

    question: LifeRow
    paths: list[LifePath]
    examples: dict[str, list[LifeRow]]  # by arm
    answers: dict[str, list[LifeRow]]  # by arm, seed by seed
    children: list[LifeRow]
    left_out: int


def question_of(db: sqlite3.Connection, identifier: str) -> str | None:
    """The question that a row's id, or its beginning, leads to; None where none or several begin so."""
    exact = db.execute("SELECT DISTINCT question FROM rows WHERE id = ? LIMIT 2", (identifier,)).fetchall()
    if not exact and len(identifier) >= 4:
        exact = db.execute("SELECT DISTINCT question FROM rows WHERE id >= ? AND id < ? LIMIT 2",
                           (identifier, identifier + "\U0010ffff")).fetchall()
    return exact[0]["question"] if len(exact) == 1 and exact[0]["question"] else None


def life_of(db: sqlite3.Connection, folder: Path, question: str) -> Life | None:
    """Everything about one question; None where there is none of that id."""
    # a question and what was handed on stand in several stages: the last one is what counts
    last = db.execute("SELECT max(place) AS place FROM rows WHERE question = ? AND id != '' "
                      "GROUP BY id, arm, seed ORDER BY place LIMIT ?", (question, MOST_ROWS + 1)).fetchall()
    shown = [row["place"] for row in last[:MOST_ROWS]]
    rows = _rows(db, folder, f"place IN ({','.join('?' * len(shown))})", shown)
    questions = [row for row in rows if row.columns["id"] == question]
    if not questions:
        return None
    children = _rows(db, folder, "parent != '' AND parent = ? AND place IN (SELECT max(place) FROM "
                     "rows WHERE parent != '' AND parent = ? GROUP BY id)", [question] * 2)
    by_kind: dict[str, list[LifeRow]] = defaultdict(list)
    for row in rows:
        by_kind[row.kind].append(row)
    answers = [row for row in by_kind["ReasoningPath"] if row.columns["arm"]]
    paths = [row for row in by_kind["ReasoningPath"] if not row.columns["arm"]]
    return Life(questions[-1], _with_what_is_about_them(paths, by_kind), _by_arm(by_kind["Example"]),
                _by_arm(answers), [row for row in children if row.kind == "Question"], len(last) - len(shown))


def _rows(db: sqlite3.Connection, folder: Path, where: str, values: list) -> list[LifeRow]:
    stages = {row["number"]: row for row in db.execute("SELECT * FROM stages")}
    indexed = db.execute(f"SELECT * FROM rows WHERE {where} ORDER BY place", values).fetchall()
    rows = []
    for columns, row in zip(indexed, read_all(db, folder, indexed), strict=True):
        stage = stages[columns["stage"]]
        rows.append(LifeRow(stage["name"], stage["kind"], columns, row))
    return rows


def _with_what_is_about_them(paths: list[LifeRow], by_kind: dict[str, list[LifeRow]]) -> list[LifePath]:
    lives = {row.columns["id"]: LifePath(row) for row in paths}
    for row in by_kind["Correction"]:
        if life := lives.get(row.columns["parent"]):
            life.corrections.append(CorrectedPath(row, pair_of(life.path.row, row.row)))
    for row in by_kind["Critique"]:
        if life := lives.get(row.columns["parent"]):
            life.critiques.append(row)
    for row in by_kind["StepCorrection"]:
        if life := lives.get(row.columns["parent"]):
            life.chains.append(_chain(row.row))
    return sorted(lives.values(), key=lambda life: not (life.corrections or life.critiques or life.chains))


def pair_of(path: dict, correction: dict) -> SideBySide | None:
    """Path and correction side by side; None where the reply held no steps."""
    if not correction.get("steps") or "text" not in path:
        return None
    return beside(path["text"], correction.get("step"), correction["steps"])


def _chain(row: dict) -> str:
    try:
        line = json.dumps(row, ensure_ascii=False)
        return chain_in_words(from_row(StepCorrection, line, "a one-step correction"))
    except DataError as error:
        return str(error)


def _by_arm(rows: list[LifeRow]) -> dict[str, list[LifeRow]]:
    by_arm: dict[str, list[LifeRow]] = defaultdict(list)
    for row in rows:
        by_arm[row.columns["arm"]].append(row)
    return by_arm
