"""A local Batch API for tests: files and batches over real HTTP, slow, expiring and failing as it is told to.

One design decision: it runs in a thread of the test and outlives the clients that the test kills; `paid` counts
every request that any batch of it worked on, so that a test sees what was asked twice.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.hosting import Host
from tests.personas import CHAT, Persona
from tests.server import Answer, Server, echo


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a batch: it ends so many seconds after it was made, once it was looked at so often in vain,
    in this status, and of its requests (in file order) only the first `rows` were worked on (None: all)."""

    seconds: float = 0.0
    looks: int = 0
    status: str = "completed"
    rows: int | None = None
    errors: tuple[tuple[str, str], ...] = ()  # (code, message) of a failed one


@dataclass
class Batch:
    """A batch as it was made."""

    id: str
    file: str
    endpoint: str
    metadata: dict
    fate: Fate
    lines: list[dict]
    made: float = field(default_factory=time.time)
    looks: int = 0
    cancelled: bool = False


def completes(number: int, rows: int) -> Fate:
    """The fate of the number-th batch, which has so many rows."""
    return Fate()


def answered(line: dict) -> int:
    """The status with which one request is answered."""
    return 200


@dataclass
class BatchServer:
    """`with BatchServer(persona=OpenAI()) as server:` serves at `server.url`. It also answers single chat
    completions."""

    persona: Persona = field(kw_only=True)
    answer: Answer = echo
    fate: Callable[[int, int], Fate] = completes
    row: Callable[[dict], int] = answered
    fault: Callable[[str, str, int], int] = lambda method, path, number: 200  # else the status of a whole call
    lost: Callable[[str, str, int], bool] = lambda method, path, number: False  # done, but the reply never arrives
    delay: float = 0.0  # seconds between the deed and the reply of every call
    file_requests: int = 50_000
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    paid: Counter = field(default_factory=Counter)  # custom_id to how often a batch worked on it
    online: list[dict] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    moved: Callable[[str, str], str] = lambda method, path: ""  # else where a call is passed on to
    escaped: bool = False  # whether JSON comes with \\/ for /, as some write it
    keys: list[str] = field(default_factory=list)  # Authorization headers
    most: int | None = None  # deeds; the replies to later ones are held back until it is more

    def __enter__(self) -> "BatchServer":
        self._host = Host([Route("/v1/{path:path}", self._call, methods=["GET", "POST"])])
        self._host.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._host.close()

    @property
    def url(self) -> str:
        return self._host.url

    async def _call(self, request: Request) -> Response:
        path, body = request.path_params["path"], await request.body()
        number = len(self.calls)
        self.calls.append((request.method, path))
        self.keys.append(request.headers.get("authorization", ""))
        if to := self.moved(request.method, path):
            return Response(status_code=307, headers={"Location": f"{to}/{path}"})
        deed = self.deeds
        status = self.fault(request.method, path, number)
        if status != 200:
            return JSONResponse({"error": {"message": "told to fail"}}, status)
        response = self._done(request.method, path, body, dict(request.query_params),
                              request.headers.get("content-type", ""))
        if self.escaped:
            response = Response(response.body.replace(b"/", b"\\/"), response.status_code)
        await asyncio.sleep(self.delay)
        while self.most is not None and deed > self.most:
            await asyncio.sleep(0.005)
        return _Cut() if self.lost(request.method, path, number) else response

    @property
    def deeds(self) -> int:
        """Calls other than looks at a batch: of those there are the more the slower everything is."""
        return sum(1 for call in self.calls if not _looks(*call))

    def _done(self, method: str, path: str, body: bytes, query: dict, kind: str) -> Response:
        parts = path.split("/")
        if (method, path) == ("POST", "files"):
            return self._upload(body, kind)
        if (method, path) == ("POST", "batches"):
            return self._create(json.loads(body))
        if (method, path) == ("GET", "batches"):
            return self._list(query)
        if method == "POST" and parts[0] == "batches" and parts[2:] == ["cancel"]:
            self.batches[parts[1]].cancelled = True
            return JSONResponse(self._shown(self.batches[parts[1]]))
        if _looks(method, path) and parts[1] in self.batches:
            shown = self._shown(self.batches[parts[1]])
            self.batches[parts[1]].looks += 1
            return JSONResponse(shown)
        if method == "GET" and parts[0] == "files" and parts[2:] == ["content"]:
            return self._content(parts[1])
        if method == "POST" and path == "chat/completions":
            self.online.append(json.loads(body))
            status, answer = self._answered(CHAT, json.loads(body))
            return JSONResponse(answer, status)
        return JSONResponse({"error": {"message": f"no {path}"}}, 404)

    def _upload(self, body: bytes, kind: str) -> Response:
        fields = dict(_form(body, kind))
        assert fields["purpose"] == b"batch"
        lines = fields["file"].splitlines()
        if len(lines) > self.file_requests:
            return JSONResponse({"error": {"message": f"more than {self.file_requests} requests"}}, 400)
        assert len({json.loads(line)["custom_id"] for line in lines}) == len(lines)
        name = f"file-{len(self.files)}"
        self.files[name] = fields["file"]
        return JSONResponse({"id": name, "object": "file", "bytes": len(body), "created_at": int(time.time()),
                             "filename": "f.jsonl", "purpose": "batch", "status": "processed"})

    def _create(self, asked: dict) -> Response:
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        assert {line["url"] for line in lines} == {asked["endpoint"]}
        fate = self.fate(len(self.batches), len(lines))
        made = Batch(f"batch-{len(self.batches)}", asked["input_file_id"], asked["endpoint"],
                     asked.get("metadata") or {}, fate, lines)
        self.batches[made.id] = made
        if fate.status != "failed":
            self.paid.update(line["custom_id"] for line in lines[:fate.rows])
        return JSONResponse(self._shown(made))

    def _list(self, query: dict) -> Response:
        newest = list(reversed(self.batches.values()))
        names = [batch.id for batch in newest]
        start = names.index(query["after"]) + 1 if "after" in query else 0
        page = newest[start:start + int(query.get("limit", 20))]
        return JSONResponse({"object": "list", "data": [self._shown(batch) for batch in page],
                             "has_more": start + len(page) < len(newest)})

    def status(self, batch: Batch) -> str:
        """What has become of a batch by now."""
        if time.time() - batch.made >= batch.fate.seconds and batch.looks >= batch.fate.looks:
            return batch.fate.status
        return "cancelled" if batch.cancelled else "in_progress"

    def _shown(self, batch: Batch) -> dict:
        status = self.status(batch)
        rows = len(batch.lines[:batch.fate.rows])
        ended = status not in ("in_progress", "failed")
        return {"id": batch.id, "object": "batch", "endpoint": batch.endpoint, "input_file_id": batch.file,
                "completion_window": "24h", "created_at": int(batch.made), "metadata": batch.metadata,
                "status": status, "output_file_id": f"output-{batch.id}" if ended and rows else None,
                "error_file_id": f"error-{batch.id}" if ended and rows < len(batch.lines) else None,
                "errors": {"object": "list", "data": [{"code": c, "message": m} for c, m in batch.fate.errors]}
                if status == "failed" else None,
                "request_counts": {"total": len(batch.lines), "completed": rows, "failed": 0}}

    def _content(self, file: str) -> Response:
        kind, _, name = file.partition("-")
        batch = self.batches[name]
        done, left = batch.lines[:batch.fate.rows], batch.lines[len(batch.lines[:batch.fate.rows]):]
        if kind == "error":
            rows = [{"custom_id": line["custom_id"], "response": None,
                     "error": {"code": "batch_expired", "message": "not worked on in time"}} for line in left]
        else:  # in another order than asked, as the real one may
            rows = [self._row(line) for line in reversed(done)]
        return Response("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    def _row(self, line: dict) -> dict:
        status, body = self.row(line), {"error": {"message": "told to fail"}}
        if status == 200:
            status, body = self._answered(line["url"].removeprefix("/v1"), line["body"])
        return {"custom_id": line["custom_id"], "error": None, "response": {"status_code": status, "body": body}}

    def _answered(self, path: str, body: dict) -> tuple[int, dict]:
        """(status, body) of the answer to one request to /v1`path`."""
        if refusal := self.persona.refuses(path, body, ""):
            return refusal.status, self.persona.error(refusal)
        written = self.persona.writes(path, body, self.answer(body, 0))
        return 200, Server(persona=self.persona).reply("reply", body, [written])


def _looks(method: str, path: str) -> bool:
    return method == "GET" and path.startswith("batches/")


class _Cut(Response):
    """Promises a body that never comes, whereupon the connection is closed."""

    async def __call__(self, scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


def _form(body: bytes, kind: str):
    """(name, content) of each part of a multipart body."""
    boundary = b"--" + kind.rpartition("boundary=")[2].strip('"').encode()
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = head.decode().split('name="', 1)[1].split('"', 1)[0]
        yield name, content.removesuffix(b"\r\n")
