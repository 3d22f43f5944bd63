"""`lema show` and `lema list`: what a run holds and what lema ships, for people and for programs.

One design decision: a run is read through the same stages that made it, so nothing here knows a folder's name
twice; a run that is half done shows what is there.
"""

import ast
import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from lema.commands.running import config_of, stages_of
from lema.config import Config, recipes
from lema.config.ready_arms import ready_arm, ready_arms
from lema.errors import DataError
from lema.examples.take import Sort
from lema.journal import spent_in
from lema.plugins import shipped
from lema.records import Account, Critique, to_row
from lema.report.funnels import critique_funnels, funnel, parents, seeds_of
from lema.report.sets import table as set_table
from lema.runs.bills import Bill, Kept, draw_up, in_words
from lema.runs.prices import price_of, served_prices
from lema.runs.run import Stage

ROOMS = {"tasks": "tasks", "backends": "models", "trainers": "training", "kinds of examples": "examples"}


def summary_of(folder: Path, *, as_json: bool) -> str:
    """A run's funnels, arms and scores, as far as they are done."""
    config = config_of(folder)
    stages = stages_of(folder, config)
    states = {name: stage.status().state for name, stage in stages.items()}
    done = {name: stage for name, stage in stages.items() if states[name] == "done"}
    found = {
        "run": config.name,
        "stages": {name: stage.record()["rows"] for name, stage in done.items()},
        "stale": [name for name, state in states.items() if state == "stale"],
        "funnels": [dataclasses.asdict(each) for each in funnels(config, done)],
        "arms": _rows(done.get("accounts")),
        "scores": _rows(done.get("scores")),
        "comparisons": _rows(done.get("comparisons")),
    }
    bill = bill_of(folder, config, done)
    found["cost"] = costs(bill)
    return json.dumps(found, indent=1, ensure_ascii=False) if as_json else _in_words(folder, found, bill)


def closing_words(folder: Path) -> str:
    """What a finished run says: the comparison table and where the report lies, else the funnel."""
    table, page = folder / "report" / "table.txt", folder / "report" / "report.html"
    config = config_of(folder)
    if config.train is None:
        return summary_of(folder, as_json=False)
    sets = "\n".join(set_table(list(stages_of(folder, config)["accounts"])))
    return f"The training sets; tokens of each example once, epochs at the budget.\n\n{sets}\n\n" \
           f"{table.read_text(encoding='utf-8')}\nreport: {page}"


def life_of(folder: Path, identifier: str, *, as_json: bool) -> str:
    """Everything that happened to one question, found by the id of any row that belongs to it."""
    stages = {name: stage for name, stage in stages_of(folder, config_of(folder)).items()
              if stage.status().state == "done"}
    question = _question_of(stages.values(), identifier)
    if question is None:
        raise DataError(f"{folder}: no row has the id {identifier!r}; take one from a rows.jsonl of this run")
    life = {name: rows for name, stage in stages.items() if (rows := [
        record for record in stage.naming(question)
        if question in (getattr(record, "question", None), record_id(record))])}
    if as_json:
        return json.dumps({name: [json.loads(to_row(r)) for r in rows] for name, rows in life.items()},
                          indent=1, ensure_ascii=False)
    return "\n\n".join(f"── {name}\n" + "\n".join(_told(record) for record in rows) for name, rows in life.items())


def as_rows(records: Iterable[object]) -> str:
    """Records as JSON, for programs."""
    return json.dumps([dataclasses.asdict(record) for record in records], indent=1, ensure_ascii=False)


def shipped_list(*, as_json: bool) -> str:
    """What lema ships, by room, with the first sentence of each module."""
    found = {title: {name: _first_sentence(room, name) for name in shipped(room)} for title, room in ROOMS.items()}
    found["arms"] = {name: ready_arm(name)["about"] for name in ready_arms()}
    found["recipes"] = {name: _first_comment(name) for name in recipes()}
    if as_json:
        return json.dumps(found, indent=1, ensure_ascii=False)
    return "\n\n".join(
        "\n".join([title, *(f"  {name:19} {what}".rstrip() for name, what in names.items())])
        for title, names in found.items())


def funnels(config: Config, done: dict[str, Stage]) -> list:
    """The funnel of every round whose paths are graded."""
    used = parents(stage for name, stage in done.items() if name.startswith("sets/"))
    found = []
    for name in ("", *config.evolve):
        here, called = f"{name}/" if name else "", name or "The questions of the task"
        if f"{here}graded" in done:
            found.append(funnel(called, done[f"{here}questions"], done[f"{here}graded"],
                                done.get(f"{here}verified", ()), used, seeds_of(config, name)))
            found += critique_funnels(called, done[f"{here}graded"], critiques_of(done, here), used)
    return found


def critiques_of(done: dict[str, Stage], here: str) -> Iterator[Critique]:
    """The critiques of the round whose stages' names begin with `here`, as far as they are done."""
    return (row for sort in get_args(Sort) for row in done.get(f"{here}critiques/{sort}", ()))


def bill_of(folder: Path, config: Config, done: dict[str, Stage]) -> Bill:
    """What the done stages cost, and everything that was ever paid for the run."""
    return draw_up(done.values(), lambda name: price_of(config, name), spent_in(folder / "journal.sqlite"),
                   served_prices(config))


def costs(bill: Bill) -> dict:
    """The bill for programs; `dollars` are null where a price is not known."""
    def kept(one: Kept) -> dict:
        return {"round": one.round, "kept": one.kept,
                "dollars_each": one.each(one.corrector).dollars if one.kept else None,
                "tokens_each": one.each(one.corrector).tokens if one.kept else None,
                "whole_dollars_each": one.each(one.whole).dollars if one.kept else None}

    lines = {name: [dataclasses.asdict(line) for line in getattr(bill, name)]
             for name in ("stages", "models", "paid")}
    return {**lines, "kept_corrections": [kept(one) for one in bill.kept], "prices": dict(bill.sources)}


def record_id(record: object) -> str | None:
    """The id of a record, where its kind has one."""
    return getattr(record, "id", None)


def _question_of(stages: Iterable[Stage], identifier: str) -> str | None:
    """The id of the question that the row with this id is about."""
    for stage in stages:
        for record in stage.naming(identifier):
            if record_id(record) == identifier:
                return getattr(record, "question", identifier)
    return None


def _rows(stage: Stage | None) -> list[dict]:
    return [json.loads(to_row(record)) for record in stage] if stage else []


def _in_words(folder: Path, found: dict, bill: Bill) -> str:
    lines = [f"{found['run']}: {len(found['stages'])} stages done in {folder}"
             + (f", {len(found['stale'])} are stale (lema plan says why)" if found["stale"] else "")]
    for each in found["funnels"]:
        lines += ["", each["name"]]
        for stage in each["stages"]:
            lost = ", ".join(f"{loss['count']:,} {loss['reason']}" for loss in stage["losses"])
            lines.append(f"  {stage['count']:>8,}  {stage['name']}" + (f"  ({lost})" if lost else ""))
    if found["arms"]:
        lines += ["", *set_table([Account(**account) for account in found["arms"]])]
    lines += in_words(bill)
    if (folder / "report" / "table.txt").is_file():
        if "report" in found["stale"]:
            lines += ["", "The table below is of an earlier state of the run; `lema run` makes it anew."]
        lines += ["", (folder / "report" / "table.txt").read_text(encoding="utf-8").rstrip()]
    return "\n".join(lines)


def _told(record: object) -> str:
    """One record for reading: its texts in full, its figures on one line."""
    fields = {key: value for key, value in dataclasses.asdict(record).items()
              if value not in (None, "", (), [], 0)}
    texts = {key: fields.pop(key) for key in ("text", "solution", "reply", "prompt", "prefix", "completion")
             if isinstance(fields.get(key), str) and (len(fields[key]) > 60 or "\n" in fields[key])}
    facts = "  ".join(f"{key}={value}" for key, value in fields.items() if key != "sampling")
    body = "".join(f"\n  {key}:\n    " + text.strip().replace("\n", "\n    ") for key, text in texts.items())
    return facts + body


def _first_sentence(room: str, name: str) -> str:
    """The first line of a module's docstring, read without importing it."""
    root = Path(__file__).parents[1] / room
    path = root / f"{name}.py" if (root / f"{name}.py").is_file() else root / name / "__init__.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n", 1)[0]


def _first_comment(recipe: str) -> str:
    from lema.config import find_recipe

    return find_recipe(recipe).read_text(encoding="utf-8").split("\n", 1)[0].lstrip("# ")
