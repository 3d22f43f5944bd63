"""A local OpenAI-compatible server for tests: real sockets, answers from a function, faults on request.

One design decision: it runs in a thread of the test, so that a test sees at once what was asked, and outlives
client processes that the test kills. Who it is decides what it refuses (tests/personas.py); what it answers, how
it fails, how long it waits and what it says that it cost are plain functions. It seeds the choices of one request
as vLLM does: the i-th with the request's seed plus i.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hosting import Host
from tests.personas import CHAT, PLAIN, Persona, Written, prompt_tokens

Answer = Callable[[dict, int], str]
"""Called with the request's body and the number of the choice (0 <= number < n)."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `seconds` are waited first. With `choices` the reply is a good one, of so many choices."""

    status: int = 200
    body: str = '{"error": {"message": "told to fail"}}'
    headers: tuple[tuple[str, str], ...] = ()
    cut: int = 0  # bytes of the body that are sent before the connection is closed; 0: all, whole
    seconds: float = 0.0
    trickle: float = 0.0  # seconds between one byte of the body and the next
    choices: int | None = None


BROKEN = Fault(status=500)
CUT = Fault(body='{"choices": [{"message": {"content": "half a rep', cut=30)
BAD_JSON = Fault(body='{"choices": [{"mess')
NO_CHOICES = Fault(body='{"choices": []}')
HANG = Fault(seconds=3600)
ONE_CHOICE = Fault(choices=1)
TRICKLE = Fault(body='{"choices": [{"finish_reason": "stop", "message": {"content": "slow"}}]}', trickle=30)
NO_CONTENT = Fault(body='{"choices": [{"finish_reason": "stop", "message": {"content": null}}]}')


def too_many(seconds: str | None = None) -> Fault:
    """429, with `Retry-After: seconds` where given."""
    return Fault(status=429, headers=() if seconds is None else (("Retry-After", seconds),))


def refusal(status: int, message: str, code: str = "") -> Fault:
    """An error answer as the endpoints word it."""
    return Fault(status=status, body=json.dumps({"error": {"message": message, "code": code}}))


def no_fault(number: int, body: dict) -> Fault | None:
    """How a request fails (None: it does not), by its number as it came in and its body."""
    return None


def instantly(body: dict) -> float:
    """How many seconds an answer takes, by the request's body."""
    return 0.0


def never(body: dict) -> bool:
    """Whether an answer still waits, by the request's body; asked again and again until it need not."""
    return False


def honest(body: dict, usage: dict) -> object:
    """The `usage` of a reply, by the request's body and what it cost in truth; None: the reply has none."""
    return usage


def echo(body: dict, choice: int) -> str:
    """An answer that shows what was asked: the last message and the choice's seed."""
    seed = body.get("seed")
    return f"{last_message(body)} | seed {seed if seed is None else seed + choice}"


def recorded(replies: Mapping[str, str | Sequence[str]]) -> Answer:
    """Answers by the last message; the choices of one request get the replies in turn."""
    def answer(body: dict, choice: int) -> str:
        reply = replies[last_message(body)]
        return reply if isinstance(reply, str) else reply[choice % len(reply)]
    return answer


def last_message(body: dict) -> str:
    """What the last message, or the plain prompt, says."""
    return body["prompt"] if "prompt" in body else body["messages"][-1]["content"]


class _Part(Response):
    """A response that promises more bytes than it sends, whereupon uvicorn closes the connection; or one that
    sends them one by one."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.body, fault.status, media_type="application/json")
        self.sent, self.trickle = fault.cut or len(self.body), fault.trickle

    async def __call__(self, scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for byte in self.body[:self.sent] if self.trickle else ():
            await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            await asyncio.sleep(self.trickle)
        part = b"" if self.trickle else self.body[:self.sent]
        await send({"type": "http.response.body", "body": part, "more_body": self.sent < len(self.body)})


@dataclass
class Server:
    """`with Server(answer, fault, persona=Vllm()) as server:` serves at `server.url`; `server.seen` are the bodies
    that came, `server.cost` the tokens read and written for them in truth, by model."""

    persona: Persona = field(kw_only=True)
    answer: Answer = echo
    fault: Callable[[int, dict], Fault | None] = no_fault
    seconds: Callable[[dict], float] = instantly  # how long an answer takes
    held: Callable[[dict], bool] = never  # whether it waits even then, for something that a test brings about
    usage: Callable[[dict, dict], object] = honest
    cost: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    seen: list[dict] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)  # Authorization headers
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0  # one that somebody holds; 0: a free one

    def __enter__(self) -> "Server":
        self._host, self._begun = Host([Route(f"/v1{path}", self._complete, methods=["POST"])
                                        for path in (CHAT, PLAIN)], self.port), object()
        self._host.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._host.close()

    def stop(self) -> None:
        """Cuts every connection and listens no more; `url` stays as it was, and nobody else's."""
        self._host.stop()

    def start(self) -> None:
        """Listens again, where it did."""
        self._host.start()

    @property
    def url(self) -> str:
        return self._host.url

    def begin(self, **how: object) -> None:
        """Forgets what it saw, and answers and fails from now on as `how` says (the fields above)."""
        fresh = Server(**{"persona": self.persona} | how)
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))
        self._begun = object()  # who is still being answered from before is no longer counted

    async def _complete(self, request: Request) -> Response:
        body = await request.json()
        number, begun = len(self.seen), self._begun
        self.seen.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._reply(number, request, body)
        finally:
            self.at_once -= begun is self._begun

    async def _reply(self, number: int, request: Request, body: dict) -> Response:
        fault = self.fault(number, body)
        await asyncio.sleep(fault.seconds if fault else self.seconds(body))
        while not fault and self.held(body):
            await asyncio.sleep(0.002)
        if fault and (fault.cut or fault.trickle):
            return _Part(fault)
        if fault and fault.choices is None:
            return Response(fault.body, fault.status, dict(fault.headers), "application/json")
        path, key = request.url.path.removeprefix("/v1"), request.headers.get("authorization", "")
        if refusal := self.persona.refuses(path, body, key.removeprefix("Bearer ")):
            return JSONResponse(self.persona.error(refusal), refusal.status)
        several = range(fault.choices if fault else body.get("n") or 1)
        written = [self.persona.writes(path, body, self.answer(body, choice)) for choice in several]
        return Response(json.dumps(self.reply(f"reply-{number}", body, written)), media_type="application/json")

    def reply(self, name: str, body: dict, written: Sequence[Written]) -> dict:
        """A reply's JSON; what it cost is counted."""
        read, wrote = prompt_tokens(body), sum(each.tokens for each in written)
        self.cost[body["model"]][0] += read
        self.cost[body["model"]][1] += wrote
        usage = self.usage(body, {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote})
        return {"id": name, "object": "chat.completion", "model": body["model"],
                "choices": [_choice(body, index, each) for index, each in enumerate(written)],
                **({} if usage is None else {"usage": usage})}


def _choice(body: dict, index: int, written: Written) -> dict:
    message = {"role": "assistant", "content": written.text}
    return {"index": index, "finish_reason": written.finish,
            **({"text": written.text} if "prompt" in body else {"message": message})}
