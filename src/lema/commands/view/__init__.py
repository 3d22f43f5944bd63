"""`lema view`: a run in the browser: its funnels, every row, one question's life, flips between arms, and ratings.

One design decision: the page is served to this machine alone, at an address that holds a secret, and needs nothing
from the network; what a model wrote is text there and nothing else.
"""

import contextlib
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

from lema.errors import ModelError, RunError, installing
from lema.runs.news import News
from lema.runs.progress import display

HERE = "127.0.0.1"


def view_run(folder: Path, port: int, *, browser: bool) -> None:
    """Shows the run in `folder` until it is stopped. `port` 0: any free one; `browser`: open it there."""
    try:
        import uvicorn

        from lema.commands.view.opened import Opened
        from lema.commands.view.site import site_of
    except ModuleNotFoundError as missing:
        raise ModelError(f"the viewer needs {missing.name}: {installing('serve')}") from None
    with display() as progress:
        opened = Opened(folder, _telling(progress))
    token = secrets.token_urlsafe(18)
    with contextlib.closing(_listening(port)) as listening:
        port = listening.getsockname()[1]
        address = f"http://{HERE}:{port}/{token}/"
        print(f"{opened.name}: {address} (Ctrl-C ends it)", flush=True)
        if browser and not _open(address):
            print("no browser to open here; open the address yourself", file=sys.stderr)
        config = uvicorn.Config(site_of(opened, token, port), log_level="warning", access_log=False,
                                lifespan="off", ws="none", timeout_graceful_shutdown=1)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run([listening])


def _telling(progress: Callable[[News], None]) -> Callable[[str, int, int], None]:
    """Progress of the indexing, as a stage's is shown."""
    def tell(stage: str, done: int, total: int) -> None:
        name = f"index of {stage}"
        state = "finished" if done >= total else "moving"
        if done < total or total >= 50_000:  # small stages are done at once
            progress(News(name, state, done, total))
    return tell


def _open(address: str) -> bool:
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server((HERE, port), backlog=128)
    except OSError as error:
        raise RunError(f"{HERE}:{port}: cannot be listened on ({error.strerror}); give another port with --port, "
                       "or 0 for any free one") from None
