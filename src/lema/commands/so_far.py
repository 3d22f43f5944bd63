"""The report of a run that trains nothing, or that ended before its own: RUN/report.html, of what is finished.

One design decision: it is made of the finished stages alone, like `lema show`, and is no stage: it is written when
a run ends so, and gone when the run's own report is there.
"""

import contextlib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from lema.commands.run_folder import finished, stages_of
from lema.commands.show import bill_of, funnels, rows_of
from lema.config import Config
from lema.errors import LemaError
from lema.files import remove, write_whole
from lema.records import Question
from lema.report import ReportData, ShownCorrection
from lema.report.analyses.corrections import places_table
from lema.report.gallery import gallery
from lema.report.page import render
from lema.report.sets import bills, holdings
from lema.report.tables import Table
from lema.runs.prices import price_of
from lema.runs.run import Run, Stage
from lema.runs.versions import versions
from lema.stages.account import account
from lema.stages.analyse import analyse
from lema.stages.report import rating_tables
from lema.tasks import answers_to, find_task

PAGE = "report.html"


@contextlib.contextmanager
def reported(folder: Path, config: Config) -> Iterator[None]:
    """Whatever happens in the block, but Ctrl-C, the run has its report behind it."""
    try:
        yield
    except LemaError as error:
        with contextlib.suppress(LemaError, OSError):  # the error itself matters more
            write_so_far(folder, config, error.lines[0])
            print(f"as far as it came: {folder / PAGE}", file=sys.stderr)
        raise
    if config.train is None:
        write_so_far(folder, config)
    else:
        remove(folder / PAGE)


def write_so_far(folder: Path, config: Config, why: str = "") -> None:
    """Writes the page; `why` the run ended, where it did not end well."""
    stages = stages_of(folder, config)
    done = finished(stages)
    standing = "This run trains no model: it ends with what models can be trained on."
    if config.sample is None:
        standing = "This run examines models that were trained elsewhere."
    if why:
        standing = f"The run ended early, with {len(done):,} of {len(stages):,} stages done: {why}"
    data = ReportData(
        title=config.name, baseline="", arms=(), standing=standing, versions=tuple(versions().items()),
        funnels=tuple(funnels(folder, config, done)), bill=bill_of(folder, config, done),
        gallery=_gallery(folder, config, done), tables=tuple(_tables(folder, config, done)),
        config=(folder / "config.toml").read_text(encoding="utf-8"))
    write_whole(folder / PAGE, render(data))


def _tables(folder: Path, config: Config, done: dict[str, Stage]) -> Iterator[Table]:
    accounts = rows_of(account, done)
    if accounts:
        yield holdings(accounts)
        yield bills(accounts, partial(price_of, config))
    yield from rows_of(analyse, done)
    if not rows_of(analyse, done) and "verified" in done:
        yield from places_table(done["verified"])
    yield from rating_tables(folder)


def _gallery(folder: Path, config: Config, done: dict[str, Stage]) -> tuple[ShownCorrection, ...]:
    """Corrections of the first round, where there are any."""
    from lema.pipeline import gathered

    if config.sample is None:
        return ()
    first = gathered(Run(folder, lambda planned: None, config), config).rounds[""]
    needed = (first.questions, first.graded, first.verified)
    if first.verified is None or not all(stage.name in done for stage in needed):
        return ()
    task = find_task(config.task.name, config.task.own)

    def answers_of(question: Question) -> object:
        return answers_to(task, question.choices)

    return gallery(folder, answers_of, *needed)
