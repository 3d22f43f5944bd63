"""What a run is doing while it is looked at: its stages at work, what it cost, the last replies.

One design decision: nothing is asked of the run; it is read from the file of its progress and from its journal, in
which every reply stands as soon as it has come.
"""

import contextlib
import sqlite3
import time
from pathlib import Path

from lema.commands.show import bill_of
from lema.config import Config
from lema.figures import cost
from lema.journal import last_replies
from lema.runs.progress_file import moving, progress_of

SHOWN = 5  # replies
COST_SECONDS = 10.0  # a bill of a long journal takes a moment


class Live:
    """Looks at one run; the bill is drawn up again every ten seconds at most."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config = folder, config
        self._bill, self._drawn_up = "", 0.0

    def facts(self) -> dict:
        """JSON-ready: whether the run is going, how far, what it cost, and the last replies."""
        news = progress_of(self.folder)
        facts = {"going": news is not None, "cost": self._cost(), "replies": self._replies()}
        if news is not None:
            at_work = [{"stage": name, "how": moving(stage), "done": stage["done"], "total": stage["total"]}
                       for name, stage in news["at_work"].items()]
            facts |= {"stages": news["stages"], "done": news["done"], "at_work": at_work}
        return facts

    def _cost(self) -> str:
        if time.monotonic() - self._drawn_up > COST_SECONDS or not self._bill:
            bill = bill_of(self.folder, self.config, {})
            self._bill, self._drawn_up = cost(bill.total) if bill.paid else "nothing", time.monotonic()
        return self._bill

    def _replies(self) -> list[dict]:
        with contextlib.suppress(sqlite3.Error, OSError):
            return [{"model": model, "text": text, "when": time.strftime("%H:%M:%S", time.localtime(when))}
                    for model, text, when in last_replies(self.folder / "journal.sqlite", SHOWN)]
        return []
