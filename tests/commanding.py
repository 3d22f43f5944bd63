"""The `lema` command as a process, for tests of what it prints and leaves behind."""

import os
import subprocess
import sys
from pathlib import Path


def lema(folder: Path, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    """Runs `lema ARGUMENTS` in a folder."""
    return subprocess.run([sys.executable, "-c", "from lema.cli import main; main()", *map(str, arguments)],
                          cwd=folder, capture_output=True, text=True, env=os.environ | environment)


def in_process(*arguments: object) -> tuple[int, str]:
    """The same without a process of its own: (exit code, standard error)."""
    from typer.testing import CliRunner

    from lema.cli import app
    from lema.errors import LemaError

    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, LemaError):
        return 2, f"lema: {result.exception}\n"
    return result.exit_code, result.stderr
