"""`lema check`: everything that a run needs, looked at before a cent is spent; the first seconds of `lema run`.

    lema: models.corrector: https://api.openai.com/v1 is asked with a key, and there is none; export …
    lema: memory: a row of 2,048 tokens needs 31.20 GB (weights 13.48, …); 21.30 GB are to be had on the card; …

One design decision: every inspection is made whatever the others find, and all problems are said at once, each
with its remedy; what is well is said too, so that nobody has to believe that it was looked at.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lema.commands.beforehand import Problems, base_folder, look_ahead
from lema.commands.check.endpoints import answering, keys
from lema.commands.check.prompts import first_prompts
from lema.commands.check.resources import extras, needs
from lema.commands.estimate import requests_of
from lema.commands.run_folder import check_files, going_on, meant_by, stages_of
from lema.config import Config
from lema.records import Question
from lema.runs.budget import weighing
from lema.runs.prices import price_of, source_of
from lema.runs.run import Stage
from lema.runs.workload import workload
from lema.stages.train import train
from lema.tasks import find_task

WRONG = 0.5
"""The share of wrong paths that requests about them are counted with."""


def check_config(source: str, overrides: list[str], runs: Path, *, as_json: bool = False) -> str:
    """What is well, a line each. ConfigErrors with every problem that was found, and its remedy."""
    folder, _, config = meant_by(source, overrides, runs)
    stages = stages_of(folder, config)
    notes = inspected(config, stages, folder, ask=True)
    if as_json:
        return json.dumps({"notes": notes}, indent=1, ensure_ascii=False)
    return "\n".join([*notes, f"nothing stands in the way: `{going_on(Path(source))}` begins"])


def inspected(config: Config, stages: dict[str, Stage], folder: Path, *, ask: bool) -> list[str]:
    """What every inspection has to say. LemaError with all that they found wrong. `ask`: endpoints are asked
    "Hi", and what takes time to read is read and shown."""
    problems, notes = Problems(), []
    waiting = [stage for stage in stages.values() if stage.status().state != "done"]

    def inspect(inspection: Callable[..., Iterable[str] | None], *given: object) -> None:
        with problems.gathered():
            notes.extend(inspection(*given) or ())

    inspect(check_files, config, stages)
    inspect(look_ahead, config, stages, True)
    if waiting:
        inspect(extras, config)
    if ask or not (folder / "journal.sqlite").exists():  # which may hold all that would be asked
        inspect(keys, config, waiting)
    if config.train is not None and any(stage.verb is train for stage in waiting):
        inspect(needs, config, base_folder(config, stages), folder)
    if ask:
        inspect(prices, config)
        rows: list[Question] = []
        inspect(counted, config, stages, rows)
        inspect(first_prompts, config, waiting, rows)
        inspect(answering, config, waiting)
    problems.raise_all()
    return notes


def counted(config: Config, stages: dict[str, Stage], rows: list[Question]) -> Iterator[str]:
    """Reads every question and its gold answer into `rows`; how many there are, and requests and fits of them."""
    by_set: dict[str, list[Question]] = {"": rows}
    for test_set in ("", *config.evaluate.sets):
        table = config.on(test_set).task
        task, questions = find_task(table.name, table.own), by_set.setdefault(test_set, [])
        for split in task.splits:
            before = len(questions)
            questions += task.questions(split)
            yield (f"{test_set or 'task'}: {len(questions) - before:,} questions in {split}, each with a gold "
                   "answer that can be read")
    fits = 0
    for name, stage in stages.items():
        fits += stage.verb is train
        if workload(stage):
            count, most = requests_of(stage, by_set[stage.test_set], WRONG)
            about = f"{count:,.0f}" if count == most else f"about {count:,.0f}, at most {most:,.0f}"
            yield f"{name}: {about} requests"
    yield f"{fits:,} fits"


def prices(config: Config) -> Iterator[str]:
    """What is known of prices. ConfigError where a budget in money needs one that is not known."""
    problems = Problems()
    for name in config.asked_models:
        with problems.gathered():
            if config.budget is not None:
                weighing(config, name, "money" if config.budget.money else "tokens")
        price = price_of(config, name)
        if price is not None:
            yield f"prices: {name}: {source_of(price)}"
        elif config.budget is None:
            yield f"prices: {name}: not known; add a [prices] table, and what it costs is shown"
    problems.raise_all()
