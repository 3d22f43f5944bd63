"""Which weights stand behind a model's name in a stage, and in which table of which backend.

    Stage("answers/lema-1", …), "lema-1" → ("transformers", {"path": "org/base", "adapter": "runs/x/models/…"})

One design decision: whatever would run through transformers is written as its table, be it trained here, named by
a folder or a table of the config; a backend that examines in its place makes its own table of that one.
"""

from pathlib import Path
from typing import Any

from lema.checkpoints import made_hash, training_of
from lema.config import Config, EvaluateConfig
from lema.errors import DataError
from lema.runs.dependencies import MADE_HERE, decoding
from lema.runs.run import Stage


def table_of(config: Config, stage: Stage, name: str) -> tuple[str, dict[str, Any]]:
    """The backend of a model that the stage asks, and its keys."""
    given = stage.models[name]
    if isinstance(given, Stage):
        table = decoding(config, name)
        return MADE_HERE, {**table, **weights_made(given, table.get("dtype", "auto"))}
    if name not in config.models:  # the base of the training, named by its folder or hub id
        return MADE_HERE, {"path": given["path"]}
    return config.models[name].backend, config.models[name].own


def as_examined(settings: EvaluateConfig, table: dict[str, Any]) -> dict[str, Any]:
    """The keys of the backend that examines, for weights that transformers would be asked by `table`; those of
    [evaluate.serving] go before. ConfigError where that backend runs no weights of ours."""
    keys = settings.examiner.examining(table)
    for key, value in settings.serving.items():
        keys[key] = {**keys.get(key, {}), **value} if isinstance(value, dict) else value
    return keys


def place_of(given: Stage | dict) -> Path | str:
    """The checkpoint folder (or hub id) of a model: the stage that makes it, or the facts of its table. DataError
    where a stage's model is no more what was trained; of older records nobody knows."""
    if isinstance(given, Stage):
        model, record = given.folder / "model", given.record() or {}
        if record.get("model", "") not in ("", made_hash(model)):
            raise DataError(f"{model}: damaged (it is not what was trained); {given.remedy}")
        return model
    return Path(given["path"]) if Path(given["path"]).exists() else given["path"]


def weights_made(stage: Stage, dtype: str) -> dict[str, str]:
    """Which weights are asked of a model that a stage made, as the keys of its backend. An adapter is merged in
    float32; in fewer bits the merged weights would be others than those that were trained, so there it stays
    beside its base, and beside the quantised base that it was trained on."""
    model = place_of(stage)
    adapter, whole = model / "adapter", (model / "config.json").is_file()
    alone = not (adapter / "adapter_config.json").is_file()
    if alone or (whole and dtype in ("auto", "float32")):
        return {"path": str(model)}
    weights = {"path": str(place_of(stage.models[stage.settings.base])), "adapter": str(adapter)}
    if training_of(model).get("method") == "qlora":
        weights["quantize"] = "nf4"
    return weights if dtype in ("auto", "float32") else {**weights, "adapter_as": "loaded"}
