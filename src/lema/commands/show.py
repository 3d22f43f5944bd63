"""`lema show`: what a run holds, for people and for programs.

One design decision: a run is read through the same stages that made it, asked for by their verbs and rounds, so
nothing here knows a folder's name again; a run that is half done shows what is there.
"""

import dataclasses
import json
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from lema.chains import StepCorrection
from lema.commands.run_folder import config_of, finished, going_on, stages_of
from lema.config import Config
from lema.errors import DataError
from lema.files import read_plain
from lema.journal import spent_in
from lema.pipeline import gathered
from lema.records import Example, to_row
from lema.report import Funnel, FunnelStage
from lema.report.chains import chain_in_words
from lema.report.costs import in_words
from lema.report.funnels import critique_funnels, funnel, one_step_funnel, parents, seeds_of
from lema.report.sets import table as set_table
from lema.report.tables import WIDTH, all_in_text
from lema.runs.bills import Bill, Kept, draw_up
from lema.runs.prices import price_of, served_prices
from lema.runs.progress_file import in_words as going_in_words
from lema.runs.progress_file import progress_of
from lema.runs.run import Run, Stage
from lema.stages.account import account
from lema.stages.analyse import analyse
from lema.stages.report import report
from lema.stages.score import compare, score

TEXTS = ("text", "solution", "reply", "prompt", "prefix", "completion")
"""Fields that are shown in full, behind the others."""


def summary_of(folder: Path, *, as_json: bool) -> str:
    """A run's funnels, arms and scores, as far as they are done."""
    config = config_of(folder)
    stages = stages_of(folder, config)
    done = finished(stages)
    bill, accounts = bill_of(folder, config, done), rows_of(account, done)
    rounds = list(funnels(folder, config, done))
    summary = {
        "run": config.name,
        "going": progress_of(folder),
        "stages": {name: stage.record()["rows"] for name, stage in done.items()},
        "stale": [name for name, stage in stages.items() if stage.status().state == "stale"],
        "funnels": list(map(dataclasses.asdict, rounds)),
        "arms": list(map(_values, accounts)),
        "scores": list(map(_values, rows_of(score, done))),
        "comparisons": list(map(_values, rows_of(compare, done))),
        "tables": list(map(_values, rows_of(analyse, done))),
        "cost": costs(bill),
    }
    if as_json:
        return json.dumps(summary, indent=1, ensure_ascii=False)
    reported = _made_by(report, stages)
    why = going_on(folder, "plan")
    stale = f", {len(summary['stale'])} are stale (`{why}` says why)" if summary["stale"] else ""
    whole = len(done) == len(stages)
    count = f"{len(done)} stages" if whole else f"{len(done)} of {len(stages)} stages"
    lines = [f"{config.name}: {count} done in {folder}{stale}"]
    if not whole and not summary["going"]:
        lines.append(f"It is not going on: `{going_on(folder)}` goes on with it.")
    if summary["going"]:
        lines += going_in_words(summary["going"])
    lines += filter(None, (stage.damage() for stage in stages.values()))
    for each in rounds:
        lines += ["", each.name]
        for stage in each.stages:
            lines += _funnel_lines(stage)
    table = _table_of(folder, reported, summary["stale"])
    if accounts and not table:
        lines += ["", *set_table(accounts, partial(price_of, config))]
    if config.sample is None:
        lines += all_in_text(rows_of(analyse, done))
    return "\n".join([*lines, *in_words(bill), *table, "",
                      *_further(folder, reported)])


def _funnel_lines(stage: FunnelStage) -> list[str]:
    """A stage with what was lost on the way to it, within 80 columns."""
    losses = losses_of(stage)
    text = f"{stage.name}  ({losses})" if losses else stage.name
    return textwrap.wrap(text, WIDTH, initial_indent=f"  {stage.count:>8,}  ", subsequent_indent=" " * 16,
                         break_on_hyphens=False)


def _further(folder: Path, reported: Stage | None) -> Iterator[str]:
    """Where there is more to see."""
    if page := page_of(folder, reported):
        yield f"report: {page}"
    yield f"every row: {going_on(folder, 'view')}; every table: {going_on(folder, 'show')} --tables"


def page_of(folder: Path, reported: Stage | None) -> Path | None:
    """The page that a run has: its report, else what is written of a run that did not come so far."""
    pages = [reported.folder / "report.html"] if reported is not None else []
    return next(filter(Path.is_file, [*pages, folder / "report.html"]), None)


def tables_of(folder: Path, *, as_json: bool) -> str:
    """Every table beside a run's comparison, details too: the sets, the bill by stage, the analyses."""
    config = config_of(folder)
    done = finished(stages_of(folder, config))
    tables, accounts = rows_of(analyse, done), rows_of(account, done)
    if as_json:
        return json.dumps(list(map(_values, tables)), indent=1, ensure_ascii=False)
    sets = set_table(accounts, partial(price_of, config)) if accounts else []
    lines = [*sets, *in_words(bill_of(folder, config, done), stages=True), *all_in_text(tables)]
    return "\n".join(lines).strip("\n") or f"{folder}: no tables yet; `{going_on(folder)}` makes them"


def closing_words(folder: Path, *, as_json: bool = False) -> str:
    """What a finished run says: the answer, the comparison, and where everything else is; without a training its
    funnel."""
    config = config_of(folder)
    if config.train is None or as_json:
        return summary_of(folder, as_json=as_json)
    reported = _made_by(report, stages_of(folder, config))
    paragraphs = _read_table(reported.folder).split("\n\n")
    against = (text[text.index("Against "):] for text in paragraphs if "\nAgainst " in text)
    answer = textwrap.wrap(answer_of(reported.folder), WIDTH)
    return "\n\n".join([*filter(None, ["\n".join(answer)]), paragraphs[0], *against,
                        "\n".join(_further(folder, reported))])


def life_of(folder: Path, identifier: str, *, as_json: bool) -> str:
    """Everything that happened to one question, found by the id of any row that belongs to it."""
    stages = finished(stages_of(folder, config_of(folder)))
    every = stages.values()
    question = _question_of(every, identifier) or _question_by_prefix(folder, every, identifier)
    life = {}
    for name, stage in stages.items():
        rows = [row for row in stage.naming(question) if question in (getattr(row, "question", None), _id_of(row))]
        if rows:
            life[name] = rows
    if as_json:
        return json.dumps({name: list(map(_values, rows)) for name, rows in life.items()}, indent=1,
                          ensure_ascii=False)
    return "\n\n".join("\n".join([f"── {name}", *map(_for_reading, rows)]) for name, rows in life.items())


def funnels(folder: Path, config: Config, done: dict[str, Stage]) -> Iterator[Funnel]:
    """The funnel of every round whose paths are graded."""
    if config.sample is None:
        return  # a mere examination
    used = parents(stage for stage in done.values() if stage.kind is Example)
    for name, each in gathered(Run(folder, lambda planned: None, config), config).rounds.items():
        if each.graded.name in done:
            title = name or "The questions of the task"
            verified = each.verified if each.verified and each.verified.name in done else ()
            yield funnel(title, each.questions, each.graded, verified, used, seeds_of(config, name))
            if each.continued and each.continued.name in done:
                yield from one_step_funnel(title, each.graded, each.continued, used)
            critiques = (stage for stage in each.critiques.values() if stage.name in done)
            yield from critique_funnels(title, each.graded, chain.from_iterable(critiques), used)


def bill_of(folder: Path, config: Config, done: dict[str, Stage]) -> Bill:
    """What the done stages cost, and everything that was ever paid for the run."""
    return draw_up(done.values(), lambda name: price_of(config, name), spent_in(folder / "journal.sqlite"),
                   served_prices(config))


def costs(bill: Bill) -> dict:
    """The bill for programs; `dollars` are null where a price is not known."""
    return {"stages": list(map(dataclasses.asdict, bill.stages)),
            "models": list(map(dataclasses.asdict, bill.models)),
            "paid": list(map(dataclasses.asdict, bill.paid)),
            "kept_corrections": list(map(_cost_of_kept, bill.kept)), "prices": dict(bill.sources)}


def _cost_of_kept(corrections: Kept) -> dict:
    each = whole = None
    if corrections.kept:
        each, whole = corrections.each(corrections.corrector), corrections.each(corrections.whole)
    return {"round": corrections.round, "kept": corrections.kept, "dollars_each": each and each.dollars,
            "tokens_each": each and each.tokens, "whole_dollars_each": whole and whole.dollars}


def _id_of(record: object) -> str | None:
    """The id of a record, where its kind has one."""
    return getattr(record, "id", None)


def _question_of(stages: Iterable[Stage], identifier: str) -> str | None:
    """The id of the question that the row with this id is about."""
    for stage in stages:
        for record in stage.naming(identifier):
            if identifier in (_id_of(record), *map(_id_of, getattr(record, "continuations", ()))):
                return getattr(record, "question", identifier)
    return None


def _question_by_prefix(folder: Path, stages: Iterable[Stage], prefix: str) -> str:
    """The same for the first letters of an id; DataError where no id, or several, begin so."""
    about: dict[str, str] = {}
    for stage in stages:
        for record in stage.naming(prefix, whole=False):
            identifier = _id_of(record) or ""
            if identifier.startswith(prefix):
                about[identifier] = getattr(record, "question", identifier)
    if not about:
        raise DataError(f"{folder}: no row has the id {prefix!r}; take one from a rows.jsonl of this run")
    if len(about) > 1:
        some = ", ".join(list(about)[:3])
        raise DataError(f"{folder}: {len(about):,} ids begin with {prefix!r} ({some}, ...); give more of it")
    return next(iter(about.values()))


def _made_by(verb: Callable, stages: dict[str, Stage]) -> Stage | None:
    return next((stage for stage in stages.values() if stage.verb is verb), None)


def rows_of(verb: Callable, done: dict[str, Stage]) -> list:
    """What the stage of that verb made; nothing where it is not done."""
    return list(_made_by(verb, done) or ())


def _values(record: object) -> dict:
    return json.loads(to_row(record))


def losses_of(stage: FunnelStage) -> str:
    """What was lost on the way to a stage of a funnel, in one line."""
    return ", ".join(f"{loss.count:,} {loss.reason}" for loss in stage.losses)


def _table_of(folder: Path, reported: Stage | None, stale: list[str]) -> list[str]:
    """The report's table of comparisons, where it was ever made."""
    if reported is None or not (reported.folder / "table.txt").is_file():
        return []
    table = _read_table(reported.folder).rstrip()
    if reported.name not in stale:
        return ["", table]
    return ["", f"The table below is of an earlier state of the run; `{going_on(folder)}` makes it anew.", "",
            table]


def answer_of(reported: Path) -> str:
    """Whether it helps and is worth the money, as the table in Markdown begins; empty if nothing was planned."""
    first, _, _ = _read_table(reported, "table.md").partition("\n")
    return "" if first.startswith("|") else first


def comparison_as_markdown(folder: Path) -> str:
    """The table of comparisons with its sentences, for a README; DataError where the run has not come so far."""
    reported = _made_by(report, stages_of(folder, config_of(folder)))
    if reported is None or reported.status().state != "done":
        raise DataError(f"{folder}: its report is not done; `{going_on(folder)}` makes it")
    return _read_table(reported.folder, "table.md").rstrip()


def _read_table(reported: Path, name: str = "table.txt") -> str:
    try:
        return read_plain(reported / name).decode()
    except (OSError, ValueError):
        raise DataError(f"{reported}/{name}: missing or damaged; remove the folder {reported} and run the same "
                        "command again, which asks nothing") from None


def _for_reading(record: object) -> str:
    """One record: its texts in full, its figures on one line; a one-step correction as a part of its chain."""
    if isinstance(record, StepCorrection):
        return chain_in_words(record)
    facts, texts = [], {}
    for name, value in dataclasses.asdict(record).items():
        if value in (None, "", (), [], 0):
            continue
        if name in TEXTS and isinstance(value, str) and (len(value) > 60 or "\n" in value):
            texts[name] = value
        elif name != "sampling":
            facts.append(f"{name}={value}")
    lines = ["  ".join(facts)]
    for name in TEXTS:
        if name in texts:
            lines.append(f"  {name}:\n    " + texts[name].strip().replace("\n", "\n    "))
    return "\n".join(lines)
