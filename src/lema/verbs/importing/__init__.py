"""`lema import`: corrections or paths that somebody already has join a run, each with the line it came from.

One design decision: a file is turned into the run's own records once, when it is imported, and lies in the run's
folder from then on; the pipeline finds it there, grades and verifies it like everything else, and a row that
cannot be joined is kept beside it with the reason.
"""

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lema.config import Config, find_recipe, load_config
from lema.errors import ConfigError, DataError, RunError
from lema.prompting import CUE, REWRITE_CUE
from lema.records import Correction, Question, ReasoningPath, content_id, to_row
from lema.runs import Stage
from lema.seams import file_hash, near_miss, settings_of
from lema.shelf import Shelf
from lema.stages.correct import fields_of
from lema.stages.load import load
from lema.steps import split_steps
from lema.tasks import find_task
from lema.verbs.importing.forms import Columns, Found, read_found
from lema.wiring import task_settings

WHAT = ("corrections", "paths")


def import_file(run: str, file: Path, what: str, name: str, columns: Sequence[str], runs: Path) -> str:
    """Joins `file` to a run (its name, its folder, or a config that has not run yet); returns what was joined.

    `columns` are "field=column" pairs; without any the form is found out (lema.verbs.importing.forms).
    ConfigError, RunError or DataError, with file and line, where something cannot be read.
    """
    if what not in WHAT:
        raise ConfigError(f"import: --as {what!r}{near_miss(what, list(WHAT))}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise ConfigError(f"import: {name!r} cannot be a folder's name; give another with --name")
    folder, source = _run_folder(run, runs)
    out = folder / "imports" / name
    if out.exists():
        raise RunError(f"{out}: something of that name is imported already; give another name with --name, or "
                       "remove that folder")
    config = load_config(source)
    part = out.with_name(f"{name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    with _Questions(part, _questions(folder, config)) as questions:
        counts, models = _write(part, questions, read_found(file, what, _columns(columns)), name)
    if not counts["joined"]:
        shutil.rmtree(part)
        raise DataError(f"{file}: none of its {counts.total()} rows is about a question of this run; check the "
                        "columns and the task")
    facts = {"file": file.name, "content": file_hash(file), "what": what, "counts": dict(counts),
             "columns": list(columns), "models": models,
             "imported": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    (part / "import.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    part.rename(out)
    left = f"; {counts['left out']:,} left out, see {out}/left_out.jsonl" if counts["left out"] else ""
    return f"{out}: {counts['joined']:,} {what} joined{left}\n\n  lema run {run}"


def _run_folder(run: str, runs: Path) -> tuple[Path, str]:
    """The run's folder and the config that stands for it."""
    for folder in (Path(run), runs / run):
        if (folder / "config.toml").is_file():
            return folder, str(folder / "config.toml")
    return runs / load_config(str(find_recipe(run))).name, run


def _columns(pairs: Sequence[str]) -> Columns | None:
    table = {}
    for pair in pairs:
        field, equals, column = pair.partition("=")
        if not equals or not column:
            raise ConfigError(f"import: --column {pair}: write it as field=column, for example question=problem")
        table[field] = column
    return settings_of(Columns, table, "--column") if table else None


def _questions(folder: Path, config: Config) -> Iterator[Question]:
    stage = Stage(folder, "questions", load, task_settings(config))
    if stage.status().state == "done":
        return iter(stage)
    task = find_task(config.task.name, config.task.own)
    return (question for split in task.splits for question in task.questions(split))


class _Questions:
    """The training questions of a run, found by id or by text up to white space and case."""

    def __init__(self, folder: Path, questions: Iterable[Question]) -> None:
        self._found = Shelf(folder, Question)
        for question in questions:
            if question.split == "train":
                self._found.put(f"id {question.id}", question)
                self._found.put(_plain(question.text), question)

    def find(self, named: str) -> Question | None:
        return next(reversed(self._found.under(f"id {named}") or self._found.under(_plain(named))), None)

    def __enter__(self) -> "_Questions":
        return self

    def __exit__(self, *_: object) -> None:
        self._found.__exit__()


def _plain(text: str) -> str:
    """What two texts of one question have in common, as a key."""
    return content_id(" ".join(text.lower().split()))


def _write(part: Path, questions: _Questions, rows: Iterator[Found], name: str) -> tuple[Counter, list[str]]:
    """Writes the three files; how many rows were joined and left out, and the models whose paths they are."""
    counts, indexes, models = Counter(), Counter(), set()
    with ((part / "paths.jsonl").open("w", encoding="utf-8") as paths,
          (part / "corrections.jsonl").open("w", encoding="utf-8") as corrections,
          (part / "left_out.jsonl").open("w", encoding="utf-8") as left_out):
        for found in rows:
            question = questions.find(found.question)
            reason = "no training question of this run" if question is None else _unusable(found)
            if reason:
                counts["left out"] += 1
                left_out.write(json.dumps({"place": found.place, "reason": reason, "question": found.question},
                                          ensure_ascii=False) + "\n")
                continue
            path = ReasoningPath(question=question.id, model=found.model or name, text=found.path,
                                 index=indexes[question.id], prompt=f"imported {found.place}")
            indexes[question.id] += 1
            models.add(path.model)
            counts["joined"] += 1
            paths.write(to_row(path) + "\n")
            if found.correction is not None:
                corrections.write(to_row(_correction(found, path, name)) + "\n")
    return counts, sorted(models)


def _unusable(found: Found) -> str:
    return "" if split_steps(found.path) else "the path has no steps"


def _correction(found: Found, path: ReasoningPath, name: str) -> Correction:
    """The correction as if it had been asked for here; without steps where it only reads as a whole answer."""
    fields = fields_of(found.correction, path, CUE)
    if "rejected" in fields:
        anew = fields_of(found.correction, path, REWRITE_CUE)
        fields = fields if "rejected" in anew else anew
    return Correction(question=path.question, path=path.id, model=found.corrector or name, reply=found.correction,
                      prompt=f"imported {found.place}", **fields)
