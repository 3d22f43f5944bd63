"""The provider's side of a batch: files and batches over HTTP.

One design decision: a batch is created only through `create`, which looks for the job's batch before every try
but the first; so a reply that was lost on the way never makes a second batch. Everything else may be tried again
freely.
"""

import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from lema.errors import ModelError
from lema.journal.jobs import Job
from lema.models.api.faults import USED_UP
from lema.models.api.settings import is_local
from lema.models.api.wire import fields, one_line

ENDED = ("completed", "expired", "failed", "cancelled")
METADATA = "lema_job"
PAGE = 100
SLACK = 86_400  # seconds that the provider's clock may be behind ours
LONGEST_PAUSE = 30.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch is."""

    status: str
    completed: int  # failed ones included
    files: tuple[str, ...]  # output and errors
    errors: str  # what the provider says of a batch that it refused, on one line


class Provider:
    """A connection to a Batch API; `with` closes it. ModelError where it refuses or is not there."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        address = settings.base_url[0]  # batches are made in one place
        self.name, self._address = f"{settings.model} at {address}", address
        self.endpoint = "/v1/chat/completions" if settings.form == "chat" else "/v1/completions"

    def __enter__(self) -> "Provider":
        import openai

        self._errors, here = openai, is_local(self._address)
        self._key = _key(self.settings, self.name, here)
        client = openai.DefaultHttpxClient(timeout=self.settings.timeout, trust_env=not here)
        self._client = openai.OpenAI(base_url=self._address, api_key=self._key or "none", max_retries=0,
                                     http_client=client)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def upload(self, name: str, content: bytes) -> str:
        """The id of the uploaded file."""
        file = (f"lema-{name}.jsonl", content)
        return self._tried(lambda: self._client.files.create(file=file, purpose="batch")).id

    def create(self, job: Job) -> str:
        """The id of the job's batch, which is made unless an earlier try made it."""
        tries = iter([None])

        def once() -> str:
            first = next(tries, "again") is None
            return (None if first else self.find(job)) or self._client.batches.create(
                input_file_id=job.file, endpoint=self.endpoint, completion_window=self.settings.window,
                metadata={METADATA: job.name}).id

        return self._tried(once)

    def find(self, job: Job) -> str | None:
        """The id of the job's batch where the provider has one."""
        after: dict = {}
        while True:
            page = self._tried(lambda: self._client.batches.list(limit=PAGE, **after))  # noqa: B023 (called at once)
            for batch in page.data:
                if (batch.metadata or {}).get(METADATA) == job.name or batch.input_file_id == job.file:
                    return batch.id
            if not page.data or not getattr(page, "has_more", True):
                return None
            if page.data[-1].created_at < job.created - SLACK:
                return None  # newest first: what follows is older still
            after = {"after": page.data[-1].id}

    def state(self, batch: str) -> State:
        """How far a batch is now."""
        seen = self._tried(lambda: self._client.batches.retrieve(batch))
        counts, files = seen.request_counts, filter(None, (seen.output_file_id, seen.error_file_id))
        errors = (seen.errors.data or []) if seen.errors else []
        reasons = one_line("; ".join(f"{error.code}: {error.message}" for error in errors))
        return State(seen.status, counts.completed + counts.failed if counts else 0, tuple(files), reasons)

    def cancel(self, batch: str) -> None:
        with contextlib.suppress(self._errors.APIError):  # it has ended meanwhile, or will: the next look tells
            self._client.batches.cancel(batch)

    def rows(self, state: State) -> Iterator[bytes]:
        """The lines of the output and error files, in no particular order."""
        for file in state.files:
            with tempfile.TemporaryFile() as kept:
                self._tried(lambda file=file, kept=kept: self._download(file, kept))
                kept.seek(0)
                yield from (line for line in kept if line.strip())

    def _download(self, file: str, into: Any) -> None:
        into.seek(0)
        into.truncate()
        with self._client.files.with_streaming_response.content(file) as response:
            for part in response.iter_bytes():
                into.write(part)

    def _tried(self, call: Callable[[], Result]) -> Result:
        """The call's result; faults that may pass are waited out."""
        pause = 0.5
        for left in range(self.settings.retries, -1, -1):
            try:
                return call()
            except self._errors.APIStatusError as error:
                may_pass = error.status_code in (408, 409, 429) or error.status_code >= 500
                if not may_pass or self._is_used_up(error):
                    raise ModelError(f"{self.name}: {self._remedy(error)}") from None
                fault = f"{error.status_code}"
            except self._errors.APIConnectionError as error:
                fault = one_line(error.__cause__ or error)
            if left:
                time.sleep(pause * random.uniform(0.5, 1))
                pause = min(2 * pause, LONGEST_PAUSE)
        raise ModelError(f"{self.name}: the Batch API does not answer ({fault}); what is under way there is kept: "
                         "run the same command again later")

    def _is_used_up(self, error: Any) -> bool:
        return error.code in USED_UP

    def _remedy(self, error: Any) -> str:
        code, variable = error.status_code, self.settings.api_key_env
        reason = one_line(fields(error.body).get("message", ""))
        reason = reason.replace(self._key, "***") if self._key else reason
        if code in (401, 403):
            return (f"the key was refused ({code}); check the environment variable that api_key_env names "
                    f"({variable})")
        if code == 402 or self._is_used_up(error):
            return f"the account is used up ({code}); add to it and run again"
        if code == 404 and error.request.method == "GET":
            return (f"a batch that was made earlier is not there (404 {reason}); give the base_url where it was "
                    "made, or give it up with `lema journal forget RUN`, which asks for its requests again")
        if code == 404:
            return f"no Batch API there (404 {reason}); use backend = \"api\" instead"
        if code == 413:
            return "the file is too large for it (413); lower file_bytes in its [models] table"
        return f"refused ({code} {reason}); see what it says in its [models] table"


def _key(settings: Any, name: str, here: bool) -> str:
    """The key, from the environment. A server on this machine gets one only if the config names its variable."""
    if here and "api_key_env" not in settings.model_fields_set:
        return ""
    key = os.environ.get(settings.api_key_env, "")
    if not key:
        raise ModelError(f"{name}: no key; put it into the environment variable {settings.api_key_env}, or name "
                         "another in api_key_env")
    return key
