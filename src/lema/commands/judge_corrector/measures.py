"""What judged rows add up to: accuracies with intervals, and the worth of each check, as tables and as JSON.

One design decision: a check is measured as a detector of bad corrections: recall is the share of the bad ones
that it catches, precision the share of those it throws out that are bad, and beside them stands the share of
good ones lost. Every share stands with its count and its interval, so that ten rows do not look like a thousand.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lema.checks import CHECK
from lema.commands.judge_corrector.judged import JudgedReply
from lema.report.tables import Table, in_text
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
    corrections: int
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
        return Share(self.lost, self.corrections - self.bad)

    @property
    def good_kept(self) -> Share:
        """How many of those that pass are good."""
        kept = self.corrections - self.caught - self.lost
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


def measured(rows: Sequence[JudgedReply]) -> tuple[list[Group], list[Worth]]:
    """All rows, then by source, then by the position of the first wrong step; and the worth of the checks."""
    by_source, by_position, corrections = defaultdict(list), defaultdict(list), []
    for row in rows:
        if row.source:
            by_source[row.source].append(row)
        if row.first_error is not None:
            by_position[f"first wrong step {_position(row.first_error)}"].append(row)
        if row.bad is not None:
            corrections.append(row)
    groups = [("all", rows), *sorted(by_source.items()), *sorted(by_position.items())]
    return [_group(name, some) for name, some in groups], _worths(corrections)


def _group(name: str, rows: Sequence[JudgedReply]) -> Group:
    verdicts = {True: Counter(), False: Counter()}  # of the wrong paths, and of the right ones
    named = 0
    for row in rows:
        verdicts[row.first_error is not None][row.verdict] += 1
        named += row.first_error is not None and row.named == row.first_error
    wrong, right = verdicts[True], verdicts[False]
    failed = wrong.pop("failed", 0) + right.pop("failed", 0)
    return Group(name, Share(named, wrong.total()), Share(right["right"], right.total()),
                 wrong["unreadable"] + right["unreadable"], wrong["right"], failed)


def _worths(rows: Sequence[JudgedReply]) -> list[Worth]:
    worths = [_worth(name, [row for row in rows if name in row.checks], {name}) for name in CHECK]
    worths += [_worth("all of them", rows, set(CHECK)),
               _worth("all but answer", rows, set(CHECK) - {"answer"}),
               _worth("all but explanation", rows, set(CHECK) - {"explanation"})]
    return [worth for worth in worths if worth.corrections]


def _worth(name: str, rows: Sequence[JudgedReply], checks: set[str]) -> Worth:
    bad = caught = lost = 0
    for row in rows:
        thrown_out = not checks.isdisjoint(row.failed)
        bad += row.bad
        caught += thrown_out and row.bad
        lost += thrown_out and not row.bad
    return Worth(name, len(rows), bad, caught, lost)


def _position(step: int) -> str:
    if step <= 3:
        return str(step)
    return "4 or 5" if step <= 5 else "6 or later"


def in_words(groups: list[Group], worths: list[Worth], *, proved: bool) -> str:
    """The tables. `proved`: whether corrections were told good from bad by their whole path, not by the step
    alone."""
    rows = []
    for group in groups:
        rows.append((group.name, _share(group.on_wrong), _share(group.on_right), group.unreadable, group.failed))
    named = Table(
        name="What it calls wrong", about="Of wrong paths the first wrong step named, of right paths none.",
        columns=(("paths", "text"), ("wrong paths", "text"), ("right paths", "text"), ("unread", "count"),
                 ("failed", "count")), rows=tuple(rows))
    what = ("a step that is not the first wrong one, or a corrected path that is not right" if proved else
            "a step that is not the first wrong one")
    checks = []
    for worth in worths:
        checks.append((worth.check, worth.corrections, _share(worth.recall), _share(worth.loss),
                       worth.precision.value, worth.good_kept.value))
    caught = Table(
        name="What the checks catch", about=f"A bad correction is one that names {what}.",
        columns=(("check", "text"), ("corrections", "count"), ("bad caught (recall)", "text"),
                 ("good lost", "text"), ("precision, %", "percent"), ("kept: good, %", "percent")),
        rows=tuple(checks))
    return "\n".join([*in_text(named), *(["", *in_text(caught)] if checks else [])])


def as_json(groups: list[Group], worths: list[Worth]) -> str:
    """The same for programs: shares as [count, total, low, high]."""
    facts = {"groups": [], "checks": []}
    for group in groups:
        facts["groups"].append({
            "name": group.name, "on_wrong": _numbers(group.on_wrong), "on_right": _numbers(group.on_right),
            "unreadable": group.unreadable, "says_right": group.says_right, "failed": group.failed})
    for worth in worths:
        facts["checks"].append({
            "check": worth.check, "asked": worth.corrections, "bad": worth.bad, "recall": _numbers(worth.recall),
            "precision": _numbers(worth.precision), "lost": _numbers(worth.loss),
            "good_kept": _numbers(worth.good_kept)})
    return json.dumps(facts, indent=1)


def _share(share: Share) -> str:
    if share.interval is None:
        return "–"
    low, high = share.interval
    return f"{share.count}/{share.total} = {100 * share.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def _numbers(share: Share) -> list[float]:
    return [share.count, share.total, *(round(end, 4) for end in share.interval or ())]
