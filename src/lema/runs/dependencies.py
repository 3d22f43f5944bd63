"""What a stage depends on besides its settings and inputs: the models and prompts that its settings name.

One design decision: everything here can be said without loading a model, so that `lema plan` and a restart know
what is done before torch is imported. A model that the run makes stands for its stage, any other for the facts of
its table.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from lema.checkpoints.rendering import Form
from lema.config import Config
from lema.errors import ConfigError
from lema.plugins import Settings, find, settings_of
from lema.prompting import find_prompt
from lema.records import Question, content_id
from lema.tasks import find_task

PROBE = Question(text="?", answer="?")
PROBE_TOKENS = 20_000
MADE_HERE = "transformers"
"""The backend that runs what was grown or trained here."""

Made = TypeVar("Made")


def models_of(config: Config, settings: Settings | None, made: Mapping[str, Made]) -> dict[str, Made | dict]:
    """Every model that the settings name: the stage in `made` that makes it, else the facts of its table; a folder
    or hub id where the config names no such model."""
    models: dict[str, Made | dict] = {}
    for name in settings.models_used() if settings is not None else ():
        if name in made:
            models[name] = made[name]
        elif name in config.models:
            models[name] = model_facts(name, config.models[name].backend, config.models[name].own)
        else:
            models[name] = model_facts(name, MADE_HERE, {"path": name})
    return models


def backend_settings(name: str, backend: str, table: dict) -> Settings:
    """A model's table as its backend reads it; ConfigError where the backend does not."""
    module = find("models", backend, "Model", f"models.{name}.backend")
    return settings_of(module.Settings, table, f"models.{name}")


def model_facts(name: str, backend: str, table: dict) -> dict:
    """What of a model's table decides what it writes."""
    return {"backend": backend, **backend_settings(name, backend, table).facts()}


def prompts_of(config: Config, settings: Settings | None) -> dict[str, str]:
    """The content id of every prompt that the settings name, so that an edited prompt makes its stages stale."""
    if settings is None or not settings.prompts_used():
        return {}
    task = find_task(config.task.name, config.task.own)
    prompts: dict[str, str] = {}
    for name, path in settings.prompts_used().items():
        if name == "question":
            prompts[name] = content_id([[message.role, message.content] for message in task.prompt(PROBE)])
        elif name == "lessons":
            prompts[name] = _lessons_id(config.task.name, type(task), json.dumps(config.task.own, sort_keys=True))
        elif name == "decoding":
            prompts |= _decoding_ids(config, settings.models_used())
        else:
            prompts[name] = find_prompt(path or name, task.name).fitting(name).id
    return prompts


def decoding(config: Config, name: str) -> dict:
    """How a model that the run makes writes: by its own table, a trained one by that of its base; of a base on
    another backend only how prompts are put."""
    table = config.models.get(name)
    if table is None and config.train is not None:
        table = config.models.get(config.train.base)
    if table is None:
        return {}
    if table.backend != MADE_HERE:
        return {"form": table.own["form"]} if table.own.keys() >= {"path", "form"} else {}
    return {key: choice for key, choice in table.own.items() if not key.startswith(("path", "adapter"))}


def no_prefix(config: Config, name: str) -> str:
    """Why a model cannot go on from a given beginning; "" where it can. What the run makes is run on this
    machine."""
    table = config.models.get(name)
    made = table is None or table.grow is not None
    backend = MADE_HERE if made else table.backend
    settings = backend_settings(name, backend, {**decoding(config, name), "path": ""} if made else table.own)
    says = getattr(find("models", backend, "Model").Model, "no_prefix", None)
    return says(settings) if says else f"backend {backend!r} has no no_prefix(settings) (docs/guide.md)"


def _decoding_ids(config: Config, models: Sequence[str]) -> dict[str, str]:
    """`_decoding_id` of each; of several under their names."""
    if len(models) == 1:
        return _decoding_id(config, *models)
    ids = {}
    for model in models:
        for key, value in _decoding_id(config, model).items():
            ids[f"{key} {model}"] = value
    return ids


def form_of(config: Config, name: str) -> Form:
    """How prompts are put to a model of this run, in its training and wherever it is asked."""
    return decoding(config, name).get("form", "chat")


def _decoding_id(config: Config, model: str) -> dict[str, str]:
    """What of `decoding` changes what is written, such as a dtype; nothing for a model with a table of its own,
    whose facts hold it."""
    if model in config.models and not config.models[model].grow:
        return {}
    table = decoding(config, model)
    facts = backend_settings(model, MADE_HERE, {**table, "path": ""}).facts()
    stated = {key: fact for key, fact in facts.items() if key in table}
    return {"decoding": content_id(stated)} if stated else {}


@lru_cache(maxsize=64)
def _lessons_id(name: str, kind: type, table: str) -> str:
    """The vocabulary and a first few lessons stand for all that a student is taught. They are written once for
    each task, as `kind` and its `table`: a study asks for every cell."""
    task = find_task(name, json.loads(table))
    if not hasattr(task, "lessons"):
        raise ConfigError(f"task {task.name} has no lessons to grow a student on; give the model a path")
    first = [lesson.id for lesson in task.lessons(0, PROBE_TOKENS)]
    return content_id(list(task.vocabulary()), first)
