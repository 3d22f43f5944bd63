"""The server's few addresses: chat and plain completions, the models, and whether it is up.

One design decision: a handler only reads, waits and writes; all work on models happens at their desks, so the
server stays answerable while a model writes.
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from lema.commands.serve.batching import Desk
from lema.commands.serve.wire import Body, Chat, NotServed, Plain, read_body, write_reply
from lema.errors import LemaError
from lema.messages import Model

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class OnlyFromHere:
    """Refuses what a foreign web page sends through a browser on this machine: by its Origin, or by a name of its
    own for our address (Host)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        sources = {"Host": f"//{headers.get('host', '')}", "Origin": headers.get("origin")}
        for name, source in sources.items():
            if source is not None and _host_of(source) not in LOOPBACK:
                refusal = (f"{name} {source.removeprefix('//')!r} is not this machine; `lema serve --host "
                           "127.0.0.1` serves whoever asks")
                await _error(refusal, 403, "foreign")(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host_of(source: str) -> str | None:
    try:
        return urlsplit(source).hostname
    except ValueError:
        return None


def app_of(models: Mapping[str, Model], foreign: bool = True) -> Starlette:
    """The application that serves `models` by their names; where there is one only, any name will do that is
    not given at all. Without `foreign`, only whoever asks for this machine by its own name, from it, is served."""
    desks = {name: Desk() for name in models}
    started = int(time.time())

    async def complete(kind: type[Body], request: Request) -> Response:
        body = read_body(kind, await request.body())
        name = body.model
        if not name and len(models) == 1:
            (name,) = models
        if name not in models:
            raise NotServed(f"no model {name!r} here; there is {', '.join(models)}", 404, "model_not_found")
        model = models[name]
        if kind is Plain and hasattr(model, "plain"):
            model = plain[name]
        replies = desks[name].ask(model, body.requests())
        completions = await asyncio.gather(*map(asyncio.wrap_future, replies))
        return JSONResponse(write_reply(body, name, completions))

    async def listed(request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [
            {"id": name, "object": "model", "created": started, "owned_by": "lema"} for name in models]})

    async def healthy(request: Request) -> Response:
        return Response()

    plain = {name: model.plain() for name, model in models.items() if hasattr(model, "plain")}
    return Starlette(routes=[
        Route("/v1/chat/completions", partial(complete, Chat), methods=["POST"]),
        Route("/v1/completions", partial(complete, Plain), methods=["POST"]),
        Route("/v1/models", listed), Route("/health", healthy)],
        middleware=[] if foreign else [Middleware(OnlyFromHere)],
        exception_handlers={NotServed: _refused, LemaError: _failed})


async def _refused(request: Request, refused: NotServed) -> Response:
    return _error(str(refused), refused.status, refused.code)


async def _failed(request: Request, error: LemaError) -> Response:
    return _error(str(error), 500, "model_error")


def _error(message: str, status: int, code: str) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": code}}, status)
