"""What a checkpoint of others may not do: name code for us to fetch and run, or pass for whole where it is not."""

from pathlib import Path
from typing import Any

from lema.errors import ModelError


def hub_kernel(config: object) -> str | None:
    """The repository that a kernel would come from: `_attn_implementation` and its like may name one, and
    transformers then runs what lies there."""
    whole = [("", config)]
    while whole:
        name, value = whole.pop()
        if isinstance(value, dict):
            whole += [(f"{name} {inner}", each) for inner, each in value.items()]
        elif isinstance(value, list):
            whole += [(name, each) for each in value]
        elif isinstance(value, str) and "/" in value and "_implementation" in name:
            return value
    return None


def require_whole(base: Path, loaded: dict[str, Any]) -> None:
    """ModelError where a checkpoint's weights are not all of the model's: transformers would draw the others at
    random, and say so in passing. `loaded`: its loading info."""
    lacking = sorted(map(str, (*loaded["missing_keys"], *loaded["mismatched_keys"])))
    if lacking:
        raise ModelError(f"{base}: its weights are not those of its config.json: {len(lacking):,} are missing or "
                         f"of another shape ({lacking[0]}); take both files of one model")
