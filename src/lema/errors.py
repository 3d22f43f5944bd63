"""What lema says when the world is not as it must be.

One base error and few kinds; a message is one line that says what is wrong, where, and what to do. The
command line prints it and exits with 2. Any other exception is a bug of ours and keeps its traceback.
"""


class LemaError(Exception):
    """Something the user can mend. `str(error)` is one line: what, where, what to do."""


class ConfigError(LemaError):
    """The config, or a command's arguments, cannot be used as they stand."""


class DataError(LemaError):
    """A file, row or training set cannot be used as it stands."""


class ModelError(LemaError):
    """A model, endpoint or checkpoint cannot be used as it stands."""


class RunError(LemaError):
    """A run folder cannot be used now: held by another process, damaged, or not writable."""


class BudgetReached(LemaError):
    """The run's budget has no room for another request: the run stops here, whole and resumable."""
