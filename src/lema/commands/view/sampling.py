"""Which corrections a person rates, in which order: a random sample of some rows, the same for everybody.

One design decision: the order follows from a seed and the rows' ids alone, so two raters who open the same address
rate the same corrections, and a longer sample begins with the shorter one.
"""

import hashlib
import heapq
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from lema.commands.view.query import Query, number_in, number_of

LARGEST = 1_000
RATER = re.compile(r"[\w .@-]{1,40}")


@dataclass(frozen=True)
class RatingSession:
    """What the address of a rating page says."""

    query: Query
    rater: str
    size: int
    seed: int
    blind: bool
    at: int  # 1-based place in the sample

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "RatingSession":
        """The session of an address; the rater is empty where the name cannot be one."""
        rater = given.get("rater", "").strip()
        return cls(Query.of({**given, "page": ""}), rater if RATER.fullmatch(rater) else "",
                   min(LARGEST, max(1, number_in(given.get("sample"), 50))), number_in(given.get("draw"), 1),
                   given.get("blind", "") == "yes", max(1, number_in(given.get("at"), 1)))

    def address(self, at: int) -> str:
        """The address of another place in the sample."""
        more = {"rater": self.rater, "sample": self.size, "draw": self.seed, "at": at,
                **({"blind": "yes"} if self.blind else {})}
        return f"{self.query.address()}&{urlencode(more)}"


def sample_of(db: sqlite3.Connection, session: RatingSession) -> list[str]:
    """The ids to rate, in order."""
    number = number_of(db, session.query.stage)
    if number is None:
        return []
    where, values = session.query.where(number)
    ids = (row["id"] for row in db.execute(f"SELECT id FROM rows WHERE {where}", values))
    return heapq.nsmallest(session.size, ids, key=partial(_turn, session.seed))


def _turn(seed: int, identifier: str) -> bytes:
    return hashlib.blake2b(f"{seed} {identifier}".encode(), digest_size=8).digest()


