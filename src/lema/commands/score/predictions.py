"""Files of predictions: a run's own rows, plain rows with text and gold answer, or the LeMa repository's samples.

One design decision: whatever the form, a prediction is a text, the gold answer that it is held against and the
place where it stands; which form a file has is seen from its first row, and every complaint names file and line.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from lema.commands.run_folder import config_of
from lema.errors import ConfigError, DataError
from lema.grading import KINDS, By, Conventions, Grade, gold_answer, grade, grade_many, grade_path
from lema.plugins import near_miss, settings_of, shipped
from lema.records import Question, ReasoningPath, from_row, read_rows
from lema.scratch import by_id
from lema.tasks import Task, answers_to, find_task
from lema.tasks._choices import ChoiceSet
from lema.tasks._files import FileRow, read_file, text_of
from lema.tasks._sets import QuestionSet, laid_over

OF_A_ROW = attrgetter("text", "gold", "finish", "choices")  # what the workers are sent of a prediction


class Prediction(NamedTuple):
    """One text to be judged. `question` is an id; empty where the file names none."""

    place: str
    question: str
    text: str
    gold: str
    finish: str = "stop"
    choices: tuple[str, ...] = ()


class Judge(NamedTuple):
    """How answers are read and compared: by a task, or by an answer kind's name."""

    name: str
    kind: str
    grade: Callable[[Prediction], Grade]
    elsewhere: Callable[[Iterable[Prediction]], Iterator[Grade]] | None = None  # the same, by worker processes


class PredictionOptions(NamedTuple):
    """The options of the command; None where one was not given."""

    task: str | None = None
    beside: Path | None = None
    text: str = "text"
    gold: str = "gold"
    conventions: dict | None = None  # laid over those of the task


def open_predictions(file: Path, options: PredictionOptions) -> tuple[Judge, Iterator[Prediction]]:
    """How the file is judged, and its predictions one at a time. DataError where it is empty or unreadable."""
    if not file.is_file():
        raise DataError(f"{file}: no such file; give a file of predictions, or a run's folder of paths or answers")
    rows = read_file(str(file))
    first = next(rows)
    rows = chain([first], rows)
    if {"model", "index", "sampling", "verdict"} <= first.values.keys():
        return _of_run(file, options)
    if "samples" in first.values:
        return _of_samples(file, rows, options)
    return _plain(rows, options)


def _of_run(file: Path, options: PredictionOptions) -> tuple[Judge, Iterator[Prediction]]:
    """Rows of paths or answers; their gold answers stand in the questions folder of the run around them."""
    beside = options.beside or _above(file, "questions/rows.jsonl")
    if beside is None:
        raise DataError(f"{file}: paths of a run, but no questions/rows.jsonl in a folder above; name that file "
                        "with --beside")
    return _run_judge(file, options), _answered(file, beside)


def _run_judge(file: Path, options: PredictionOptions) -> Judge:
    if options.task:
        return judge_named(options.task, options.conventions)
    run = _above(file, "config.toml")
    if run is None:
        raise ConfigError(f"{file}: no run's config.toml in a folder above; say with --task how answers are read")
    config = config_of(run.parent)
    return judge_of(find_task(config.task.name, config.task.own | _table(options)))


def _above(file: Path, name: str) -> Path | None:
    """The nearest file of that name in a folder above."""
    for folder in file.resolve().parents:
        if (folder / name).is_file():
            return folder / name
    return None


def _answered(file: Path, beside: Path) -> Iterator[Prediction]:
    with by_id(None, Question, read_rows(Question, beside)) as questions:
        for row in read_file(str(file)):
            path = from_row(ReasoningPath, json.dumps(row.values), row.place)
            question = questions.get(path.question)
            if question is None:
                raise DataError(f"{row.place}: question {path.question} is not in {beside}; name its file with "
                                "--beside")
            yield Prediction(row.place, question.id, path.text, question.answer, path.finish, question.choices)


def _of_samples(file: Path, rows: Iterator[FileRow],
                options: PredictionOptions) -> tuple[Judge, Iterator[Prediction]]:
    """{"samples": [...]} a line, in the order of the test file that was asked."""
    if options.beside is None or options.task is None:
        raise ConfigError(f'{file}: rows of {{"samples": [...]}} hold no questions; name their test file with '
                          "--beside FILE and its task with --task")
    task = find_task(options.task, {"test": str(options.beside)} | _table(options))
    return judge_of(task), _sampled(file, rows, task, options.beside)


def _sampled(file: Path, rows: Iterator[FileRow], task: Task, beside: Path) -> Iterator[Prediction]:
    questions = task.questions("test")
    count = 0
    for count, row in enumerate(rows, 1):
        question = next(questions, None)
        if question is None:
            raise DataError(f"{row.place}: {beside} has {count - 1:,} questions, there is none for this row; "
                            "name the test file that was asked")
        samples = row.values.get("samples")
        if not isinstance(samples, list) or {*map(type, samples)} != {str}:
            raise DataError(f'{row.place}: "samples" must be a list of at least one text; mend the row')
        for text in samples:
            yield Prediction(row.place, question.id, text, question.answer, choices=question.choices)
    if left := sum(1 for _ in questions):
        raise DataError(f"{file}: {count:,} rows, but {beside} has {count + left:,} questions; every question "
                        "needs its row, in the same order")


def _plain(rows: Iterator[FileRow], options: PredictionOptions) -> tuple[Judge, Iterator[Prediction]]:
    """Rows with a text and its gold answer."""
    if options.beside is not None:
        raise ConfigError(f"--beside {options.beside}: these rows hold their own gold answers; leave it out, or "
                          "name the columns with --text and --gold")
    if options.task is None:
        raise ConfigError(f"--task: say how answers are read; one of {', '.join(KINDS)}")
    judge = judge_named(options.task, options.conventions)
    return judge, (_plain_row(row, options, judge) for row in rows)


def _plain_row(row: FileRow, options: PredictionOptions, judge: Judge) -> Prediction:
    for column, option in ((options.text, "--text"), (options.gold, "--gold")):
        if column not in row.values:
            raise DataError(f"{row.place}: no column {column!r}{near_miss(column, list(row.values))} ({option} "
                            "names the column)")
    text = row.values[options.text]
    if not isinstance(text, str):
        raise DataError(f"{row.place}: {options.text} is no text; leave the row out, or give what was answered")
    finish = row.values.get("finish")
    if not isinstance(finish, str):
        finish = "stop"
    return Prediction(row.place, "", text, _gold(row, options.gold, judge), finish)


def _gold(row: FileRow, column: str, judge: Judge) -> str:
    """The row's gold answer, out of a worked text where it is one, as both graders are to see it. DataError where
    no answer can ever be equal to it: the accuracy would be 0."""
    gold = text_of(row, column, "no gold answer")
    answer = gold_answer(gold, task=judge.kind) if judge.kind in KINDS else gold
    if answer is None:
        raise DataError(f"{row.place}: {column} is {json.dumps(gold[:40])}, which is no number; name the "
                        f"column of the gold answers with --gold, or what they are with --task (not {judge.name})")
    return answer


def _table(options: PredictionOptions) -> dict:
    return {"conventions": options.conventions} if options.conventions else {}


def judge_named(name: str, conventions: dict | None = None) -> Judge:
    """By the name of a task or of an answer kind, or a task at a dotted path. ConfigError with the near miss."""
    if "." in name:
        return judge_of(find_task(name, {"conventions": conventions} if conventions else {}))
    if name not in KINDS:
        if name in shipped("tasks"):
            raise ConfigError(f"--task {name}: what its answers are stands in a run's config; give a kind: "
                              f"{', '.join(KINDS)}")
        names = sorted({*KINDS, *shipped("tasks")})
        raise ConfigError(f"--task: no task or answer kind {name!r}{near_miss(name, names)}")
    how = laid_over(name, settings_of(Conventions, conventions or {}, "--set"))

    def graded(row: Prediction) -> Grade:
        return grade(row.text, row.gold, task=name, finish=row.finish, conventions=how, choices=row.choices)

    return Judge(name, name, graded, _elsewhere(name, how, "grade"))


def judge_of(task: Task) -> Judge:
    """By a task, as a run grades."""
    kind = getattr(task, "kind", None) or getattr(getattr(task, "settings", None), "answers", "")

    def graded(row: Prediction) -> Grade:
        answers = answers_to(task, row.choices)
        return grade_path(row.text, row.gold, finish=row.finish, read=answers.read, same=answers.same)

    own = isinstance(task, QuestionSet) and type(task).read in (QuestionSet.read, ChoiceSet.read)
    return Judge(task.name, kind, graded, _elsewhere(task.kind, task.conventions, "path") if own else None)


def _elsewhere(kind: str, how: Conventions, by: By) -> Callable[[Iterable[Prediction]], Iterator[Grade]]:
    """The judge that lives in worker processes; a task with code of its own has none."""
    return lambda rows: grade_many(map(OF_A_ROW, rows), task=kind, conventions=how, by=by)
