"""`lema why`: which field of a call differs from those that the journal holds, so that it has to be paid again.

One design decision: the stage's own verb says what it would ask, with context that answer from the journal and send
nothing; the nearest journalled call is the one in which the fewest fields differ, then the one whose texts share
the longest beginning and end. It is looked for among those that share a line with a missing call, and the newest.
"""

import hashlib
import itertools
import json
import sqlite3
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from lema.commands.running import stages_of
from lema.config import Config
from lema.errors import ConfigError, DataError
from lema.journal import Journal
from lema.journal.waiting import READ, Call, call_of
from lema.messages import Completion, Request
from lema.plugins import near_miss
from lema.runs.context import StageContext
from lema.runs.run import Stage

EXAMINED = 200  # missing calls that are compared with the journal
NEWEST = 2_000  # journalled prompts that they are compared with whatever they say
ALIKE = 3  # prompts that are looked at for the sake of one line
AROUND = 24  # characters shown on either side of a difference

Fields = dict[str, object]


@dataclass
class Looking(StageContext):
    """StageContext that answer from the journal alone and remember the first calls that it could not answer."""

    asked: int = 0
    missed: int = 0
    missing: list[Call] = field(default_factory=list)

    def ask(self, name: str, requests: Iterable[Request], total: int | None = None) -> Iterator[Completion]:
        identity, several = self.model(name).identity(), iter(requests)
        while calls := [call_of(identity, request) for request in itertools.islice(several, READ)]:
            known = self._journal.known([call.key for call in calls])
            for call in calls:
                self.asked += 1
                if call.key not in known:
                    self.missed += 1
                    self.missing += [call] if self.missed <= EXAMINED else []
                yield known.get(call.key) or Completion("", "error: not in the journal")


@dataclass(frozen=True)
class Reason:
    """Why some calls miss: the fields that differ from the nearest journalled call, and one example's values."""

    calls: int
    said: str  # path index, failed before, nothing alike, or the fields
    fields: tuple[tuple[str, str, str], ...] = ()  # name, journalled, asked


@dataclass(frozen=True)
class Explanation:
    """One stage's calls and why some of them are not in the journal."""

    stage: str
    state: str
    calls: int
    missing: int
    reasons: tuple[Reason, ...]


def explain(folder: Path, config: Config, name: str | None) -> list[Explanation]:
    """The stage of that name, else every stage that asks models and is not done and whose inputs are there."""
    stages = stages_of(folder, config)
    asking = {each.name: each for each in stages.values() if each.models and hasattr(each.settings, "sampling")}
    if name is not None and name not in asking:
        raise ConfigError(f"{name}: no stage that asks models{near_miss(name, list(asking))}")
    if not (folder / "journal.sqlite").is_file():
        raise DataError(f"{folder}: no journal here yet, so every call would be a new one")
    chosen = [asking[name]] if name else [stage for stage in asking.values() if stage.status().state != "done"]
    with Journal(folder / "journal.sqlite") as journal:
        return [_explained(stage, config, journal) for stage in chosen if name or _ready(stage)]


def _ready(stage: Stage) -> bool:
    made_here = [given for given in stage.models.values() if isinstance(given, Stage)]
    return all(source.record() for source in [*stage.sources, *made_here])


def _explained(stage: Stage, config: Config, journal: Journal) -> Explanation:
    if not _ready(stage):
        absent = next(source.name for source in stage.sources if not source.record())
        raise DataError(f"{stage.name}: its calls are not known before {absent} is finished; run that first")
    context = Looking(stage, config, lambda news: None, journal, stage.folder)
    for _ in stage.verb(context, stage.settings, *stage.inputs):
        pass
    return Explanation(stage.name, stage.status().state, context.asked, context.missed,
                       tuple(_reasons(journal.path, context.missing)))


def _reasons(path: Path, missing: list[Call]) -> Iterator[Reason]:
    if not missing:
        return
    with closing(sqlite3.connect(path)) as file:
        failed = _present(file, "key FROM failures WHERE key", [call.key for call in missing])
        prompts = _present(file, "hash FROM requests WHERE hash", [_prompt(call) for call in missing])
        new = [call for call in missing if call.key not in failed and _prompt(call) not in prompts]
        kept = _alike(file, new) if new else []
    counted: Counter[tuple] = Counter()
    examples: dict[tuple, Reason] = {}
    for call in missing:
        reason = _reason(call, kept, failed, prompts)
        kind = (reason.said, tuple(name for name, _, _ in reason.fields))
        counted[kind] += 1
        examples.setdefault(kind, reason)
    for kind, calls in counted.most_common():
        yield Reason(calls, examples[kind].said, examples[kind].fields)


def _present(file: sqlite3.Connection, where: str, hashes: list[bytes]) -> set[bytes]:
    """Those of the hashes that stand in a table's column."""
    return {found for (found,) in file.execute(f"SELECT {where} IN ({', '.join('?' * len(hashes))})", hashes)}


def _prompt(call: Call) -> bytes:
    return hashlib.sha256(call.facts.encode()).digest()


def _alike(file: sqlite3.Connection, missing: list[Call]) -> list[Fields]:
    """The journalled prompts that may be the nearest: of every line that not all missing calls have, the newest
    that hold it, and the newest of all. Reads every prompt once; none is parsed but those."""
    having = Counter(line for call in missing for line in set(_lines(call.facts)))
    left = {line: ALIKE for line, calls in having.items() if calls < len(missing) or len(missing) == 1}
    found = []
    for place, (facts,) in enumerate(file.execute("SELECT facts FROM requests ORDER BY rowid DESC")):
        telling = [line for line in _lines(facts) if left.get(line)]
        if telling or place < NEWEST:
            found.append(_fields(json.loads(facts)))
        for line in telling:
            left[line] -= 1
    return found


def _lines(facts: str) -> list[str]:
    """The lines of a call's messages, as its canonical JSON has them."""
    return facts[:facts.rfind(']],"model":')].split("\\n")


def _reason(call: Call, kept: list[Fields], failed: set[bytes], prompts: set[bytes]) -> Reason:
    if call.key in failed:
        return Reason(1, "failed when it was asked before; failures are asked again")
    if _prompt(call) in prompts:
        return Reason(1, "the prompt was asked before, but not so often: the path index is new")
    asked = _fields(json.loads(call.facts))
    if not kept:
        return Reason(1, "the journal holds no call at all")
    fewest = min(len(_differing(asked, other)) for other in kept)
    nearest = min((other for other in kept if len(_differing(asked, other)) == fewest),
                  key=lambda other: _apart(asked, other))
    differing = [name for name in dict.fromkeys([*asked, *nearest]) if asked.get(name) != nearest.get(name)]
    return Reason(1, "differ from the nearest journalled call in", tuple(
        (name, *_shortened(nearest.get(name), asked.get(name))) for name in differing))


def _fields(facts: object, name: str = "") -> Fields:
    """Every leaf of the facts by its path: model.model, messages.0.content, sampling.seed, ..."""
    if isinstance(facts, dict):
        parts = facts.items()
    elif name == "messages":
        parts = ((str(place), {"role": role, "content": content}) for place, (role, content) in enumerate(facts))
    else:
        return {name: facts}
    found: Fields = {}
    for key, value in parts:
        found |= _fields(value, f"{name}.{key}".strip("."))
    return found


def _differing(asked: Fields, other: Fields) -> list[str]:
    return [name for name in asked.keys() | other.keys() if asked.get(name) != other.get(name)]


def _apart(asked: Fields, other: Fields) -> int:
    """Characters of differing texts that are not shared at their beginning or end."""
    apart = 0
    for name in _differing(asked, other):
        one, two = str(asked.get(name, "")), str(other.get(name, ""))
        apart += max(len(one), len(two)) - sum(_shared(one, two))
    return apart


def _shared(one: str, two: str) -> tuple[int, int]:
    """How many characters two texts share at their beginning, and then at their end."""
    shorter = min(len(one), len(two))
    start = bisect_left(range(1, shorter + 1), True, key=lambda length: not one.startswith(two[:length]))
    end = bisect_left(range(1, shorter - start + 1), True, key=lambda length: not one.endswith(two[-length:]))
    return start, end


def _shortened(one: object, two: object) -> tuple[str, str]:
    """Both values, cut to where they differ."""
    if not isinstance(one, str) or not isinstance(two, str) or max(len(one), len(two)) <= 2 * AROUND:
        return _short(one), _short(two)
    start, end = _shared(one, two)
    return _cut(one, start, end), _cut(two, start, end)


def _cut(text: str, start: int, end: int) -> str:
    low, high = max(0, start - AROUND), min(len(text), max(start, len(text) - end) + AROUND)
    inner = text[low:high]
    if len(inner) > 6 * AROUND:
        inner = f"{inner[:3 * AROUND]} … {inner[-3 * AROUND:]}"
    return _short(("…" if low else "") + inner + ("…" if high < len(text) else ""))


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 8 * AROUND else text[:8 * AROUND - 1] + "…"


def in_words(explanations: list[Explanation]) -> str:
    """The explanations for reading."""
    if not explanations:
        return "every stage that asks models is done; name one to see its calls"
    lines = []
    for one in explanations:
        first = f"; of the first {EXAMINED}:" if one.missing > EXAMINED else ""
        known = one.calls - one.missing
        lines.append(f"{one.stage} ({one.state}): {one.calls:,} calls, {known:,} in the journal, "
                     f"{one.missing:,} to be asked{first}")
        for reason in one.reasons:
            lines.append(f"  {reason.calls:,}: {reason.said}")
            lines += [f"      {name}\n        journalled {old}\n        asked      {new}"
                      for name, old, new in reason.fields]
    return "\n".join(lines)
