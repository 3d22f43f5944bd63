"""`lema serve`: models behind a small OpenAI-compatible server of our own, for tests and for trying things.

One design decision: what is served is any backend, found by the same names as in a config, so a checkpoint and the
lab's teacher are asked over HTTP exactly as in process; everything here is about the wire.
"""

import contextlib
import socket
from collections.abc import Sequence
from pathlib import Path

from lema.checkpoints import beside_base
from lema.config import lay_over
from lema.errors import ConfigError, ModelError, RunError, installing
from lema.messages import Model
from lema.models import find_model
from lema.plugins import near_miss, shipped


def serve(what: Sequence[str], overrides: Sequence[str], host: str | None, port: int) -> None:
    """Serves until it is stopped; prints the address once it listens. Port 0: any free one. Without a host this
    machine alone is served, and no web page that it shows."""
    try:
        import uvicorn

        from lema.commands.serve.app import app_of
    except ModuleNotFoundError as missing:
        raise ModelError(f"serving needs {missing.name}: {installing('serve')}") from None
    models = served(what, overrides)
    foreign, host = host is not None, host or "127.0.0.1"
    with contextlib.closing(_listening(host, port)) as listening:
        config = uvicorn.Config(app_of(models, foreign), log_level="warning", access_log=False, lifespan="off",
                                ws="none")
        names = ", ".join(models)
        print(f"serving {names} at http://{host}:{listening.getsockname()[1]}/v1 (Ctrl-C ends it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([listening])


def served(what: Sequence[str], overrides: Sequence[str]) -> dict[str, Model]:
    """Every `[NAME=]WHAT` as a loaded model by its name; WHAT is a backend's name, a checkpoint folder or a hub
    id, and an override `NAME.key=value` lays a value over its [models.NAME] table."""
    tables: dict[str, dict] = {}
    backends = {}
    for argument in what:
        name, backend, table = _table_of(argument)
        if name in tables:
            raise ConfigError(f"serve {argument}: a second model named {name!r}; give it another with "
                              f"NAME={argument}")
        tables[name], backends[name] = table, backend
    for override in overrides:
        name, dot, _ = override.partition("=")[0].partition(".")
        if name not in tables or not dot:
            raise ConfigError(f"--set {override}: write NAME.key=value with the name of a served model"
                              f"{near_miss(name, list(tables))}")
        lay_over(tables, override)
    models = {name: find_model(name, backends[name], table) for name, table in tables.items()}
    return {name: model.load() if hasattr(model, "load") else model for name, model in models.items()}


def _table_of(argument: str) -> tuple[str, str, dict]:
    """Name, backend and settings table of one `[NAME=]WHAT`."""
    name, given, what = argument.rpartition("=")
    if what in shipped("models"):
        return name or what, what, {}
    folder = Path(what)
    if (folder / "model" / "tokenizer_config.json").is_file():
        folder = folder / "model"  # the folder of a stage that grew or trained it
        what = str(folder)
    own = what
    if folder.is_dir():
        own = folder.parent.name if folder.name == "model" else folder.name
    alone = (folder / "adapter").is_dir() and not (folder / "config.json").is_file()
    return name if given else own, "transformers", beside_base(folder) if alone else {"path": what}


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise RunError(f"{host}:{port}: cannot be listened on ({error.strerror}); give another port with --port, "
                       "or 0 for any free one") from None
