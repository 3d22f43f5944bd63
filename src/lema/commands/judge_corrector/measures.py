"""What judged rows add up to: accuracies with intervals, and the worth of each check.

One design decision: a check is measured as a detector of bad corrections: recall is the share of the bad ones
that it catches, precision the share of those it throws out that are bad, and beside them stands the share of
good ones lost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lema.checks import CHECK
from lema.commands.judge_corrector.judged import Judged
from lema.statistics import wilson


@dataclass(frozen=True)
class Share:
    """`count` of `total`, with its 95 % interval (Wilson)."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return tuple(wilson(self.count, self.total)) if self.total else None


@dataclass(frozen=True)
class Worth:
    """What one check (or all of them together) does to the corrections that it could be asked about."""

    check: str
    asked: int
    bad: int
    caught: int
    lost: int

    @property
    def recall(self) -> Share:
        return Share(self.caught, self.bad)

    @property
    def precision(self) -> Share:
        return Share(self.caught, self.caught + self.lost)

    @property
    def loss(self) -> Share:
        return Share(self.lost, self.asked - self.bad)

    @property
    def good_kept(self) -> Share:
        """How many of those that pass are good."""
        kept = self.asked - self.caught - self.lost
        return Share(kept - (self.bad - self.caught), kept)


@dataclass(frozen=True)
class Group:
    """Some rows: on wrong paths the first wrong step named, on right paths none."""

    name: str
    on_wrong: Share
    on_right: Share
    unreadable: int
    says_right: int  # of the wrong paths
    failed: int


def measured(rows: Sequence[Judged]) -> tuple[list[Group], list[Worth]]:
    """All rows, then by source, then by the position of the first wrong step; and the worth of the checks."""
    groups = [_group("all", rows)]
    groups += [_group(name, some) for name, some in _by(rows, lambda row: row.source) if name]
    wrong = [row for row in rows if row.first_error is not None]
    groups += [_group(f"first wrong step {name}", some) for name, some in _by(wrong, _position)]
    return groups, _worths([row for row in rows if row.bad is not None])


def _group(name: str, rows: Sequence[Judged]) -> Group:
    came = [row for row in rows if row.said != "failed"]
    wrong = [row for row in came if row.first_error is not None]
    right = [row for row in came if row.first_error is None]
    return Group(name, Share(sum(row.named == row.first_error for row in wrong), len(wrong)),
                 Share(sum(row.said == "right" for row in right), len(right)),
                 sum(row.said == "unreadable" for row in came), sum(row.said == "right" for row in wrong),
                 len(rows) - len(came))


def _worths(rows: Sequence[Judged]) -> list[Worth]:
    found = [_worth(name, [row for row in rows if name in row.asked], {name}) for name in CHECK]
    every = [_worth("all of them", rows, set(CHECK)),
             _worth("all but answer", rows, set(CHECK) - {"answer"}),
             _worth("all but explanation", rows, set(CHECK) - {"explanation"})]
    return [worth for worth in (*found, *every) if worth.asked]


def _worth(name: str, rows: Sequence[Judged], checks: set[str]) -> Worth:
    out = [row for row in rows if checks & set(row.failed)]
    return Worth(name, len(rows), sum(bool(row.bad) for row in rows), sum(bool(row.bad) for row in out),
                 sum(not row.bad for row in out))


def _by(rows: Iterable[Judged], key: Callable[[Judged], str]) -> list[tuple[str, list[Judged]]]:
    groups: dict[str, list[Judged]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return sorted(groups.items())


def _position(row: Judged) -> str:
    step = row.first_error or 0
    return str(step) if step <= 3 else "4 or 5" if step <= 5 else "6 or later"
