"""The way to an endpoint and back: one request over pooled connections.

One design decision: aiohttp itself, without an SDK above it, because the hot path is one POST and one JSON reply
and the SDK spends four fifths of the time on the rest. This is also the one place where keys and prompts meet the
world: the key is put into the header here and masked here in everything that comes back, no redirect is followed,
and no reply is read beyond what it may hold.
"""

import asyncio
import json
import socket
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import IO, Any, NamedTuple

import aiohttp
import yarl

from lema.models.api.faults import Passing, fault_of
from lema.models.api.wire import MOST_BYTES, REPLY_BYTES, fields, longest, one_line
from lema.plugins.keys import Mask

CONNECT_SECONDS = 10.0
HOPS = 5  # that the download of a file may be passed on


class Address(NamedTuple):
    """Where requests go, with which headers, through which proxy; `mask` hides the key."""

    url: yarl.URL
    headers: dict[str, str]
    proxy: yarl.URL | None
    proxy_auth: aiohttp.BasicAuth | None
    mask: Mask


def address_of(url: str, key: str, proxied: str | None) -> Address:
    """`proxied`: the URL of a proxy, user and password included, or None."""
    proxy = yarl.URL(proxied) if proxied else None
    auth = aiohttp.BasicAuth(proxy.user, proxy.password or "") if proxy and proxy.user else None
    headers = {"Authorization": f"Bearer {key or 'none'}", "Content-Type": "application/json",
               "Accept": "application/json", "User-Agent": "lema"}
    return Address(yarl.URL(url), headers, proxy.with_user(None) if proxy else None, auth, Mask(key))


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for `url` (http_proxy, https_proxy, no_proxy), looked up once."""
    parts = yarl.URL(url)
    if urllib.request.proxy_bypass_environment(f"{parts.host}:{parts.port}"):
        return None
    return urllib.request.getproxies_environment().get(parts.scheme)


class Transport:
    """Connections for one event loop; made inside it."""

    def __init__(self, timeout: float, *, kept_open: bool = True) -> None:
        # without connections that are kept it is files that are sent, which may take longer than any reply
        self._timeout = aiohttp.ClientTimeout(total=timeout if kept_open else None, sock_read=timeout,
                                              sock_connect=min(CONNECT_SECONDS, timeout))
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, socket_factory=_kept_alive,
                                         force_close=not kept_open)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout, trust_env=False,
                                              cookie_jar=aiohttp.DummyCookieJar())

    async def post(self, to: Address, body: bytes, tokens: int | None) -> object:
        """The JSON of a 200 answer to a request for so many tokens. Raises one of lema.models.api.faults for
        everything else."""
        return _spoken(await self.call("POST", to, body, longest(tokens)))

    async def call(self, method: str, to: Address, body: Any = None, most: int = MOST_BYTES) -> object:
        """The same of any call, whose answer may have so many bytes."""
        status, headers, raw = await self._answer(method, to, body, lambda response: _read(response, most))
        answer = decoded(raw, to.mask)
        if status != 200:
            raise fault_of(status, headers, answer)
        if answer is None:
            reason = "is no JSON" if len(raw) <= most else "is longer than it may be"
            raise Passing(f"the reply {reason}", reply=len(raw))
        return answer

    async def download(self, to: Address, into: IO[bytes], most: int) -> None:
        """Writes what is there, or where that points to, into a file, at most some more than `most` bytes of it.
        Another host is asked without the key."""
        async def write(response: aiohttp.ClientResponse) -> bytes:
            if response.status != 200:
                return await _read(response, REPLY_BYTES)
            async for part in _parts(response, most):
                into.write(part)
            return b""

        for _ in range(HOPS):
            status, headers, raw = await self._answer("GET", to, None, write)
            if status == 200:
                return
            if status not in (301, 302, 303, 307, 308) or "location" not in headers:
                break
            try:
                to = _pointed(to, headers["location"])
            except ValueError:  # no address
                break
        raise fault_of(status, headers, decoded(raw, to.mask))

    async def _answer(self, method: str, to: Address, body: Any,
                      read: Callable[[aiohttp.ClientResponse], Awaitable[bytes]]
                      ) -> tuple[int, Mapping[str, str], bytes]:
        try:
            # key and prompts go to nobody but whom the config names: a redirect is an answer like any other
            async with self._session.request(method, to.url, data=body, headers=to.headers, proxy=to.proxy,
                                             proxy_auth=to.proxy_auth, allow_redirects=False) as response:
                return response.status, response.headers, await read(response)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise _broken_way(error, to.mask) from None

    async def close(self) -> None:
        await self._session.close()


def _pointed(to: Address, location: str) -> Address:
    """The address that a redirect points to, without the key where it is another origin."""
    url = to.url.join(yarl.URL(location))
    if url.origin() == to.url.origin():
        return to._replace(url=url)
    keyless = {name: value for name, value in to.headers.items() if name != "Authorization"}
    return to._replace(url=url, headers=keyless)


async def _parts(response: aiohttp.ClientResponse, most: int) -> AsyncIterator[bytes]:
    """The body, unpacked, part by part; a connection that brings more than `most` bytes is cut."""
    came = 0
    async for part in response.content.iter_any():
        yield part
        came += len(part)
        if came > most:
            response.close()
            return


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    parts = []
    async for part in _parts(response, most):
        parts.append(part)
    return b"".join(parts)


def decoded(raw: bytes, mask: Mask) -> object:
    """A body's JSON with the key masked in all its texts; None where there is none."""
    try:
        return mask.everything(json.loads(raw))
    except (ValueError, RecursionError):
        return None


def _spoken(reply: object) -> object:
    """The reply itself, unless it is an error that came with status 200, as routers send them."""
    answer = fields(reply)
    error = answer if answer.get("object") == "error" else fields(answer.get("error"))
    code = None if answer.get("choices") else error.get("code")
    if isinstance(code, int) and 400 <= code < 600:
        raise fault_of(code, {}, reply)
    return reply


def _broken_way(error: Exception, mask: Mask) -> Passing:
    """What happened to a connection."""
    reason = one_line(mask.text(str(error)))
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
