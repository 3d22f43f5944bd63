"""An examination by servers of ours: which stages share one, and how long it lives.

    answers/base, answers/cot-1, answers/lema-1 → one server of the base that knows both adapters by their names

One design decision: stages that can share a server are performed together. It is started for them and stays for
others that can share it, but is stopped before any stage that may want the card, such as a fit.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lema.config import Config
from lema.errors import ModelError
from lema.plugins import Settings, settings_of
from lema.records import content_id
from lema.runs.cards import cards_needed, cards_of, visible_cards
from lema.runs.dependencies import MADE_HERE
from lema.runs.run import Stage
from lema.runs.weights import as_examined, table_of


class Examinee(NamedTuple):
    """What a stage examines through a server of ours: the model's name, and the backend's settings for it."""

    name: str
    settings: Settings

    @property
    def server(self) -> str:
        """What names the server that it can share."""
        return content_id(self.settings.model_dump(mode="json", exclude={"adapter", "form"}))


def by_server(stages: Sequence[Stage], config: Config) -> list[list[Stage]]:
    """The stages in groups that share a server, in their order; those that need none come first."""
    groups: dict[str, list[Stage]] = {"": []}
    for stage in stages:
        examinee = _examinee(stage, config)
        groups.setdefault(examinee.server if examinee else "", []).append(stage)
    return list(filter(None, groups.values()))


class Serving:
    """The servers of a run: those of one base at a time, on all cards."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._server, self._adapters, self._servers = "", {}, []

    @contextmanager
    def shared_by(self, stages: Sequence[Stage]) -> Iterator[dict[str, object]]:
        """Where the models of one group of stages are served, by the stage's name; the servers are up. ModelError
        where one does not start, or ends while it is asked."""
        examinees = {stage.name: _examinee(stage, self.config) for stage in stages}
        if None in examinees.values():
            if any(stage.models for stage in stages):
                self.stop()
            yield {}
            return
        module = stages[0].settings.examiner
        self._start(module, list(examinees.values()))
        urls, served = tuple(server.url for server in self._servers), {}
        for stage, examinee in examinees.items():
            served[stage] = module.Served(urls, examinee.name if examinee.settings.adapter else module.BASE)
        try:
            yield served
        except ModelError as error:
            for words in filter(None, (server.last_words() for server in self._servers)):
                raise ModelError(module.ended_early(words, error)) from None
            raise

    def stop(self) -> None:
        """Frees the cards."""
        for server in self._servers:
            server.stop()
        self._server, self._adapters, self._servers = "", {}, []

    def _start(self, module, examinees: Sequence[Examinee]) -> None:
        """Nothing where they are up, and know all the adapters."""
        adapters = {each.name: Path(each.settings.adapter) for each in examinees if each.settings.adapter}
        if self._server == examinees[0].server and adapters.items() <= self._adapters.items():
            return
        self.stop()
        settings, cards = examinees[0].settings, visible_cards()
        each = cards_needed(settings.model_dump())
        places = [cards_of(place, cards, each) for place in range(max(1, len(cards) // each))]
        self._servers = module.start_servers(self, settings, adapters, self.config.machine.workers, places)
        self._server, self._adapters = examinees[0].server, adapters


def _examinee(stage: Stage, config: Config) -> Examinee | None:
    """None where the stage asks a model that no server of ours is started for."""
    if getattr(stage.settings, "backend", MADE_HERE) == MADE_HERE:
        return None
    (name,) = stage.models
    backend, table = table_of(config, stage, name)
    if backend != MADE_HERE:
        return None
    keys, module = as_examined(stage.settings, table), stage.settings.examiner
    if not hasattr(module, "start_servers") or keys.get("run") != "server":
        return None
    return Examinee(name, settings_of(module.Settings, keys, "evaluate.serving"))
