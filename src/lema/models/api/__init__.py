"""Any OpenAI-compatible endpoint: OpenAI itself, vLLM, Ollama, llama.cpp, a router.

    [models.corrector]
    backend = "api"
    model = "qwen3-32b"
    base_url = "http://gpu1:8000/v1"
    Request((Message("user", "Leo has 15 pens …"),), Sampling(temperature=0.7, max_tokens=64, seed=1))
    → Completion("He has 15 - 6 = 9 pens.", "stop", prompt_tokens=31, tokens=14)

One design decision: the room is cut by what each part knows: `settings` the table, `wire` bodies and replies,
`faults` what an error means, `pace` limits, `endpoint` one address, `pool` all of them, `retrying` one prompt's
paths, `transport` the connection, `driver` the event loop. This file is the seam and loads none of the network.
"""

from collections.abc import Iterable, Iterator

from lema.journal.usage import Most
from lema.messages import Arrived, Charged, Completion, Request
from lema.models.api.endpoint import Endpoint
from lema.models.api.settings import Settings
from lema.models.api.wire import NO_PREFILL, Outgoing, body_of, outgoing, probe_of, read_reply

__all__ = ["Model", "Outgoing", "Settings", "body_of", "outgoing", "read_reply"]


class Model:
    """A model behind one or several addresses. Nothing is imported, opened or looked up before the first
    `complete`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._endpoints = [Endpoint(settings, url) for url in settings.base_url]
        self.charged: Charged = lambda request, completion: True

    def identity(self) -> dict:
        settings = self.settings
        identity = {"backend": "api", "model": settings.model, "form": settings.form, "extra": settings.extra}
        # what is not set is left out: a key must not change with a setting that nobody uses
        if settings.omit:
            identity["omit"] = sorted(settings.omit)
        if settings.reply_schema is not None:
            identity["json_schema"] = settings.reply_schema
        return identity

    @staticmethod
    def no_prefix(settings: Settings) -> str:
        """Why no model of these settings goes on from a prefix; "" where it does."""
        if settings.form == "completions" or settings.prefill:
            return ""
        return NO_PREFILL

    def most(self, request: Request) -> Most:
        """The most that a request can cost, as it is sent, with a probe that it may give rise to."""
        most, probe = outgoing(self.settings, request).most, probe_of(self.settings, request).most
        tokens = None if most.tokens is None else most.tokens + (probe.tokens or 0)
        return Most(most.prompt_tokens + probe.prompt_tokens, tokens)

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As every backend; up to `concurrency` requests are in flight at each address."""
        return self.complete_telling(requests, lambda position, completion: None)

    def complete_telling(self, requests: Iterable[Request], arrived: Arrived) -> Iterator[Completion]:
        """As every ConcurrentModel. ModelError where the endpoint refuses everything or is not there."""
        from lema.models.api.driver import driving

        with driving(self.settings, self._endpoints, arrived, self.charged) as driver:
            yield from driver.answers(requests)
