"""Where text comes from: the backends, each a module with `Settings` and `Model` (see lema.messages).

One design decision: a backend is found by its name in a config; whoever needs text sees the protocol alone.
"""

from lema.messages import Model
from lema.plugins import find, settings_of


def find_model(name: str, backend: str, table: dict) -> Model:
    """The model that the config calls `name`, built by its backend from its settings table."""
    module = find("models", backend, "Model", f"models.{name}.backend")
    return module.Model(settings_of(module.Settings, table, f"models.{name}"))
