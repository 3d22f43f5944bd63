"""`lema regrade`: a run's stored paths judged anew, what changes shown, and on request taken up.

One design decision: looking writes nothing and asks no model. Taking up writes the graded rows and marks every
stage that was made of them stale, in its record, because fingerprints are made of settings and cannot see rows;
`lema run` then does those stages again, and what a model was ever asked comes from the journal.
"""

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lema.commands.run_folder import config_of, going_on, stages_of
from lema.errors import RunError
from lema.files import remove
from lema.printable import short
from lema.records import Question, ReasoningPath, Verdict, write_rows
from lema.runs.folder import held, write_record
from lema.runs.run import Stage
from lema.scratch import ScratchTable, by_id
from lema.stages.grade import grade
from lema.tasks import Task, find_task, verdict_on


@dataclass(frozen=True, slots=True)
class GradedAs:
    """What a grader made of a path."""

    verdict: Verdict | None
    answer: str | None
    how: str


@dataclass(frozen=True, slots=True)
class Change:
    """A path whose verdict or answer is another one now."""

    stage: str
    id: str
    question: str
    model: str
    gold: str
    before: GradedAs
    after: GradedAs


@dataclass
class Regraded:
    """What became of one folder of graded paths."""

    stage: Stage
    paths: int = 0
    verdicts: Counter = field(default_factory=Counter)  # (before, after) -> paths whose verdict changed
    right: list[int] = field(default_factory=lambda: [0, 0])
    changes: ScratchTable[Change] = field(default_factory=lambda: ScratchTable(None, Change))  # by the path's id

    def newly_wrong(self) -> int:
        """Paths that join the pool of mistakes."""
        return sum(count for (_, after), count in self.verdicts.items() if after == "wrong")

    def facts(self) -> dict:
        """For programs."""
        state, why = self.stage.status()
        return {"stage": self.stage.name, "state": state, "why": why, "paths": self.paths, "right": self.right,
                "verdicts": [[*pair, count] for pair, count in sorted(self.verdicts.items())],
                "changed": len(self.changes), "rows": list(map(dataclasses.asdict, self.changes))}


def regrade_run(folder: Path, *, write: bool, as_json: bool) -> Iterator[str]:
    """What the command prints, line by line, for there may be a million."""
    grades, taken_up = take_up(folder) if write else (look(folder), [])
    if as_json:
        yield json.dumps({"stages": list(map(Regraded.facts, grades)), "written": taken_up}, indent=1)
    else:
        yield from _in_words(folder, grades, taken_up)


def look(folder: Path) -> list[Regraded]:
    """Every graded folder of the run judged by today's grader. RunError where nothing is graded yet."""
    config = config_of(folder)
    task = find_task(config.task.name, config.task.own)
    grades = [_regraded(stage, task) for stage in stages_of(folder, config).values()
              if stage.verb is grade and stage.record() is not None]
    if not grades:
        raise RunError(f"{folder}: no paths are graded yet; `{going_on(folder)}` grades them")
    return grades


def take_up(folder: Path) -> tuple[list[Regraded], list[str]]:
    """The same, written: new rows in the graded folders that changed, whose names come too, and what was made of
    them marked stale.

    A folder that is stale anyway is left to `lema run`. Only one process may hold the run.
    """
    stages = stages_of(folder, config_of(folder))
    with held(folder):
        grades = look(folder)
        written = {each.stage.name: each for each in grades
                   if each.changes and each.stage.status().state == "done"}
        _mark_stale(stages, written)
        for each in written.values():
            _write(each)
    return grades, list(written)


def _in_words(folder: Path, grades: list[Regraded], taken_up: list[str]) -> Iterator[str]:
    """Counts, every changed row, and how the run goes on."""
    for each in grades:
        yield (f"{each.stage.name}: {each.paths:,} paths, {len(each.changes):,} changed; "
               f"right {each.right[0]:,} → {each.right[1]:,}")
        for (before, after), count in sorted(each.verdicts.items()):
            yield f"  {count:>8,}  {_spaced(before)} → {_spaced(after)}"
    for each in grades:
        for change in each.changes:
            before, after = change.before, change.after
            yield (f"  {change.stage} {change.id}  gold {short(change.gold)}: {_spaced(before.verdict)} "
                   f"{short(before.answer)} → {_spaced(after.verdict)} {short(after.answer)}")
    yield ""
    yield from _what_next(folder, grades, taken_up)


def _regraded(stage: Stage, task: Task) -> Regraded:
    regraded = Regraded(stage)
    for path, gold, now in _graded_now(stage, task):
        before = GradedAs(path.verdict, path.answer, path.how)
        regraded.paths += 1
        regraded.right[0] += before.verdict == "right"
        regraded.right[1] += now.verdict == "right"
        if before.verdict != now.verdict:
            regraded.verdicts[before.verdict, now.verdict] += 1
        if (before.verdict, before.answer) != (now.verdict, now.answer):
            change = Change(stage.name, path.id, path.question, path.model, gold, before, now)
            regraded.changes.put(path.id, change)
    return regraded


def _graded_now(stage: Stage, task: Task) -> Iterator[tuple[ReasoningPath, str, GradedAs]]:
    """Each stored path, its question's gold answer, and how it is graded now."""
    with by_id(None, Question, stage.sources[0]) as questions:
        for path in stage:
            question = questions.get(path.question)
            if question is None:
                raise RunError(f"{stage.folder}: path {path.id} answers a question that is not in "
                               f"{stage.sources[0].folder}; `lema run` makes both anew")
            yield path, question.answer, GradedAs(*verdict_on(path, question, task))


def _mark_stale(stages: dict[str, Stage], changed: Iterable[str]) -> None:
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


def _write(regraded: Regraded) -> None:
    """The folder with its new rows. Ids stay; a row that did not change stays byte for byte."""
    stage, record = regraded.stage, regraded.stage.record()
    remove(stage.part)
    stage.part.mkdir(parents=True)
    rows = write_rows(stage.part / "rows.jsonl", (_as_graded_now(path, regraded.changes) for path in stage))
    for made_anew in ("fingerprint", "facts", "finished"):
        record.pop(made_anew, None)
    stage.finish(record | {"rows": rows, "regraded": len(regraded.changes)})


def _as_graded_now(path: ReasoningPath, changes: ScratchTable[Change]) -> ReasoningPath:
    change = changes.get(path.id)
    return path if change is None else dataclasses.replace(path, **dataclasses.asdict(change.after))


def _what_next(folder: Path, grades: list[Regraded], taken_up: list[str]) -> Iterator[str]:
    again = going_on(folder)
    changed, some_stale = False, False
    for each in grades:
        state, why = each.stage.status()
        if state == "stale":
            some_stale = True
            yield f"{each.stage.name} is stale ({why}): `{again}` grades it anew"
        else:
            changed = changed or bool(each.changes)
    if taken_up:
        yield f"written: {', '.join(taken_up)}; what was made of them is stale now: `{again}` does it again"
    elif changed:
        yield f"nothing was written; --write takes the new verdicts up, `{again}` then goes on from them"
    elif not some_stale:
        yield "nothing changed"
    if worse := sum(map(Regraded.newly_wrong, grades)):
        yield f"{worse:,} paths are wrong now that were not: where the run corrects mistakes, theirs are asked for"


def _spaced(verdict: str | None) -> str:
    return (verdict or "none").replace("_", " ")
