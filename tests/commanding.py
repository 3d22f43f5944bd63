"""The `lema` command in a folder: as a process of its own, or faster, in this one."""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from lema.cli import app
from lema.errors import LemaError
from tests.processes import LEMA, ended


class Done(NamedTuple):
    """What a command left, named as subprocess names it."""

    returncode: int
    stdout: str
    stderr: str


def lema(folder: Path, *arguments: object, **environment: str) -> Done:
    """`lema ARGUMENTS` in a folder, as a process."""
    done = ended([*LEMA, *arguments], cwd=folder, env=os.environ | environment)
    return Done(done.returncode, done.stdout, done.stderr)


def in_process(folder: Path, *arguments: object) -> Done:
    """The same without a process; an exception that is a bug is raised."""
    with contextlib.chdir(folder):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, LemaError):
        return Done(2, result.stdout, f"lema: {result.exception}\n")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)
