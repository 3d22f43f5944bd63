"""`lema why`: which field of a call differs from those that the journal holds, so that it has to be paid again.

One design decision: the stage's own verb says what it would ask, in a context that answers from the journal and
sends nothing; the nearest journalled call is the one in which the fewest fields differ, then the one whose texts
share the longest beginning and end. It is looked for among those that share a line with a missing call, and the
newest.
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
from typing import NamedTuple

from lema.commands.run_folder import stages_of
from lema.config import Config
from lema.errors import ConfigError, DataError
from lema.journal import Journal
from lema.journal.waiting import READ, Call, call_of
from lema.messages import Completion, Request
from lema.plugins import near_miss
from lema.runs.context import StageContext
from lema.runs.run import Stage
from lema.runs.workload import workload

EXAMINED = 200  # missing calls that are compared with the journal
NEWEST = 2_000  # journalled prompts that they are compared with whatever they say
ALIKE = 3  # prompts that are looked at for the sake of one line
AROUND = 24  # characters shown on either side of a difference

Fields = dict[str, object]


@dataclass
class Looking(StageContext):
    """Answers from the journal alone and remembers the first calls that it could not answer."""

    calls: int = 0
    missed: int = 0
    missing: list[Call] = field(default_factory=list)

    def ask(self, name: str, requests: Iterable[Request], total: int | None = None) -> Iterator[Completion]:
        identity, several = self.model(name).identity(), iter(requests)
        while calls := [call_of(identity, request) for request in itertools.islice(several, READ)]:
            journalled = self._journal.kept([call.key for call in calls])
            for call in calls:
                self.calls += 1
                if call.key not in journalled:
                    self.missed += 1
                    if self.missed <= EXAMINED:
                        self.missing.append(call)
                yield journalled.get(call.key) or Completion("", "error: not in the journal")


class Reason(NamedTuple):
    """Why some calls miss: the fields that differ from the nearest journalled call, and one example's values."""

    calls: int
    text: str  # path index, failed before, nothing alike, or the fields
    fields: tuple[tuple[str, str, str], ...] = ()  # name, journalled, asked


class Explanation(NamedTuple):
    """One stage's calls and why some of them are not in the journal."""

    stage: str
    state: str
    calls: int
    missing: int
    reasons: tuple[Reason, ...]


def explain(folder: Path, config: Config, name: str | None) -> list[Explanation]:
    """The stage of that name, else every stage that asks models and is not done and whose inputs are there."""
    stages = stages_of(folder, config)
    asking = {stage.name: stage for stage in stages.values() if workload(stage)}
    if name is not None and name not in asking:
        raise ConfigError(f"{name}: no stage that asks models{near_miss(name, list(asking))}")
    if not (folder / "journal.sqlite").is_file():
        raise DataError(f"{folder}: no journal here yet, so every call would be a new one")
    with Journal(folder / "journal.sqlite") as journal:
        if name:
            return [_explained(asking[name], config, journal)]
        return [_explained(stage, config, journal) for stage in asking.values()
                if stage.status().state != "done" and _unfinished(stage) is None]


def _unfinished(stage: Stage) -> str | None:
    """The first of what it is made of, its models included, that is not finished."""
    return next((source.name for source in [*stage.sources, *stage.makers] if not source.record()), None)


def _explained(stage: Stage, config: Config, journal: Journal) -> Explanation:
    if absent := _unfinished(stage):
        raise DataError(f"{stage.name}: its calls are not known before {absent} is finished; run that first")
    context = Looking(stage, config, lambda news: None, journal, stage.folder)
    for _ in stage.verb(context, stage.settings, *stage.inputs):
        pass
    return Explanation(stage.name, stage.status().state, context.calls, context.missed,
                       tuple(_reasons(journal.path, context.missing)))


def _reasons(path: Path, missing: list[Call]) -> Iterator[Reason]:
    if not missing:
        return
    with closing(sqlite3.connect(path)) as file:
        failed = _present(file, "key FROM failures WHERE key", [call.key for call in missing])
        prompts = _present(file, "hash FROM requests WHERE hash", list(map(_prompt, missing)))
        new = [call for call in missing if call.key not in failed and _prompt(call) not in prompts]
        kept = _alike(file, new) if new else []
    counted: Counter[tuple] = Counter()
    examples: dict[tuple, Reason] = {}
    for call in missing:
        reason = _reason(call, kept, failed, prompts)
        kind = (reason.text, tuple(name for name, _, _ in reason.fields))
        counted[kind] += 1
        examples.setdefault(kind, reason)
    for kind, calls in counted.most_common():
        yield examples[kind]._replace(calls=calls)


def _present(file: sqlite3.Connection, where: str, hashes: list[bytes]) -> set[bytes]:
    """Those of the hashes that stand in a table's column."""
    rows = file.execute(f"SELECT {where} IN ({', '.join('?' * len(hashes))})", hashes)
    return set(itertools.chain.from_iterable(rows))


def _prompt(call: Call) -> bytes:
    return hashlib.sha256(call.facts.encode()).digest()


def _alike(file: sqlite3.Connection, missing: list[Call]) -> list[Fields]:
    """The journalled prompts that may be the nearest: of every line that not all missing calls have, the newest
    that hold it, and the newest of all. Reads every prompt once; none is parsed but those."""
    having: Counter[str] = Counter()
    for call in missing:
        having.update(set(_lines(call.facts)))
    left = {line: ALIKE for line, calls in having.items() if calls < len(missing) or len(missing) == 1}
    prompts = []
    for place, (written, facts) in enumerate(file.execute(
            "SELECT hash, CAST(facts AS BLOB) FROM requests ORDER BY rowid DESC")):
        if hashlib.sha256(facts).digest() != written:
            continue  # damaged: whatever stands there was never asked
        facts = facts.decode()
        telling = list(filter(left.get, _lines(facts)))
        if telling or place < NEWEST:
            prompts.append(_fields(json.loads(facts)))
        for line in telling:
            left[line] -= 1
    return prompts


def _lines(facts: str) -> list[str]:
    """The lines of a call's messages, as its canonical JSON has them."""
    return facts[:facts.rfind(']],"model":')].split("\\n")


def _reason(call: Call, kept: list[Fields], failed: set[bytes], prompts: set[bytes]) -> Reason:
    if call.key in failed:
        return Reason(1, "failed when it was asked before; failures are asked again")
    if _prompt(call) in prompts:
        return Reason(1, "the prompt was asked before, but not so often: the path index is new")
    if not kept:
        return Reason(1, "the journal holds no call at all")
    new = _fields(json.loads(call.facts))
    counts = [len(_differing(new, other)) for other in kept]
    fewest = itertools.compress(kept, map(min(counts).__eq__, counts))
    nearest = min(fewest, key=lambda other: _apart(new, other))
    fields = []
    for name in _differing(new, nearest):
        fields.append((name, *_shortened(nearest.get(name), new.get(name))))
    return Reason(1, "differ from the nearest journalled call in", tuple(fields))


def _fields(facts: object, name: str = "") -> Fields:
    """Every leaf of the facts by its path: model.model, messages.0.content, sampling.seed, ..."""
    if isinstance(facts, dict):
        parts = facts.items()
    elif name == "messages":
        parts = ((str(place), {"role": role, "content": content}) for place, (role, content) in enumerate(facts))
    else:
        return {name: facts}
    fields: Fields = {}
    for key, value in parts:
        fields |= _fields(value, f"{name}.{key}".strip("."))
    return fields


def _differing(new: Fields, old: Fields) -> list[str]:
    """The fields whose values differ, in the order in which they stand."""
    return [name for name in dict.fromkeys([*new, *old]) if new.get(name) != old.get(name)]


def _apart(new: Fields, old: Fields) -> int:
    """Characters of differing texts that are not shared at their beginning or end."""
    apart = 0
    for name in _differing(new, old):
        left, right = str(new.get(name, "")), str(old.get(name, ""))
        apart += max(len(left), len(right)) - sum(_shared(left, right))
    return apart


def _shared(left: str, right: str) -> tuple[int, int]:
    """How many characters two texts share at their beginning, and then at their end."""
    shorter = min(len(left), len(right))
    start = bisect_left(range(1, shorter + 1), True, key=lambda length: not left.startswith(right[:length]))
    end = bisect_left(range(1, shorter - start + 1), True, key=lambda length: not left.endswith(right[-length:]))
    return start, end


def _shortened(old: object, new: object) -> tuple[str, str]:
    """Both values, cut to where they differ."""
    if not isinstance(old, str) or not isinstance(new, str) or max(len(old), len(new)) <= 2 * AROUND:
        return _short(old), _short(new)
    start, end = _shared(old, new)
    return _cut(old, start, end), _cut(new, start, end)


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
    for each in explanations:
        first = f"; of the first {EXAMINED}:" if each.missing > EXAMINED else ""
        lines.append(f"{each.stage} ({each.state}): {each.calls:,} calls, {each.calls - each.missing:,} in the "
                     f"journal, {each.missing:,} to be asked{first}")
        for reason in each.reasons:
            lines.append(f"  {reason.calls:,}: {reason.text}")
            for name, old, new in reason.fields:
                lines += [f"      {name}", f"        journalled {old}", f"        asked      {new}"]
    return "\n".join(lines)


def as_json(explanations: list[Explanation]) -> str:
    """The explanations for programs."""
    rows = []
    for each in explanations:
        reasons = [{"calls": calls, "said": text, "fields": fields} for calls, text, fields in each.reasons]
        rows.append(each._asdict() | {"reasons": reasons})
    return json.dumps(rows, indent=1, ensure_ascii=False)
