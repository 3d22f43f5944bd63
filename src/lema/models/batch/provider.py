"""The provider's side of a batch: files and batches over HTTP.

One design decision: a batch is created only through `create`, which looks for the job's batch before every try
but the first; so a reply that was lost on the way never makes a second batch. Everything else may be tried again
freely. The way there is the api backend's, so keys are masked, redirects not followed and replies bounded alike.
"""

import asyncio
import contextlib
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar

import aiohttp
import yarl

from lema.errors import ModelError
from lema.journal.jobs import Job
from lema.models.api.faults import Filtered, Passing, Refused, UsedUp
from lema.models.api.settings import is_local
from lema.models.api.transport import Address, Transport, address_of, decoded, proxy_for
from lema.models.api.wire import fields, one_line
from lema.models.batch.results import State

METADATA = "lema_job"
PAGE = 100
SLACK = 86_400  # seconds that the provider's clock may be behind ours
LONGEST_PAUSE = 30.0
LINE_BYTES = 64 << 20  # no reply of one request is longer

Result = TypeVar("Result")


class Provider:
    """A connection to a Batch API; `with` closes it. ModelError where it refuses or is not there."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        url = settings.base_url[0]  # batches are made in one place
        self.name, here = f"{settings.model} at {url}", is_local(url)
        self.endpoint = "/v1/chat/completions" if settings.form == "chat" else "/v1/completions"
        self._address = address_of(url, _key(settings, self.name, here), None if here else proxy_for(url))

    def __enter__(self) -> "Provider":
        self._loop = asyncio.Runner()
        self._transport = self._loop.run(self._opened())
        return self

    async def _opened(self) -> Transport:
        # between two looks no connection can be watched: each call has one of its own
        return Transport(self.settings.timeout, kept_open=False)

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._transport.close())
        self._loop.close()

    def upload(self, name: str, content: bytes) -> str:
        """The id of the uploaded file."""
        def once() -> dict:
            form = aiohttp.FormData({"purpose": "batch"})
            form.add_field("file", content, filename=f"lema-{name}.jsonl", content_type="application/jsonl")
            return self._call("POST", "files", form)

        return self._tried("POST", once)["id"]

    def create(self, job: Job) -> str:
        """The id of the job's batch, which is made unless an earlier try made it."""
        wanted = {"input_file_id": job.file, "endpoint": self.endpoint, "metadata": {METADATA: job.name},
                  "completion_window": self.settings.window}
        tries = iter([None])

        def once() -> str:
            first = next(tries, "again") is None
            made = None if first else self.find(job)
            return made or self._call("POST", "batches", json.dumps(wanted).encode())["id"]

        return self._tried("POST", once)

    def find(self, job: Job) -> str | None:
        """The id of the job's batch where the provider has one."""
        query = {"limit": str(PAGE)}
        while True:
            page = self._tried("GET", lambda: self._call("GET", "batches", query=query, wanted="data"))  # noqa: B023
            batches = list(filter(_has_id, page["data"]))
            for batch in batches:
                marked = fields(batch.get("metadata")).get(METADATA) == job.name
                if marked or batch.get("input_file_id") == job.file:
                    return batch["id"]
            if not batches or not page.get("has_more", True) or query.get("after") == batches[-1]["id"]:
                return None
            created = batches[-1].get("created_at")
            if isinstance(created, int | float) and created < job.created - SLACK:
                return None  # newest first: what follows is older still
            query = query | {"after": batches[-1]["id"]}

    def state(self, batch: str) -> State:
        """How far a batch is now."""
        seen = self._tried("GET", lambda: self._call("GET", f"batches/{batch}", wanted="status"))
        counts, refusals = fields(seen.get("request_counts")), fields(seen.get("errors")).get("data")
        done = sum(count for name in ("completed", "failed") if isinstance(count := counts.get(name), int))
        files = filter(None, (seen.get("output_file_id"), seen.get("error_file_id")))
        reasons = [f"{error.get('code')}: {error.get('message')}"
                   for error in map(fields, refusals if isinstance(refusals, list) else ())]
        return State(seen["status"], done, tuple(map(str, files)), one_line("; ".join(reasons)))

    def cancel(self, batch: str) -> None:
        with contextlib.suppress(Passing, Refused, Filtered):  # it has ended, or will: the next look tells
            self._call("POST", f"batches/{batch}/cancel")

    def rows(self, state: State, most: int) -> Iterator[object]:
        """What the lines of the output and error files hold, of each file so many bytes at most, in no particular
        order; None for a line that cannot be read."""
        for file in state.files:
            with tempfile.TemporaryFile() as kept:
                self._tried("GET", lambda file=file, kept=kept: self._download(file, kept, most))
                kept.seek(0)
                while line := kept.readline(LINE_BYTES):
                    if line.strip():
                        yield decoded(line, self._address.mask)

    def _download(self, file: str, into: IO[bytes], most: int) -> None:
        into.seek(0)
        into.truncate()
        self._loop.run(self._transport.download(self._at(f"files/{file}/content"), into, most))

    def _at(self, path: str, query: dict[str, str] | None = None) -> Address:
        return self._address._replace(url=yarl.URL(f"{self._address.url}/{path}").update_query(query or {}))

    def _call(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None,
              wanted: str = "id") -> dict:
        """The JSON object that answers a call; what has not the field `wanted` is no answer."""
        address = self._at(path, query)
        if not isinstance(body, bytes):  # a form says of itself what it is
            headers = dict(address.headers)
            del headers["Content-Type"]
            address = address._replace(headers=headers)
        answer = fields(self._loop.run(self._transport.call(method, address, body)))
        if not isinstance(answer.get(wanted), list if wanted == "data" else str):
            raise Passing(f"the reply holds no {wanted}")
        return answer

    def _tried(self, method: str, call: Callable[[], Result]) -> Result:
        """The call's result; faults that may pass are waited out."""
        pause = 0.5
        for left in range(self.settings.retries, -1, -1):
            try:
                return call()
            except Passing as error:
                fault = str(error)
            except (Refused, Filtered) as refused:
                raise ModelError(f"{self.name}: {self._remedy(refused, method)}") from None
            if left:
                time.sleep(pause * random.uniform(0.5, 1))
                pause = min(2 * pause, LONGEST_PAUSE)
        raise ModelError(f"{self.name}: the Batch API does not answer ({fault}); what is under way there is kept: "
                         "run the same command again later")

    def _remedy(self, refused: Refused | Filtered, method: str) -> str:
        code = refused.status if isinstance(refused, Refused) else 400
        if code in (401, 403):
            return (f"the key was refused ({code}); check the environment variable that api_key_env names "
                    f"({self.settings.api_key_env})")
        if isinstance(refused, UsedUp):
            return f"the account is used up ({code}); add to it and run again"
        if code == 404 and method == "GET":
            return (f"a batch that was made earlier is not there ({refused}); give the base_url where it was "
                    "made, or give it up with `lema journal forget RUN`, which asks for its requests again")
        if code == 404:
            return f"no Batch API there ({refused}); use backend = \"api\" instead"
        if code == 413:
            return "the file is too large for it (413); lower file_bytes in its [models] table"
        if code < 400:
            return (f"moved elsewhere ({refused}), where neither prompts nor the key are sent; give the final "
                    "address as base_url in its [models] table")
        return f"refused ({refused}); see what it says in its [models] table"


def _has_id(batch: object) -> bool:
    return isinstance(fields(batch).get("id"), str)


def _key(settings: Any, name: str, here: bool) -> str:
    """The key, from the environment. A server on this machine gets one only if the config names its variable."""
    if here and "api_key_env" not in settings.model_fields_set:
        return ""
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key:
        raise ModelError(f"{name}: no key; put it into the environment variable {settings.api_key_env}, or name "
                         "another in api_key_env")
    return key
