"""`lema regrade`: a run's stored paths judged anew, what changes shown, and on request taken up.

One design decision: looking writes nothing and asks no model. Taking up writes the graded rows and marks every
stage that was made of them stale, in its record, because fingerprints are made of settings and cannot see rows;
`lema run` then does those stages again, and what a model was ever asked comes from the journal.
"""

import dataclasses
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lema.commands.running import config_of, stages_of
from lema.errors import RunError
from lema.grading import grade_path
from lema.printable import short
from lema.records import Question, ReasoningPath, Verdict, read_rows, write_rows
from lema.runs.folder import held, write_record
from lema.runs.run import Stage
from lema.scratch import ScratchTable
from lema.stages.grade import grade
from lema.tasks import Task, answers_to, find_task


@dataclass(frozen=True, slots=True)
class Judged:
    """What a grader made of a path."""

    verdict: Verdict | None
    answer: str | None
    how: str

    @classmethod
    def of(cls, path: ReasoningPath) -> "Judged":
        return cls(path.verdict, path.answer, path.how)


@dataclass(frozen=True, slots=True)
class Change:
    """A path whose verdict or answer is another one now."""

    stage: str
    id: str
    question: str
    model: str
    gold: str
    before: Judged
    after: Judged


@dataclass
class Regraded:
    """What became of one folder of graded paths."""

    stage: Stage
    paths: int = 0
    verdicts: Counter = field(default_factory=Counter)  # (before, after) -> paths whose verdict changed
    right: list[int] = field(default_factory=lambda: [0, 0])
    changes: ScratchTable[Change] = field(default_factory=lambda: ScratchTable(None, Change))  # by the path's id

    @property
    def newly_wrong(self) -> int:
        """Paths that join the pool of mistakes."""
        return sum(count for (_, after), count in self.verdicts.items() if after == "wrong")

    def facts(self) -> dict:
        """For programs."""
        state, why = self.stage.status()
        return {"stage": self.stage.name, "state": state, "why": why, "paths": self.paths, "right": self.right,
                "verdicts": [[*pair, count] for pair, count in sorted(self.verdicts.items())],
                "changed": len(self.changes), "rows": [dataclasses.asdict(change) for change in self.changes]}


def look(folder: Path) -> list[Regraded]:
    """Every graded folder of the run judged by today's grader. RunError where nothing is graded yet."""
    config = config_of(folder)
    task = find_task(config.task.name, config.task.own)
    found = [_regraded(stage, task) for stage in stages_of(folder, config).values()
             if stage.verb is grade and stage.record() is not None]
    if not found:
        raise RunError(f"{folder}: no paths are graded yet; `lema run` grades them")
    return found


def take_up(folder: Path) -> list[Regraded]:
    """The same, written: new rows in the graded folders that changed, and what was made of them marked stale.

    A folder that is stale anyway is left to `lema run`. Only one process may hold the run.
    """
    stages = stages_of(folder, config_of(folder))
    with held(folder):
        found = look(folder)
        written = [one for one in found if one.changes and one.stage.status().state == "done"]
        _mark_stale(stages, [one.stage.name for one in written])
        for one in written:
            _write(one)
    return found


def in_words(folder: Path, found: list[Regraded], taken_up: list[str]) -> Iterator[str]:
    """Counts, every changed row, and how the run goes on; line by line, for there may be a million."""
    for one in found:
        yield (f"{one.stage.name}: {one.paths:,} paths, {len(one.changes):,} changed; "
               f"right {one.right[0]:,} → {one.right[1]:,}")
        for (before, after), count in sorted(one.verdicts.items()):
            yield f"  {count:>8,}  {_said(before)} → {_said(after)}"
    for change in (change for one in found for change in one.changes):
        before, after = change.before, change.after
        yield (f"  {change.stage} {change.id}  gold {short(change.gold)}: {_said(before.verdict)} "
               f"{short(before.answer)} → {_said(after.verdict)} {short(after.answer)}")
    yield ""
    yield from _what_next(folder, found, taken_up)


def as_json(found: list[Regraded], taken_up: list[str]) -> str:
    """The same for programs."""
    return json.dumps({"stages": [one.facts() for one in found], "written": taken_up}, indent=1)


def _regraded(stage: Stage, task: Task) -> Regraded:
    found = Regraded(stage)
    for path, gold, now in _judged(stage, task):
        before = Judged.of(path)
        found.paths += 1
        found.right[0] += before.verdict == "right"
        found.right[1] += now.verdict == "right"
        if before.verdict != now.verdict:
            found.verdicts[before.verdict, now.verdict] += 1
        if (before.verdict, before.answer) != (now.verdict, now.answer):
            found.changes.put(path.id, Change(stage.name, path.id, path.question, path.model, gold, before, now))
    return found


def _judged(stage: Stage, task: Task) -> Iterator[tuple[ReasoningPath, str, Judged]]:
    """Each stored path, its question's gold answer, and how it is judged now."""
    with ScratchTable(None, Question) as asked:
        asked.fill((row.id, row) for row in read_rows(Question, stage.sources[0].folder / "rows.jsonl"))
        for path in stage:
            question = asked.get(path.question)
            if question is None:
                raise RunError(f"{stage.folder}: path {path.id} answers a question that is not in "
                               f"{stage.sources[0].folder}; `lema run` makes both anew")
            answers = answers_to(task, question.choices)
            now = grade_path(path.text, question.answer, finish=path.finish, read=answers.read, same=answers.same)
            yield path, question.answer, Judged(now.verdict, now.answer, now.how)


def _mark_stale(stages: dict[str, Stage], changed: list[str]) -> None:
    """Every stage that was made, at any remove, of a changed one gets a record that says so. It is done before
    anything is written: a stage that is stale without need costs time, one that is not costs the truth."""
    touched = set(changed)
    mark = f"before lema regrade of {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"
    for name, stage in stages.items():
        inputs = [source.name for source in stage.sources if source.name in touched]
        models = [key for key, given in stage.models.items() if isinstance(given, Stage) and given.name in touched]
        if not inputs and not models:
            continue
        touched.add(name)
        if (record := stage.record()) is not None and stage.status().state == "done":
            record["facts"]["inputs"] |= dict.fromkeys(inputs, mark)
            record["facts"]["models"] |= dict.fromkeys(models, mark)
            write_record(stage.folder, {**record, "fingerprint": mark})


def _write(one: Regraded) -> None:
    """The folder with its new rows. Ids stay; a row that did not change stays byte for byte."""
    stage, record = one.stage, one.stage.record()
    shutil.rmtree(stage.part, ignore_errors=True)
    stage.part.mkdir(parents=True)
    rows = write_rows(stage.part / "rows.jsonl", (_as_judged_now(path, one.changes) for path in stage))
    kept = {key: value for key, value in record.items() if key not in ("fingerprint", "facts", "finished")}
    stage.finish(kept | {"rows": rows, "regraded": len(one.changes)})


def _as_judged_now(path: ReasoningPath, changes: ScratchTable[Change]) -> ReasoningPath:
    change = changes.get(path.id)
    return path if change is None else dataclasses.replace(path, **dataclasses.asdict(change.after))


def _what_next(folder: Path, found: list[Regraded], taken_up: list[str]) -> Iterator[str]:
    again = f"lema run {folder / 'config.toml'}" + ("" if folder.parent == Path("runs") else
                                                    f" --runs {folder.parent}")
    stale = [one for one in found if one.stage.status().state == "stale"]
    for one in stale:
        yield f"{one.stage.name} is stale ({one.stage.status().why}): `{again}` grades it anew"
    changed = [one for one in found if one.changes and one not in stale]
    if taken_up:
        yield f"written: {', '.join(taken_up)}; what was made of them is stale now: `{again}` does it again"
    elif changed:
        yield f"nothing was written; --write takes the new verdicts up, `{again}` then goes on from them"
    elif not stale:
        yield "nothing changed"
    if worse := sum(one.newly_wrong for one in found):
        yield f"{worse:,} paths are wrong now that were not: where the run corrects mistakes, theirs are asked for"


def _said(verdict: str | None) -> str:
    return (verdict or "none").replace("_", " ")
