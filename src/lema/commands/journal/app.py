"""The commands of `lema journal`.

One design decision: they stand with what they do, and import it when they run.
"""

from pathlib import Path
from typing import Annotated

import typer

from lema.commands.arguments import Json, RunName, Runs
from lema.commands.output import output

journal = typer.Typer(no_args_is_help=True, help="Look into a run's journal, or keep it in shape.")


@journal.command()
def stats(run: RunName, runs: Runs = Path("runs"), json: Json = False) -> None:
    """What a run's journal holds, by model, and what it cost."""
    from lema.commands.journal import stats
    from lema.commands.run_folder import config_of, folder_of

    folder = folder_of(run, runs)
    print(stats(folder, config_of(folder), as_json=json))


@journal.command()
def vacuum(run: RunName, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Throw away what nothing can come back for; no completion is ever deleted."""
    from lema.commands.journal import vacuum
    from lema.commands.run_folder import folder_of

    print(output(vacuum(folder_of(run, runs)), json))


@journal.command()
def merge(run: RunName, other: Annotated[str, typer.Argument(help="another run, its folder, or a journal file")],
          runs: Runs = Path("runs"), json: Json = False) -> None:
    """Add what another run's journal holds: what was paid there is not paid here again."""
    from lema.commands.journal import merge
    from lema.commands.run_folder import folder_of

    other_file = Path(other) if Path(other).is_file() else folder_of(other, runs)
    print(output(merge(folder_of(run, runs), other_file), json))


@journal.command()
def forget(run: RunName, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Give up batches that are under way but can no longer be had; their requests are asked again."""
    from lema.commands.journal import forget
    from lema.commands.run_folder import folder_of

    print(output(forget(folder_of(run, runs)), json))


@journal.command()
def mend(run: RunName, runs: Runs = Path("runs"), json: Json = False) -> None:
    """Save what can be read of a damaged journal; the damaged file is kept."""
    from lema.commands.journal.mend import mend
    from lema.commands.run_folder import folder_of

    print(output(mend(folder_of(run, runs)), json))
