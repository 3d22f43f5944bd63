"""Questions on which two arms differ: what one got right and the other did not, seed by seed.

One design decision: a question counts as gained where a larger share of the seeds is right, so that arms with
different numbers of seeds can be held against each other.
"""

import sqlite3
from dataclasses import dataclass

SIZE = 50
SIDES = {"gained": "gain > 0", "lost": "gain < 0", "": "gain != 0", "same": "gain = 0"}

SHARES = """
CREATE TEMP TABLE flips AS WITH shares AS (
    SELECT question, level,
           avg(CASE WHEN arm = :arm THEN verdict = 'right' END) AS ours,
           avg(CASE WHEN arm = :other THEN verdict = 'right' END) AS theirs,
           sum(arm = :arm) AS asked, sum(arm = :other) AS other_asked,
           sum(arm = :arm AND verdict = 'right') AS right, sum(arm = :other AND verdict = 'right') AS other_right
    FROM rows WHERE stage = :stage AND arm != '' AND arm IN (:arm, :other) GROUP BY question)
SELECT *, ours - theirs AS gain FROM shares WHERE ours IS NOT NULL AND theirs IS NOT NULL
"""


@dataclass(frozen=True)
class Flips:
    """A page of questions, and how many there are of each side."""

    rows: list[sqlite3.Row]
    counts: dict[str, int]
    pages: int


def arms_of(db: sqlite3.Connection, number: int) -> list[str]:
    """The arms that were examined."""
    rows = db.execute("SELECT value FROM choices WHERE stage = ? AND name = 'arm' ORDER BY value", (number,))
    return [row["value"] for row in rows]


def flips_of(db: sqlite3.Connection, number: int, arm: str, other: str, side: str, page: int) -> Flips:
    """The questions on which `arm` and `other` differ, the largest differences first."""
    values = {"stage": number, "arm": arm, "other": other, "size": SIZE, "skip": (page - 1) * SIZE}
    sides = ", ".join(f"coalesce(sum({term}), 0) AS \"{name or 'all'}\"" for name, term in SIDES.items())
    db.execute(SHARES, values)
    counts = dict(db.execute(f"SELECT {sides} FROM flips").fetchone())
    rows = db.execute(f"SELECT * FROM flips WHERE {SIDES[side]} ORDER BY abs(gain) DESC, question "
                      "LIMIT :size OFFSET :skip", values).fetchall()
    db.execute("DROP TABLE flips")
    return Flips(rows, counts, -(-counts[side or "all"] // SIZE))
