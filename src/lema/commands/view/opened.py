"""A run as the viewer has it open: its index, kept up with what the run finishes meanwhile.

One design decision: the run is looked at anew when a page that shows it all is opened, at most every two seconds,
and only what changed is indexed; so one viewer serves a run from its first stage to its report.
"""

import json
import threading
import time
from pathlib import Path

from lema.commands.run_folder import config_of, finished, stages_of
from lema.commands.show import answer_of
from lema.commands.view.funnel_links import linked_funnels
from lema.commands.view.index import BEFORE, Index, Tell
from lema.commands.view.live import Live
from lema.errors import LemaError
from lema.files import is_plain
from lema.stages.grade import grade
from lema.stages.report import report
from lema.stages.score import score
from lema.stages.verify import verify

LOOK_SECONDS = 2.0


class Opened:
    """One run's folder; `tell` hears how far the indexing is."""

    def __init__(self, folder: Path, tell: Tell) -> None:
        self.folder, self._tell, self._lock = folder, tell, threading.Lock()
        self.config = config_of(folder)
        self.name, self.index, self.live = self.config.name, Index(folder), Live(folder, self.config)
        self._looked, self._stages, self._done = 0.0, {}, {}
        self.refresh()

    def refresh(self) -> bool:
        """Takes up what was finished or changed since; whether anything was."""
        with self._lock:
            if time.monotonic() - self._looked < LOOK_SECONDS:
                return False
            try:
                self._stages = stages_of(self.folder, self.config)
                self._done = finished(self._stages)
            except LemaError:  # a config that is being changed: what was there is shown
                return False
            changed = self.index.bring_up(self._done, self._tell)
            if changed:
                self.index.note("funnels", json.dumps(linked_funnels(self.folder, self.config, self._done)))
            self._looked = time.monotonic()
            return changed

    def waiting(self) -> list[tuple[str, str]]:
        """The stages that are not done, with their state."""
        return [(name, stage.status().state) for name, stage in self._stages.items() if name not in self._done]

    def rated_stages(self) -> list[str]:
        """The finished stages whose corrections can be rated; the last try of each round."""
        return [name for name, stage in self._done.items() if stage.verb is verify and "try-" not in name]

    def is_rated(self, stage: str) -> bool:
        return stage in self.rated_stages()

    def report(self) -> Path | None:
        """The report's page, where it was ever made."""
        for stage in self._stages.values():
            page = stage.folder / "report.html"
            if stage.verb is report and is_plain(page):
                return page
        so_far = self.folder / "report.html"
        return so_far if is_plain(so_far) else None

    def answer(self) -> str:
        """The report's first sentence; empty where there is none."""
        page = self.report()
        try:
            return answer_of(page.parent) if page is not None else ""
        except LemaError:
            return ""

    @property
    def examined(self) -> str:
        """The stage of graded answers; empty before the examination is done."""
        for stage in self._done.values():
            for source in stage.sources if stage.verb is score else ():
                if source.verb is grade:
                    return source.name
        return ""

    @property
    def headline(self) -> tuple[str, str]:
        """The arms that flips are first shown of."""
        arm = self.config.headline or BEFORE
        baseline = self.config.report.baseline or next(iter(self.config.arms), BEFORE)
        return arm, baseline if baseline != arm else BEFORE


