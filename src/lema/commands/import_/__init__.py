"""`lema import`: corrections or paths that somebody already has join a run, each with the line it came from.

One design decision: a file is turned into the run's own records once, when it is imported, and lies in the run's
folder from then on; the pipeline finds it there, grades and verifies it like everything else, and a row that
cannot be joined is kept beside it with the reason.
"""

import json
import re
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lema.commands.import_.forms import ForeignRow, ImportColumns, read_foreign
from lema.commands.run_folder import going_on, meant_by
from lema.config import Config, load_config
from lema.errors import ConfigError, DataError, RunError
from lema.plugins import file_hash, near_miss, settings_of
from lema.printable import one_line
from lema.prompting import CUE, REWRITE_CUE
from lema.records import Correction, Question, ReasoningPath, content_id, to_row
from lema.replies import split_steps
from lema.runs.run import Stage
from lema.scratch import IdTable, ScratchTable
from lema.stages.correct import fields_of
from lema.stages.join import import_notes
from lema.stages.load import load, task_settings
from lema.tasks import Task, find_task

WHAT = ("corrections", "paths")


def import_file(run: str, file: Path, what: str, name: str, columns: Sequence[str], runs: Path) -> str:
    """Joins `file` to a run (its name, its folder, or a config that has not run yet); returns what was joined.

    `columns` are "field=column" pairs; without any the form is found out (lema.commands.import_.forms).
    ConfigError, RunError or DataError, with file and line, where something cannot be read.
    """
    if what not in WHAT:
        raise ConfigError(f"import: --as {what!r}{near_miss(what, list(WHAT))}")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name) or name.endswith(".part"):
        raise ConfigError(f"import: {name!r} cannot be a folder's name; give another with --name")
    folder, source = _run_folder(run, runs)
    out = folder / "imports" / name
    if out.exists():
        raise RunError(f"{out}: something of that name is imported already; give another name with --name, or "
                       "remove that folder")
    config = load_config(source)
    rows = read_foreign(file, what, _columns(columns))
    content = file_hash(file)
    _refuse_again(folder, content, what)
    task = find_task(config.task.name, config.task.own)
    part = out.with_name(f"{name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        with _Questions(part, _questions(folder, config, task), task) as questions:
            tally = _write(part, questions, rows, name)
        if not tally.joined:
            raise DataError(f"{file}: none of its {tally.left.total():,} rows can join ({_reasons(tally.left)}); "
                            "check the file, the columns and the task")
        facts = {"file": file.name, "content": content, "what": what,
                 "counts": {"joined": tally.joined, "left out": tally.left.total()},
                 "columns": list(columns), "models": sorted(tally.models),
                 "imported": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        (part / "import.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        part.rename(out)
    except OSError as error:
        raise RunError(f"{out}: cannot be written ({error.strerror or error}); make room or choose another place "
                       "with --runs DIR") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return _in_words(_next(source, folder), out, what, tally)


def _in_words(command: str, out: Path, what: str, tally: "_Imported") -> str:
    lines = [f"{out}: {tally.joined:,} {what} joined"]
    if tally.left:
        lines.append(f"  {tally.left.total():,} left out, each in {out}/left_out.jsonl: {_reasons(tally.left)}")
    if tally.unreadable:
        lines.append(f"  {tally.unreadable.total():,} of the joined can only be counted, not trained on: "
                     f"{_reasons(tally.unreadable)}")
    return "\n".join([*lines, "", f"  {command}"])


def _next(source: str, folder: Path) -> str:
    """The command that goes on with this run, or starts it: with its own config, in its own folder."""
    if (folder / "config.toml").is_file():
        return going_on(folder)
    elsewhere = "" if folder.parent == Path("runs") else f" --runs {shlex.quote(str(folder.parent))}"
    return f"lema run {shlex.quote(source)}{elsewhere}"


def _reasons(counts: Counter) -> str:
    return "; ".join(f"{count:,} {reason}" for reason, count in counts.most_common(4))


def _refuse_again(folder: Path, content: str, what: str) -> None:
    for place, earlier in import_notes(folder):
        if (earlier.content, earlier.what) == (content, what):
            raise RunError(f"{place}: the same file is imported already; remove that folder to import it again")


def _run_folder(run: str, runs: Path) -> tuple[Path, str]:
    """The run's folder and the config that stands for it: the one it was made with, where it is there."""
    for folder in (Path(run), runs / run):
        if (folder / "config.toml").is_file():
            return folder, str(folder / "config.toml")
    folder = meant_by(run, [], runs).folder
    return folder, str(folder / "config.toml") if (folder / "config.toml").is_file() else run


def _columns(pairs: Sequence[str]) -> ImportColumns | None:
    table = {}
    for pair in pairs:
        key, equals, column = pair.partition("=")
        if not equals or not column:
            raise ConfigError(f"import: --column {pair}: write it as field=column, for example question=problem")
        table[key] = column
    return settings_of(ImportColumns, table, "--column") if table else None


def _questions(folder: Path, config: Config, task: Task) -> Iterator[Question]:
    stage = Stage(folder, "questions", load, task_settings(config))
    if stage.status().state == "done":
        return iter(stage)
    return (question for split in task.splits for question in task.questions(split))


class _Questions(ScratchTable[Question]):
    """The training questions of a run, found by id, or up to white space and case by their text, by the prompt
    that asks them, or by their stem with the candidates in one line, as the LeMa repository writes them. What
    several questions share names none of them."""

    def __init__(self, folder: Path, questions: Iterable[Question], task: Task) -> None:
        super().__init__(folder, Question)
        for question in questions:
            if question.split == "train":
                self.put(f"id {question.id}", question)
                self.put(f"text {_plain(question.text)}", question)
                for name in set(map(_plain, _names(question, task))):
                    self.put(f"name {name}", question)

    def find(self, name: str) -> Question | None:
        plain = _plain(name)
        for key in (f"id {name}", f"text {plain}"):
            if questions := self.under(key):
                return questions[-1]
        sharing = {question.id: question for question in self.under(f"name {plain}")}
        return next(iter(sharing.values())) if len(sharing) == 1 else None


def _names(question: Question, task: Task) -> Iterator[str]:
    yield task.prompt(question)[-1].content
    if question.choices:
        stem = "\n".join(question.text.split("\n")[:-len(question.choices)])
        yield stem
        yield f"{stem}\nCandidate Answers: {', '.join(question.choices)}."


def _plain(text: str) -> str:
    """What two texts of one question have in common, as a key."""
    return content_id(" ".join(text.lower().split()))


@dataclass
class _Imported:
    """What became of the rows."""

    joined: int = 0
    left: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    models: set[str] = field(default_factory=set)


def _write(part: Path, questions: _Questions, rows: Iterator[ForeignRow], name: str) -> _Imported:
    """Writes the three files. Corrections of one path that stand behind each other share it."""
    tally, indexes, path = _Imported(), Counter(), None
    with (IdTable(part) as seen, (part / "paths.jsonl").open("w", encoding="utf-8") as paths,
          (part / "corrections.jsonl").open("w", encoding="utf-8") as corrections,
          (part / "left_out.jsonl").open("w", encoding="utf-8") as left_out):
        for row in rows:
            question = questions.find(row.question)
            content = content_id(question.id if question else "", row.path, row.correction)
            if reason := _unusable(row, question, content in seen):
                tally.left[reason] += 1
                left = {"place": row.place, "reason": reason, "question": row.question}
                left_out.write(one_line(json.dumps(left, ensure_ascii=False)) + "\n")
                continue
            tally.joined += 1
            model = row.model or name
            if row.correction is None or path is None or (path.question, path.model, path.text) != (
                    question.id, model, row.path):
                path = ReasoningPath(question=question.id, model=model, text=row.path,
                                     index=indexes[question.id], prompt=f"imported {row.place}")
                indexes[question.id] += 1
                tally.models.add(model)
                paths.write(to_row(path) + "\n")
            if row.correction is not None:
                seen.add(content)
                correction = _correction(row, path, name)
                if correction.rejected:
                    tally.unreadable[correction.rejected] += 1
                corrections.write(to_row(correction) + "\n")
    return tally


def _unusable(row: ForeignRow, question: Question | None, again: bool) -> str:
    """Why a row cannot join; empty where it can."""
    if row.problem:
        return row.problem
    if question is None:
        return "about no training question of this run"
    if again:
        return "the same correction of the same path as a row before"
    return "" if split_steps(row.path) else "the path has no steps"


def _correction(row: ForeignRow, path: ReasoningPath, name: str) -> Correction:
    """The correction as if it had been asked for here; without steps where it only reads as a whole answer."""
    fields = fields_of(row.correction, path, CUE)
    if "rejected" in fields:
        anew = fields_of(row.correction, path, REWRITE_CUE)
        fields = fields if "rejected" in anew else anew
    return Correction(question=path.question, path=path.id, model=row.corrector or name, reply=row.correction,
                      prompt=f"imported {row.place}", **fields)
