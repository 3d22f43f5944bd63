"""Who may look, and who may write: this machine's own browser, with the token of this viewer.

One design decision: the token is the first part of every address, so a page of somebody else's cannot even name
one; what a browser sends from elsewhere is refused besides: by its Host, its Origin and what it says of its
source.
"""

import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = ("default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff",
           "referrer-policy": "no-referrer",
           "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
           "cache-control": "no-store"}
NAMES = ("127.0.0.1", "localhost")


class ViewGuard:
    """Lets pass what comes from this machine, by this viewer's own name, with its token."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token = app, token
        self._hosts = {f"{name}:{port}" for name in NAMES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(Headers(scope=scope), scope)
        if refusal:
            await PlainTextResponse(refusal[1] + "\n", refusal[0], HEADERS)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                ours = ((name.encode(), value.encode()) for name, value in HEADERS.items())
                message["headers"] = [*message["headers"], *(header for header in ours if header[0] not in own)]
            await send(message)

        await self._app(scope, receive, guarded)

    def _refusal(self, headers: Headers, scope: Scope) -> tuple[int, str] | None:
        """Status and reason; None for what may pass."""
        if headers.get("host") not in self._hosts:
            return 403, "this viewer answers to its own address only"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc not in self._hosts:
            return 403, "another page may not ask here"
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, "another page may not ask here"
        token = scope["path"].split("/")[1]
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return 404, "no such page; open the address that `lema view` printed"
        if scope["method"] == "POST" and headers.get("content-type", "").split(";")[0] != "application/json":
            return 415, "only JSON is written here"
        return None
