"""The index of a run's rows: a database beside the stages that finds any of them by what is filtered and sorted.

One design decision: the index is scratch. It holds a row's place in its file and a few columns, is built once per
stage and again where a stage's record has changed, and whoever removes it loses nothing but the minute that it
took.
"""

import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

from lema.chains import StepCorrection
from lema.commands.view.columns import IndexedRow, columns_of, mistake_of, words_of
from lema.records import Correction, Critique, Example, ReasoningPath
from lema.report.funnels import BY_NO_ARM, NOT_ASKED, SAME_AGAIN
from lema.runs.run import Stage
from lema.stages.grade import grade
from lema.stages.score import score
from lema.stages.verify import verify

FILE = "view.sqlite"
SHAPE = 4  # of the tables; an index of another shape is made anew
BLOCK = 5_000  # rows put at once
FILTERS = ("model", "verdict", "reason", "label", "level", "arm", "seed", "fate")
TRAINED_ON = "trained on"
CORRECTED = "corrected"
BEFORE = "(before)"  # the arm of answers of the student before any training

TABLES = f"""
CREATE TABLE stages (number INTEGER PRIMARY KEY, name TEXT UNIQUE, mark TEXT, kind TEXT, rows INTEGER);
CREATE TABLE rows (place INTEGER PRIMARY KEY, stage INTEGER, start INTEGER, size INTEGER, {
    ", ".join(f"{name} {'INTEGER' if name in ('level', 'tokens') else 'TEXT'}" for name in IndexedRow._fields)},
    arm TEXT DEFAULT '', seed INTEGER, fate TEXT DEFAULT '');
CREATE INDEX by_stage ON rows (stage, place);
CREATE INDEX by_question ON rows (question);
CREATE INDEX by_id ON rows (id);
CREATE INDEX by_parent ON rows (parent) WHERE parent != '';
CREATE INDEX by_arm ON rows (stage, arm, question, verdict, level) WHERE arm != '';
CREATE TABLE choices (stage INTEGER, name TEXT, value TEXT, rows INTEGER);
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT);
PRAGMA user_version = {SHAPE};
"""
PUT = (f"INSERT INTO rows (place, stage, start, size, {', '.join(IndexedRow._fields)}, arm, seed) "
       f"VALUES ({', '.join('?' * (6 + len(IndexedRow._fields)))})")

Tell = Callable[[str, int, int], None]
"""Hears how far the indexing of a stage is: its name, rows done, rows in all."""


class Index:
    """The rows of a run's finished stages. Reading and writing connections are opened as they are needed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        self._temporary: tempfile.TemporaryDirectory | None = None
        if not self._usable():
            self._make()

    def read(self) -> sqlite3.Connection:
        """A connection that only reads; whoever opens it closes it."""
        db = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
        db.row_factory = sqlite3.Row
        return db

    def bring_up(self, stages: dict[str, Stage], tell: Tell) -> bool:
        """Indexes the finished stages that are new or changed, forgets those that are gone; whether any was."""
        marks = {name: _mark(stage) for name, stage in stages.items()}
        with closing(self.read()) as db:
            there = {row["name"]: row["mark"] for row in db.execute("SELECT name, mark FROM stages")}
        if there == marks:
            return False
        with closing(sqlite3.connect(self.path, timeout=30)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            for name in there:
                if there[name] != marks.get(name):
                    _forget(db, name)
            exam = _Exam(stages)
            for name, stage in stages.items():
                if there.get(name) != marks[name]:
                    _add(db, stage, marks[name], exam, tell)
            _follow(db, stages)
            db.commit()
        return True

    def note(self, name: str, value: str) -> None:
        """Keeps a text beside the rows."""
        with closing(sqlite3.connect(self.path, timeout=30)) as db:
            db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))
            db.commit()

    def _usable(self) -> bool:
        if self.path.is_symlink() or not self.path.is_file():
            return False
        try:
            with closing(self.read()) as db, closing(sqlite3.connect(":memory:")) as new:
                new.executescript(TABLES)
                return (db.execute("PRAGMA user_version").fetchone()[0] == SHAPE
                        and db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
                        and _made_of(new).items() <= _made_of(db).items())
        except (sqlite3.Error, UnicodeDecodeError):
            return False

    def _make(self) -> None:
        try:
            for old in self.folder.glob(f"{FILE}*"):
                old.unlink()
            self._create()
        except (OSError, sqlite3.OperationalError):  # the run's folder may be somebody else's
            self._temporary = tempfile.TemporaryDirectory(prefix="lema-view-")
            self.path = Path(self._temporary.name) / FILE
            self._create()

    def _create(self) -> None:
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(TABLES)


def _made_of(db: sqlite3.Connection) -> dict[str, str]:
    """What each of its tables and indices was made by."""
    return {name: made for name, made in db.execute("SELECT name, sql FROM sqlite_master")}


def _mark(stage: Stage) -> str:
    """What changes when the rows of a stage do."""
    record = stage.record() or {}
    return f"{record.get('fingerprint')} {record.get('content')} {record.get('finished')}"


def _forget(db: sqlite3.Connection, name: str) -> None:
    number = db.execute("SELECT number FROM stages WHERE name = ?", (name,)).fetchone()[0]
    db.execute(f"DROP TABLE IF EXISTS words_{number}")
    for table, column in (("rows", "stage"), ("choices", "stage"), ("stages", "number")):
        db.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))


class _Exam:
    """Whose rows those of a stage are: the arm and seed of a model that was trained, or the student before. And
    whose wrong paths are `corrected`, so that mistakes must be told apart."""

    def __init__(self, stages: dict[str, Stage]) -> None:
        self.trained: dict[str, tuple[str, int | None]] = {}
        self._stages: set[str] = set()
        self.corrected: set[str] = set()
        for stage in stages.values():
            if stage.verb is verify:
                self.corrected.update(source.name for source in filter(_grades, stage.sources))
            if stage.verb is score:
                self.trained |= {model: (arm, seed) for model, arm, seed in stage.settings.examined}
                for source in filter(_grades, stage.sources):
                    self._stages |= {source.name, *(answers.name for answers in source.sources)}

    def otherwise(self, stage: Stage) -> tuple[str, int | None]:
        """Arm and seed of a row whose model is not among the trained ones."""
        if stage.kind is Example:
            return getattr(stage.settings, "arm", ""), None
        return (BEFORE if stage.name in self._stages and stage.kind is ReasoningPath else ""), None


def _grades(stage: Stage) -> bool:
    return stage.verb is grade


def _add(db: sqlite3.Connection, stage: Stage, mark: str, exam: _Exam, tell: Tell) -> None:
    """One stage's rows, their words, and what there is to choose from."""
    total = (stage.record() or {}).get("rows", 0)
    cursor = db.execute("INSERT INTO stages (name, mark, kind, rows) VALUES (?, ?, ?, ?)",
                        (stage.name, mark, stage.kind.__name__, total))
    number = cursor.lastrowid
    db.execute(f"CREATE VIRTUAL TABLE words_{number} USING fts5(words, content='', detail=none, "
               "tokenize='unicode61')")
    place = db.execute("SELECT coalesce(max(place), 0) FROM rows").fetchone()[0]
    rows = _read(stage, number, place + 1, exam)
    done = 0
    while block := list(islice(rows, BLOCK)):
        db.executemany(PUT, (values for values, _ in block))
        db.executemany(f"INSERT INTO words_{number} (rowid, words) VALUES (?, ?)",
                       ((values[0], words) for values, words in block))
        done += len(block)
        tell(stage.name, done, total)
    db.commit()


def _read(stage: Stage, number: int, place: int, exam: _Exam) -> Iterator[tuple[tuple, str]]:
    """Every row's values for the table and its words. A row that is no JSON is passed over: stages say so."""
    own, start, corrected = exam.otherwise(stage), 0, stage.name in exam.corrected
    with (stage.folder / "rows.jsonl").open("rb") as file:
        for line in file:
            size = len(line)
            with suppress(ValueError, KeyError):
                row = json.loads(line)
                columns = columns_of(stage.kind, row)
                if corrected:
                    columns = columns._replace(mistake=mistake_of(row))
                arm, seed = exam.trained.get(columns.model, own)
                yield (place, number, start, size, *columns, arm, seed), words_of(stage.kind, row)
                place += 1
            start += size


def _follow(db: sqlite3.Connection, stages: dict[str, Stage]) -> None:
    """What follows from several stages together: levels, what became of a row, what there is to choose from."""
    numbers = dict(db.execute("SELECT name, number FROM stages"))
    db.execute("CREATE TEMP TABLE levels AS SELECT id, max(level) AS level FROM rows WHERE stage IN "
               "(SELECT number FROM stages WHERE kind = 'Question') AND level IS NOT NULL GROUP BY id")
    db.execute("CREATE INDEX temp.by_id_of_level ON levels (id)")
    db.execute("UPDATE rows SET level = (SELECT level FROM levels WHERE levels.id = rows.question) "
               "WHERE level IS NULL AND question != ''")
    db.execute("DROP TABLE levels")
    db.execute("UPDATE rows SET fate = '' WHERE fate != ''")
    for name, stage in stages.items():
        if stage.kind in (Correction, Critique, StepCorrection):
            _trained_on(db, numbers[name])
    checked = {}
    for name, stage in stages.items():
        if stage.verb is verify:
            checked.update((source.name, name) for source in stage.sources if source.verb is grade)
    for graded, verified in checked.items():  # of several tries the last one, which holds them all
        _corrected(db, numbers[graded], numbers[verified])
    db.execute("DELETE FROM choices")
    for column in FILTERS:
        db.execute(f"INSERT INTO choices SELECT stage, '{column}', {column}, count(*) FROM rows "
                   f"WHERE {column} IS NOT NULL AND {column} != '' GROUP BY stage, {column}")


def _trained_on(db: sqlite3.Connection, number: int) -> None:
    """Of what is kept of a stage, what an arm took and what none did."""
    taken = ("SELECT parent FROM rows WHERE parent != '' AND verdict = 'trained on' AND stage IN "
             "(SELECT number FROM stages WHERE kind = 'Example')")
    db.execute("UPDATE rows SET fate = CASE WHEN id IN (" + taken + ") THEN ? ELSE ? END "
               "WHERE stage = ? AND reason = '' AND verdict != ''", (TRAINED_ON, BY_NO_ARM, number))


def _corrected(db: sqlite3.Connection, graded: int, verified: int) -> None:
    """Of the wrong paths, those that were corrected, those that repeat such a mistake, and those left."""
    wrong = "stage = ? AND verdict = 'wrong'"
    db.execute(f"UPDATE rows SET fate = ? WHERE {wrong} AND id IN (SELECT parent FROM rows WHERE stage = ?)",
               (CORRECTED, graded, verified))
    db.execute(f"UPDATE rows SET fate = ? WHERE {wrong} AND fate = ''", (SAME_AGAIN, graded))
    db.execute(f"UPDATE rows SET fate = ? WHERE place IN (SELECT min(place) FROM rows WHERE {wrong} AND fate = ? "
               f"AND mistake NOT IN (SELECT mistake FROM rows WHERE {wrong} AND fate = ?) GROUP BY mistake)",
               (NOT_ASKED, graded, SAME_AGAIN, graded, CORRECTED))
