"""What people think of corrections: ratings, kept in the run's folder as rows that are only ever added to.

    ratings/rows.jsonl: {"correction": "8a0f…", "rater": "ada", "rating": "good", "note": "clumsy", …}

One design decision: the last row of a rater about a correction counts, and one without a rating takes the earlier
ones back; so nothing is lost by an undo, and two people can rate into the same folder.
"""

import fcntl
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from lema.errors import DataError, RunError
from lema.files import is_plain, make_folder, sync
from lema.plugins import file_hash
from lema.records import Identified, read_rows, to_row
from lema.statistics.agreement import cohen_kappa

RatingClass = Literal["excellent", "good", "poor"]
MEANING: dict[RatingClass, str] = {
    "excellent": "It names the first wrong step, says truly what is wrong with it, and goes on to the answer "
                 "without a flaw: nothing in it would have to be changed.",
    "good": "It finds and mends the mistake, with a blemish that a learner survives: a vague reason, a clumsy or "
            "needless step.",
    "poor": "It teaches something false: it blames another step, gives a wrong reason, or holds a step that is "
            "not true, even if the final answer is right.",
}
"""The three classes in which the paper's authors judged 50 corrections, in words of our own."""
BY_HAND = "rejected by a person"
"""Why a correction is not trained on that passed every check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating(Identified):
    """One person's word on one correction; `rating` "" takes back what that person said of it before."""

    correction: str
    question: str
    stage: str  # the stage whose row it is
    corrector: str
    rater: str
    rating: Literal["excellent", "good", "poor", ""]
    note: str = ""
    rejected: bool = False  # it is not to be trained on
    blind: bool = False
    when: str = ""
    id: str = ""

    _identity = ("correction", "rater", "rating", "note", "rejected", "when")


@dataclass(frozen=True, slots=True)
class CorrectorRatings:
    """How one rater's ratings of one corrector fall into the three classes."""

    corrector: str
    rater: str
    excellent: int
    good: int
    poor: int

    @property
    def total(self) -> int:
        return self.excellent + self.good + self.poor


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """Two raters on what both rated."""

    raters: tuple[str, str]
    both: int
    same: int
    kappa: float | None


def ratings_file(run: Path) -> Path:
    return run / "ratings" / "rows.jsonl"


def every_rating(run: Path) -> Iterator[Rating]:
    """All rows, also those that were taken back. DataError where the file cannot be read."""
    file = ratings_file(run)
    if not os.path.lexists(file):
        return
    if not is_plain(file) or file.parent.is_symlink():
        raise DataError(f"{file}: no plain file of ratings; move it away")
    try:
        yield from read_rows(Rating, file)
    except DataError as error:
        raise DataError(f"{error}; mend or remove that line: ratings are kept nowhere else") from None


def ratings_of(run: Path) -> list[Rating]:
    """What counts: each rater's last word on each correction, the latest of them last."""
    last: dict[tuple[str, str], Rating] = {}
    for rating in every_rating(run):
        last.pop((rating.rater, rating.correction), None)
        last[rating.rater, rating.correction] = rating
    return [rating for rating in last.values() if rating.rating or rating.rejected]


def add_rating(run: Path, rating: Rating) -> None:
    """Adds a row, whole and on the disk; RunError where that cannot be."""
    file = ratings_file(run)
    row = to_row(rating) + "\n"
    try:
        make_folder(file.parent)
        new = not file.exists()
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with open(descriptor, "r+b") as out:
            fcntl.flock(out, fcntl.LOCK_EX)
            _mend_end(out)
            out.write(row.encode())
            out.flush()
            os.fsync(out.fileno())
        if new:  # its name too
            sync(file.parent)
    except OSError as error:
        raise RunError(f"{file}: cannot be written ({error.strerror})") from None


def _mend_end(out) -> None:
    """Cuts off half a row that a kill left behind."""
    size = out.seek(0, os.SEEK_END)
    whole = size
    while whole:
        start = max(0, whole - 4096)
        out.seek(start)
        end = out.read(whole - start).rfind(b"\n")
        if end >= 0:
            whole = start + end + 1
            break
        whole = start
    if whole != size:
        out.truncate(whole)


def new_rating(**facts: object) -> Rating:
    """A rating of now."""
    return Rating(when=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **facts)


def rejections(run: Path, stage: str) -> tuple[str, ...]:
    """The corrections of a stage that a person rejected, sorted."""
    return tuple(sorted({row.correction for row in ratings_of(run) if row.rejected and row.stage == stage}))


def ratings_mark(run: Path) -> str:
    """Changes when a rating does; empty where there is none."""
    return file_hash(ratings_file(run)) if ratings_of(run) else ""


def by_corrector(ratings: Iterable[Rating]) -> list[CorrectorRatings]:
    """The paper's table: how many corrections of each corrector each rater calls excellent, good and poor."""
    counts: dict[tuple[str, str], Counter] = defaultdict(Counter)
    for rating in ratings:
        counts[rating.corrector, rating.rater][rating.rating] += 1
    table = []
    for (corrector, rater), each in sorted(counts.items()):
        table.append(CorrectorRatings(corrector, rater, each["excellent"], each["good"], each["poor"]))
    return table


def agreements(ratings: Iterable[Rating]) -> list[RaterAgreement]:
    """Every two raters with what both rated in common."""
    classes: dict[str, dict[str, str]] = defaultdict(dict)
    for rating in ratings:
        if rating.rating:
            classes[rating.rater][rating.correction] = rating.rating
    table = []
    for first, second in combinations(sorted(classes), 2):
        shared = sorted(classes[first].keys() & classes[second].keys())
        pairs = [(classes[first][correction], classes[second][correction]) for correction in shared]
        if pairs:
            same = sum(mine == yours for mine, yours in pairs)
            table.append(RaterAgreement((first, second), len(pairs), same, cohen_kappa(pairs)))
    return table
