"""Any OpenAI-compatible endpoint: OpenAI itself, vLLM, Ollama, llama.cpp, a router.

One design decision: of the SDK only the connection is used; which faults are waited out, which are a row's own
failure and which end the run is decided here, in one place, and the reply is read field by field, because servers
leave out what the SDK's types promise.
"""

import asyncio
import contextlib
import json
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from lema import seams
from lema.errors import ModelError
from lema.models import Completion, Request
from lema.records import content_id

RETRIED = {408, 409, 429}  # and 5xx
FINISHES = {"stop": "stop", "eos": "stop", "eos_token": "stop", "end_turn": "stop", "stop_sequence": "stop",
            "length": "length", "max_tokens": "length", "content_filter": "content_filter"}
LONGEST_PAUSE, LONGEST_ASKED_PAUSE = 30.0, 600.0  # seconds: of our back-off, and of a Retry-After


class Settings(seams.Settings):
    """[models.X] with backend = "api". The key itself stands in the environment only."""

    model: str = Field(description="its name as the endpoint knows it")
    form: Literal["chat", "completions"] = Field("chat", description="completions: one plain prompt")
    extra: dict[str, Any] = Field(default_factory=dict, description="more fields of the request's body")
    base_url: str = Field("https://api.openai.com/v1", json_schema_extra=seams.EXECUTION)
    api_key_env: str = Field("OPENAI_API_KEY", json_schema_extra=seams.EXECUTION,
                             description="the environment variable that holds the key")
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", json_schema_extra=seams.EXECUTION)
    concurrency: int = Field(32, ge=1, le=1000, json_schema_extra=seams.EXECUTION, description="in flight")
    timeout: float = Field(600.0, gt=0, json_schema_extra=seams.EXECUTION, description="seconds for one try")
    retries: int = Field(8, ge=0, json_schema_extra=seams.EXECUTION)

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address like http://localhost:8000/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("must hold no user, password or key; name the key's variable in api_key_env")
        return url.rstrip("/")


class Model:
    """A model behind an endpoint. Nothing is imported, opened or looked up before the first `complete`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def identity(self) -> dict:
        return {"backend": "api", "model": self.settings.model, "form": self.settings.form,
                "extra": self.settings.extra}

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As every backend; up to `concurrency` requests are in flight, up to four times as many are read."""
        return self.complete_telling(requests, lambda position, completion: None)

    def complete_telling(self, requests: Iterable[Request],
                         arrived: Callable[[int, Completion], Future | None]) -> Iterator[Completion]:
        """As every ConcurrentModel. ModelError where the endpoint refuses or is not there."""
        under_way: deque = deque()
        with _endpoint(self.settings) as ask:
            for position, request in enumerate(requests):
                under_way.append(ask(position, request, arrived))
                while under_way and (under_way[0].done() or len(under_way) >= 4 * self.settings.concurrency):
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()


def body_of(settings: Settings, request: Request) -> dict:
    """The JSON body of a request. Drawn text gets a seed of its own for each path index."""
    sampling = request.sampling
    if settings.form == "chat":
        asked: dict = {"messages": [{"role": m.role, "content": m.content} for m in request.messages]}
    else:
        asked = {"prompt": "\n\n".join(m.content for m in request.messages)}
    body = {"model": settings.model, **asked, "temperature": sampling.temperature, "top_p": sampling.top_p,
            settings.max_tokens_field: sampling.max_tokens}
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.temperature > 0:
        body["seed"] = int(content_id(sampling.seed, request.index), 16) % 2**31
    return body | settings.extra


def read_reply(reply: object, limit: int) -> Completion:
    """The completion in a reply's JSON; what cannot be used becomes a failure. `limit`: tokens that were asked."""
    found = reply if isinstance(reply, dict) else {}
    usage = found.get("usage") if isinstance(found.get("usage"), dict) else {}
    prompt_tokens, tokens = (n if isinstance(n := usage.get(name), int) else 0
                             for name in ("prompt_tokens", "completion_tokens"))
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return Completion("", f"error: no choices in the reply{_said(found)}", prompt_tokens, tokens)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice.get("message"), dict) else {}
    text, reason = message.get("content", choice.get("text")), choice.get("finish_reason")
    if text is None and isinstance(message.get("refusal"), str):
        text, reason = message["refusal"], "content_filter"
    if reason is None:
        reason = "length" if tokens >= limit else "stop"
    finish = FINISHES.get(reason) if isinstance(reason, str) else None
    if finish is None:
        finish = f"error: finish reason {_one_line(reason)}"
    elif not isinstance(text, str) and finish == "stop":
        finish = "error: no text in the reply"
    return Completion(text if isinstance(text, str) else "", finish, prompt_tokens, tokens)


class _MayPass(Exception):
    """A fault that may pass: the request is worth another try."""

    def __init__(self, said: str, reached: bool = True, wait: float | None = None) -> None:
        super().__init__(said)
        self.reached, self.wait = reached, wait


class _Endpoint:
    """One endpoint inside an event loop: `ask` it."""

    def __init__(self, settings: Settings, key: str) -> None:
        import openai

        self.settings, self.key = settings, key
        self.errors = openai
        self.slots = asyncio.Semaphore(settings.concurrency)
        self.closed_until = 0.0  # a 429 holds back all requests, not only its own
        patience = openai.Timeout(settings.timeout, connect=min(10.0, settings.timeout))
        self.client = openai.AsyncOpenAI(
            api_key=key or "none", base_url=settings.base_url, max_retries=0, timeout=patience,
            http_client=openai.DefaultAioHttpClient(timeout=patience, trust_env=not _is_local(settings)))

    async def ask(self, position: int, request: Request, arrived: Callable) -> Completion:
        body = json.dumps(body_of(self.settings, request)).encode()
        async with self.slots:
            completion = await self._with_retries(body, request.sampling.max_tokens)
            if kept := arrived(position, completion):
                await asyncio.wrap_future(kept)
        return completion

    async def _with_retries(self, body: bytes, limit: int) -> Completion:
        pause = 0.5
        for left in range(self.settings.retries, -1, -1):
            while (closed := self.closed_until - time.monotonic()) > 0:
                await asyncio.sleep(closed * random.uniform(1, 1.1))
            try:
                return read_reply(await self._try(body), limit)
            except _MayPass as fault:
                if not left and not fault.reached:
                    raise ModelError(f"{self._name()}: cannot be reached ({fault}); start it, or mend base_url in "
                                     "its [models] table") from None
                if not left:
                    return Completion("", f"error: {fault}")
                wait = fault.wait if fault.wait is not None else pause * random.uniform(0.5, 1)
            except self.errors.APIStatusError as error:
                return Completion("", f"error: {self._said(error)}")
            await asyncio.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise AssertionError("the last try returns or raises")

    async def _try(self, body: bytes) -> object:
        """The reply's JSON. Raises _MayPass, ModelError, or APIStatusError for what is this row's own fault."""
        import httpx2

        path = "/chat/completions" if self.settings.form == "chat" else "/completions"
        try:
            async with asyncio.timeout(self.settings.timeout):
                response = await self.client.post(path, cast_to=httpx2.Response, content=body,
                                                  options={"headers": {"Content-Type": "application/json"}})
            return json.loads(response.content)
        except self.errors.APIStatusError as error:
            self._judge(error)
            raise
        except (TimeoutError, self.errors.APIConnectionError) as error:
            raise _MayPass(*_broken_connection(error)) from None
        except ValueError:
            raise _MayPass("the reply is no JSON") from None

    def _judge(self, error: Any) -> None:
        code, variable = error.status_code, self.settings.api_key_env
        if code in (401, 403):
            raise ModelError(f"{self._name()}: the key was refused ({code}); check the environment variable that "
                             f"api_key_env names ({variable})") from None
        if code == 404:
            raise ModelError(f"{self._name()}: not found (404); check model and base_url in its [models] table")
        if code == 402 or error.code == "insufficient_quota":
            raise ModelError(f"{self._name()}: the account is used up ({code}); add to it and run again")
        if code in RETRIED or code >= 500:
            wait = _asked_pause(error.response.headers)
            if code == 429:
                self.closed_until = max(self.closed_until, time.monotonic() + (wait or 0.5))
            raise _MayPass(self._said(error), wait=wait) from None

    def _said(self, error: Any) -> str:
        said = _one_line(error.body.get("message", "") if isinstance(error.body, dict) else "")
        return f"{error.status_code} {said.replace(self.key, '***') if self.key else said}".strip()

    def _name(self) -> str:
        return f"{self.settings.model} at {self.settings.base_url}"


@contextlib.contextmanager
def _endpoint(settings: Settings) -> Iterator[Callable]:
    """Gives `ask(position, request, arrived) -> future`, served by an event loop in a thread of its own."""
    key, run = _key(settings), asyncio.run_coroutine_threadsafe
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="api", daemon=True)
    thread.start()

    async def opened() -> _Endpoint:
        return _Endpoint(settings, key)

    async def close() -> None:
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        await endpoint.client.close()

    try:
        endpoint = run(opened(), loop).result()
        try:
            yield lambda *asked: run(endpoint.ask(*asked), loop)
        finally:
            run(close(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _key(settings: Settings) -> str:
    """The key, from the environment. A server on this machine gets one only if the config names its variable."""
    if _is_local(settings) and "api_key_env" not in settings.model_fields_set:
        return ""
    key = os.environ.get(settings.api_key_env, "")
    if not key:
        raise ModelError(f"{settings.model} at {settings.base_url}: no key; put it into the environment variable "
                         f"{settings.api_key_env}, or name another in api_key_env")
    return key


def _is_local(settings: Settings) -> bool:
    host = urlsplit(settings.base_url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _broken_connection(error: BaseException) -> tuple[str, bool]:
    """What happened to a connection, and whether there had been one."""
    import aiohttp

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
            return _one_line(cause), False
        cause = cause.__cause__
    if isinstance(error, TimeoutError) or isinstance(error.__cause__, aiohttp.ServerTimeoutError):
        return "no reply within the timeout", True
    return "the connection was cut", True


def _asked_pause(headers: Any) -> float | None:
    """Seconds that a Retry-After header asks for; None where there is none that can be read."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_ASKED_PAUSE)


def _said(reply: dict) -> str:
    error = reply.get("error")
    return f" ({_one_line(error.get('message', error) if isinstance(error, dict) else error)})" if error else ""


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
