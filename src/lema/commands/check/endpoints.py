"""Whether the endpoints of a run answer: each is asked "Hi" in the form and with the fields that the run will use.

One design decision: the question goes through the backend that the run asks through, not through one of its own,
so that what is answered here is what will be answered there; it stands in no journal and counts for nothing.
"""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lema.commands.beforehand import Problems
from lema.config import Config
from lema.errors import ConfigError, ModelError
from lema.messages import Message, Request
from lema.models import api
from lema.models.api.settings import is_local
from lema.records import Sampling
from lema.runs.dependencies import backend_settings
from lema.runs.run import Stage
from lema.runs.workload import workload

PATIENCE = 20.0
"""Seconds without an answer after which an endpoint counts as not there."""
TIMEOUT = 120.0


class Asking(NamedTuple):
    """How a stage asks a served model, and at how many paths of a prompt."""

    stage: str
    model: str
    sampling: Sampling
    paths: int


def keys(config: Config, waiting: Iterable[Stage]) -> None:
    """ConfigErrors where the key of an endpoint is not in the environment."""
    problems = Problems()
    for name in dict.fromkeys(asking.model for asking in askings(config, waiting)):
        settings = served_settings(config, name)
        for url in settings.base_url:
            keyless = is_local(url) and "api_key_env" not in settings.model_fields_set
            if not keyless and not os.environ.get(settings.api_key_env, "").strip():
                problems.add(ConfigError(f"models.{name}: {url} is asked with a key, and there is none; export "
                                         f"{settings.api_key_env}, or name another in api_key_env"))
    problems.raise_all()


def answering(config: Config, waiting: Iterable[Stage]) -> Iterator[str]:
    """A line for every address that answered. ModelErrors of those that did not."""
    problems, seen = Problems(), set()
    for asking in askings(config, waiting):
        settings, sampling = served_settings(config, asking.model), asking.sampling
        for url in settings.base_url:
            how = (asking.model, url, sampling.temperature, sampling.max_tokens, sampling.stop)
            if how not in seen:
                seen.add(how)
                with problems.gathered():
                    yield _answer(asking, settings, url)
    problems.raise_all()


def askings(config: Config, waiting: Iterable[Stage]) -> Iterator[Asking]:
    """Every stage that asks a served model, once for each."""
    for stage in waiting:
        if workload(stage) is None:
            continue
        for name, given in stage.models.items():
            if not isinstance(given, Stage) and name in config.models and served_settings(config, name):
                sampling = getattr(stage.settings, "sampling", Sampling())
                yield Asking(stage.name, name, sampling, getattr(stage.settings, "paths", 1))


def served_settings(config: Config, name: str) -> api.Settings | None:
    """The table of a model behind an endpoint; None for one that is not."""
    table = config.models[name]
    settings = backend_settings(name, table.backend, table.own)
    return settings if isinstance(settings, api.Settings) else None


def _answer(asking: Asking, settings: api.Settings, url: str) -> str:
    """What is said of one address that answered. ModelError where it does not, or with nothing."""
    stated = settings.model_dump(include=settings.model_fields_set & api.Settings.model_fields.keys())
    hurried = {"base_url": url, "retries": 1, "patience": min(PATIENCE, settings.patience),
               "timeout": min(TIMEOUT, settings.timeout), "concurrency": 1}
    model = api.Model(api.Settings(**stated | hurried))
    together = 2 if asking.paths > 1 and settings.n > 1 and asking.sampling.temperature > 0 else 1
    hi = [Request((Message("user", "Hi"),), asking.sampling, index) for index in range(together)]
    where = f"models.{asking.model}, as {asking.stage} asks it"
    try:
        replies = list(model.complete(hi))
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    for reply in replies:
        if reply.failed:
            raise ModelError(f"{where}: {url} answered {reply.finish}; mend that, or its table")
        if not reply.text.strip() and reply.finish == "length":
            raise ModelError(f"{where}: {url} wrote nothing that can be seen within "
                             f"{asking.sampling.max_tokens:,} tokens, as a model does whose hidden reasoning "
                             "counts; raise max_tokens")
    return f"{where}: {url} answers, {sum(reply.tokens for reply in replies):,} tokens"
