"""`lema study`: one comparison over a grid of settings, with everything drawn anew in each replicate.

One design decision: a study is its cells, each an ordinary run that `lema show` and `lema run` know, and what is
said of them is read from them again; so a study that was stopped, or that has one more value, goes on where it is.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from lema.commands.beforehand import look_ahead
from lema.commands.run_folder import Meant, check_files
from lema.commands.stored_config import keep_config
from lema.commands.study.design import Cell, StudyConfig, cells_of, read_study
from lema.commands.study.money import listed_prices
from lema.commands.study.page import render_study
from lema.commands.study.results import StudyResult, read_results
from lema.commands.study.schedule import Agenda, SharedStage, Spent, folder_of_cell, perform_cells
from lema.commands.study.sentences import lines
from lema.commands.study.timing import estimate
from lema.config import Config
from lema.errors import ConfigError, Stopped
from lema.figures import duration
from lema.files import write_whole
from lema.runs.cards import each_worker_needs, visible_cards
from lema.runs.folder import held
from lema.runs.processor import pin
from lema.training import require_one_process

MANY_CELLS, LONG_SECONDS = 100, 4 * 3600
"""A study of more cells, or of more time, is started by whoever says so alone."""
LOOKED_AT = 20  # cells of such a study, for its estimate


def run_study(source: Path, runs: Path, workers: int | None, *, plan: bool, yes: bool) -> str:
    """Performs what is left of a study in `runs/<name>`, and says what it found; with `plan` only how long it will
    take."""
    study = read_study(source)
    listed_prices(study.prices)
    cells = cells_of(study, source)
    folder, number = runs / study.name, workers or workers_here(cells[0].config)
    if len(cells) > MANY_CELLS and not yes:  # by some of them: to look at all takes long, too
        sample = cells[::len(cells) // LOOKED_AT]
        expected = estimate(Agenda(folder, sample), number).times(len(cells) / len(sample))
    else:
        agenda = Agenda(folder, cells)
        expected = estimate(agenda, number)
    words = f"{study.name}: {expected.in_words(len(cells), number)}"
    if plan:
        return words
    if (len(cells) > MANY_CELLS or expected.seconds > LONG_SECONDS) and expected.stages and not yes:
        raise ConfigError(f"{words}; `--yes` starts it, fewer values or replicates make it smaller")
    print(words, file=sys.stderr)
    pin(cells[0].config)
    require_one_process()
    _check(cells, agenda)
    with held(folder):
        spent = _perform(folder, cells, agenda, number)
        result = read_results(study, cells, agenda.stages, [cell for cell in cells if agenda.done_in(cell.name)])
        return write_study(folder, result, spent)


def workers_here(config: Config) -> int:
    """One worker for each card, where there are any and models lie on them; else for each core that this process
    may use."""
    each = each_worker_needs(config)
    cards = visible_cards() if each else ()
    cores = len(os.sched_getaffinity(0)) // (config.machine.threads or 1)
    return max(1, len(cards) // each if cards else cores)


def _check(cells: Sequence[Cell], agenda: Agenda) -> None:
    """What a cell would fail at, before any is begun: of each point one cell, as replicates differ in seeds."""
    points = {}
    for cell in cells:
        points.setdefault(cell.point, cell)
    for cell in points.values():
        check_files(cell.config, agenda.stages[cell.name])
        look_ahead(cell.config, agenda.stages[cell.name], fetch=True)


def _perform(folder: Path, cells: Sequence[Cell], agenda: Agenda, workers: int) -> Spent:
    for cell in cells:
        place = folder_of_cell(folder, cell)
        place.mkdir(parents=True, exist_ok=True)
        keep_config(Meant(place, cell.table, cell.config), yes=True)
    threads = cells[0].config.machine.threads or max(1, len(os.sched_getaffinity(0)) // workers)
    try:
        return perform_cells(folder, agenda, cells[0].config, workers, threads, _teller(cells, agenda, workers))
    except KeyboardInterrupt:
        raise Stopped(f"stopped; every finished stage is kept in {folder}: the same command goes on") from None


def _teller(cells: Sequence[Cell], agenda: Agenda, workers: int) -> Callable[[str, SharedStage], None]:
    """Says when a cell is done, and how long the others will take."""
    left = [cell.name for cell in cells if not agenda.done_in(cell.name)]

    def tell(key: str, task: SharedStage) -> None:
        done = [name for name in left if agenda.done_in(name)]
        for name in done:
            left.remove(name)
        if done and left:
            more = duration(estimate(agenda, workers).seconds)
            print(f"  {', '.join(done)}: done; {len(left):,} of {len(cells):,} cells left, about {more}",
                  file=sys.stderr, flush=True)

    return tell


def write_study(folder: Path, result: StudyResult, spent: Spent) -> str:
    """Writes study.html, table.txt and effects.json, and returns what the terminal shows."""
    table = "\n".join(lines(result)) + "\n"
    write_whole(folder / "table.txt", table)
    write_whole(folder / "study.html", render_study(result))
    rows = [{**asdict(each), "axes": list(result.axes)} for each in result.effects]
    write_whole(folder / "effects.json", json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    took = ""
    if spent.in_stages:
        took = (f"{duration(spent.seconds)} on {spent.workers} worker{'s' * (spent.workers > 1)}, "
                f"{100 * spent.wasted:.0f} % of them without a stage to perform\n")
    return f"{table}{took}page: {folder / 'study.html'}"


__all__ = ["StudyConfig", "run_study", "workers_here", "write_study"]
