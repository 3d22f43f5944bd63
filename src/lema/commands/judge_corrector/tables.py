"""The measurement as two fixed-width tables, and as JSON.

One design decision: every share stands with its count and its interval, so that a figure from ten rows does not
look like one from a thousand.
"""

import json

from lema.commands.judge_corrector.measures import Group, Share, Worth

NAME = 36


def in_words(groups: list[Group], worths: list[Worth], *, proved: bool) -> str:
    """The tables. `proved`: whether corrections were told good from bad by their whole path, not by the step
    alone."""
    lines = [f"{'':{NAME}}  {'wrong paths: first wrong step':>32}  {'right paths: left alone':>32}  {'unread':>6}",
             "-" * (NAME + 76)]
    for group in groups:
        lines.append(f"{group.name[:NAME]:{NAME}}  {_share(group.on_wrong):>32}  {_share(group.on_right):>32}  "
                     f"{group.unreadable:>6}"
                     + (f"  ({group.failed} failed)" if group.failed else ""))
    what = ("a step that is not the first wrong one, or a corrected path that is not right" if proved else
            "a step that is not the first wrong one")
    lines += ["", f"A bad correction is one that names {what}.", "",
              f"{'check':19}  {'asked':>6}  {'bad caught (recall)':>31}  {'good lost':>31}  {'precision':>9}  "
              f"{'kept: good':>10}", "-" * 117]
    for worth in worths:
        lines.append(f"{worth.check:19}  {worth.corrections:>6}  {_share(worth.recall):>31}  "
                     f"{_share(worth.loss):>31}  {_percent(worth.precision):>9}  {_percent(worth.good_kept):>10}")
    return "\n".join(lines)


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


def _percent(share: Share) -> str:
    return "–" if share.value is None else f"{100 * share.value:.1f} %"


def _numbers(share: Share) -> list[float]:
    return [share.count, share.total, *(round(end, 4) for end in share.interval or ())]
