"""An app that a thread of the test serves, at an address that stays its own while it does not listen.

One design decision: the port is bound from first to last by a socket that never listens. So connections are
refused while the app is stopped, as by a server that is down, and nobody else can take the port in the meantime.
"""

import socket
import threading
from collections.abc import Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from tests.patience import PATIENCE, until

HERE = "127.0.0.1"


class Host:
    """Serves these routes from `start` to `stop`, as often as wanted; `close` gives the address back. `port`: one
    that somebody else holds (`held_port`)."""

    def __init__(self, routes: Sequence[Route], port: int = 0) -> None:
        self._app = Starlette(routes=routes)
        self._place = held_port(port)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self._place.getsockname()[1]}/v1"

    def start(self) -> None:
        config = uvicorn.Config(self._app, log_level="critical", access_log=False, lifespan="off", ws="none",
                                timeout_graceful_shutdown=1)
        self._uvicorn, listening = uvicorn.Server(config), held_port(self._place.getsockname()[1])
        thread = threading.Thread(target=self._uvicorn.run, args=([listening],), daemon=True)
        thread.start()
        self._thread, self._listening = thread, listening
        until(lambda: self._uvicorn.started or not thread.is_alive(), "the test server listens")
        assert thread.is_alive(), "the test server ended as soon as it was started"

    def stop(self) -> None:
        """Cuts every connection and refuses new ones; the address stays."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._uvicorn.force_exit = self._uvicorn.should_exit = True
            thread.join(PATIENCE)
            self._listening.close()
            assert not thread.is_alive(), "the test server does not stop"

    def close(self) -> None:
        self.stop()
        self._place.close()


def held_port(port: int = 0) -> socket.socket:
    """A socket at a port that it shares with others of its kind, and does not listen; 0: at a free port."""
    made = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        made.setsockopt(socket.SOL_SOCKET, option, 1)
    made.bind((HERE, port))
    return made
