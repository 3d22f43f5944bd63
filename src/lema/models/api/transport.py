"""The way to an endpoint and back: one POST over pooled connections.

One design decision: aiohttp itself, without an SDK above it, because the hot path is one POST and one JSON reply
and the SDK spends four fifths of the time on the rest. This is also the one place where a key meets the world: it
is put into the header here and masked here in everything that comes back.
"""

import asyncio
import json
import socket
import urllib.request
from typing import NamedTuple

import aiohttp
import yarl

from lema.models.api.faults import Passing, fault_of
from lema.models.api.wire import fields, one_line

MASK = b"***"
CONNECT_SECONDS = 10.0


class Address(NamedTuple):
    """Where a POST goes, with which headers, through which proxy; `key` is never shown."""

    url: yarl.URL
    headers: dict[str, str]
    proxy: yarl.URL | None
    proxy_auth: aiohttp.BasicAuth | None
    key: bytes


def address_of(url: str, key: str, proxied: str | None) -> Address:
    """`proxied`: the URL of a proxy, user and password included, or None."""
    proxy = yarl.URL(proxied) if proxied else None
    auth = aiohttp.BasicAuth(proxy.user, proxy.password or "") if proxy and proxy.user else None
    headers = {"Authorization": f"Bearer {key or 'none'}", "Content-Type": "application/json",
               "Accept": "application/json", "User-Agent": "lema"}
    return Address(yarl.URL(url), headers, proxy.with_user(None) if proxy else None, auth, key.encode())


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for `url` (http_proxy, https_proxy, no_proxy), looked up once."""
    parts = yarl.URL(url)
    if urllib.request.proxy_bypass_environment(f"{parts.host}:{parts.port}"):
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)


class Transport:
    """Connections for one event loop; made inside it."""

    def __init__(self, timeout: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_SECONDS, timeout))
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, socket_factory=_kept_alive)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout, trust_env=False,
                                              cookie_jar=aiohttp.DummyCookieJar())

    async def post(self, to: Address, body: bytes) -> object:
        """The JSON of a 200 answer. Raises one of lema.models.api.faults for everything else."""
        try:
            async with self._session.post(to.url, data=body, headers=to.headers, proxy=to.proxy,
                                          proxy_auth=to.proxy_auth, allow_redirects=False) as response:
                raw = await response.read()
                status = response.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise _broken_way(error, to.key) from None
        if to.key and to.key in raw:
            raw = raw.replace(to.key, MASK)
        if status != 200:
            raise fault_of(status, response.headers, raw)
        try:
            reply = json.loads(raw)
        except ValueError:
            raise Passing("the reply is no JSON") from None
        return _spoken(reply, raw)

    async def close(self) -> None:
        await self._session.close()


def _spoken(reply: object, raw: bytes) -> object:
    """The reply itself, unless it is an error that came with status 200, as routers send them."""
    code = None if fields(reply).get("choices") else fields(fields(reply).get("error")).get("code")
    if isinstance(code, int) and 400 <= code < 600:
        raise fault_of(code, {}, raw)
    return reply


def _broken_way(error: Exception, key: bytes) -> Passing:
    """What happened to a connection."""
    reason = one_line(error).replace(key.decode(), MASK.decode()) if key else one_line(error)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return Passing(reason, "unreached")
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return Passing("no reply within the timeout")
    if isinstance(error, aiohttp.ClientResponseError):
        return Passing(f"the reply is no HTTP ({reason})")
    return Passing("the connection was cut")


def _kept_alive(info: tuple) -> socket.socket:
    """A socket whose silence is noticed: long answers must not be forgotten by whatever stands between."""
    made = socket.socket(*info[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30)
    return made
