"""What lema says when the world is not as it must be.

One base error and few kinds; a message is one line that says what is wrong, where, and what to do. The
command line prints it and exits with 2. Any other exception is a bug of ours and keeps its traceback.
"""

import errno
import shlex
import sys
from pathlib import Path

LONGEST = 1800
"""Letters of a message that are shown."""


class LemaError(Exception):
    """Something the user can mend. `str(error)` is one line: what, where, what to do."""

    exit_code = 2

    @property
    def lines(self) -> tuple[str, ...]:
        """What the command line prints."""
        return (_readable(" ".join(str(self).splitlines())),)


def _readable(line: str) -> str:
    """A line without its middle where a name or value in it has thousands of letters; its end says what to do."""
    return line if len(line) <= LONGEST else f"{line[:LONGEST - 600]} … {line[-500:]}"


class ConfigError(LemaError):
    """The config, or a command's arguments, cannot be used as they stand."""


class ConfigErrors(ConfigError):
    """Several things that the user can mend in one go, a line for each."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(map(_readable, str(self).splitlines()))


class DataError(LemaError):
    """A file, row or training set cannot be used as it stands."""


class ModelError(LemaError):
    """A model, endpoint or checkpoint cannot be used as it stands."""


class RunError(LemaError):
    """A run folder cannot be used now: held by another process, damaged, or not writable."""


class BudgetReached(LemaError):
    """The run's budget has no room for another request: the run stops here, whole and resumable."""


class Stopped(LemaError):
    """Ctrl-C: what is kept, and the command that goes on."""

    exit_code = 130


def installing(extra: str) -> str:
    """The command that installs one of lema's extras, where this lema runs from."""
    checkout = Path(__file__).resolve().parents[2]
    project = checkout / "pyproject.toml"
    if not project.is_file() or 'name = "lema"' not in project.read_text(encoding="utf-8"):
        return f"pip install 'lema[{extra}]'"
    place = "." if checkout == Path.cwd() else str(checkout)
    return f"pip install -e {shlex.quote(f'{place}[{extra}]')}"


def misused(error: Exception) -> int:
    """The exit code after one line about arguments that cannot be read; a bug is raised again."""
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        print(f"lema: {str(error.filename)[:100]}…: longer than the name of a file can be; see where this stands "
              "in the command or its config", file=sys.stderr)
        return 2
    if not hasattr(error, "format_message"):
        raise error
    if not error.format_message():  # no arguments at all: the help was shown
        return 2
    hint = f"; `{error.ctx.command_path} --help` says how" if getattr(error, "ctx", None) else ""
    print(f"lema: {' '.join(error.format_message().split()).rstrip('.')}{hint}", file=sys.stderr)
    return getattr(error, "exit_code", 2)
