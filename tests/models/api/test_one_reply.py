"""What a single reply can do: it becomes a failed row, however deep, large or slow it is; it never ends a run,
fills the memory or makes a run silent."""

import gzip
import json
import time
import zlib

import pytest

from lema.errors import ModelError
from lema.journal import Journal, complete
from lema.models import find_model
from lema.models.api.wire import MOST_BYTES, longest
from lema.records import Sampling
from tests.answering import ask
from tests.batch_server import BatchServer
from tests.models.api.calling import model_at
from tests.patience import PATIENCE
from tests.personas import OpenAI
from tests.server import Fault, last_message, too_many

pytestmark = pytest.mark.living
DEEP = "[" * 1000 + "]" * 1000


def nested(wrapped: str) -> str:
    return wrapped.replace("DEEP", DEEP)


@pytest.mark.parametrize(("body", "finish"), [
    (DEEP, "error: the reply is no JSON"), ('{"a":' * 1000 + "1" + "}" * 1000, "error: the reply is no JSON"),
    (nested('{"choices": [{"message": {"content": DEEP}}]}'), "error: the reply is no JSON"),
    (nested('{"choices": DEEP}'), "error: the reply is no JSON"),
    ('{"choices": [{"finish_reason": ' + "[" * 900 + "]" * 900 + "}]}", "error: "),
    ('{"error": ' + "[" * 900 + "]" * 900 + "}", "error: no choices in the reply"),
    ("[" * 200_000, "error: the reply is no JSON"), ("9" * 200_000, "error: the reply is no JSON"),
    ('{"choices": [{"index": 1e999, "text": 3}]}', "error: no text in the reply")])
@pytest.mark.parametrize("status", [200, 400])
def test_json_of_any_depth_is_a_failed_row_and_no_more(server, body, finish, status):
    fault = Fault(status=status, body=body)
    server.begin(fault=lambda number, asked: fault if last_message(asked) == "bad" else None)
    answers = list(model_at(server, retries=0).complete([ask("good"), ask("bad"), ask("fine")]))
    assert [answer.finish for answer in answers][::2] == ["stop", "stop"]
    assert answers[1].finish.startswith(finish if status == 200 else "error: 400") and len(answers[1].finish) < 250


def packed(body: bytes, how: str) -> Fault:
    """A body as it goes over the wire."""
    made = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[how](body)
    return Fault(body=made, headers=(("Content-Encoding", how),) if how else ())


@pytest.mark.parametrize("how", ["", "gzip", "deflate"])
def test_a_reply_is_read_no_further_than_it_may_be_long_packed_or_not(server, how):
    import tracemalloc

    large = json.dumps({"choices": [{"finish_reason": "stop", "text": "a" * 60_000_000}]}).encode()
    fault = packed(large, how)
    server.begin(fault=lambda number, asked: fault if last_message(asked) == "bad" else None)
    requests = [ask(text, sampling=Sampling(max_tokens=50)) for text in ("bad", "good")]
    tracemalloc.start()
    try:
        answers = list(model_at(server, retries=0).complete(requests))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [answer.finish for answer in answers] == ["error: the reply is longer than it may be", "stop"]
    sent = 2 * len(fault.body) if not how else 0  # the test server is in this process
    assert most < 12 * longest(50) + sent < 60_000_000 + sent


def test_what_a_reply_may_hold_grows_with_what_was_asked_for_and_has_an_end():
    assert longest(1) < longest(1024) < longest(8 * 1024) < longest(None) == longest(10**9) == MOST_BYTES


@pytest.mark.parametrize("asked", ["86400", "1e308", "inf", "nan", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_pause_longer_than_the_patience_is_cut_to_it_and_said(server, asked, caplog):
    server.begin(fault=lambda number, body: too_many(asked) if number == 0 else None)
    begun = time.monotonic()
    (answer,) = model_at(server, patience=1.0).complete([ask("q")])
    assert answer.finish == "stop" and time.monotonic() - begun < PATIENCE
    if asked != "nan":  # which says nothing
        assert caplog.text.count("asks to be left alone for") == 1 and "the patience of its" in caplog.text


def test_a_pause_asked_for_by_one_reply_holds_nobody_longer_than_the_patience(server):
    server.begin(fault=lambda number, body: too_many("86400") if number == 3 else None)
    begun = time.monotonic()
    answers = list(model_at(server, patience=1.0, concurrency=2).complete(ask(f"q{i}") for i in range(40)))
    assert not any(answer.failed for answer in answers) and time.monotonic() - begun < PATIENCE


class Odd(BatchServer):
    """Answers one kind of call with whatever it is told to."""

    odd: tuple[str, bytes] = ("", b"")

    def _done(self, method, path, *rest):
        from starlette.responses import Response
        response = super()._done(method, path, *rest)
        return Response(self.odd[1]) if f"{method} {path}".startswith(self.odd[0]) else response


@pytest.mark.parametrize("call", ["POST files", "POST batches", "GET batches/", "GET files/"])
@pytest.mark.parametrize("body", [
    DEEP.encode(), b"[]", b"{}", b"null", b"<html>", b'{"id": 3, "status": [], "data": {}}', b"\xff\xfe",
    b'{"id": "x", "status": "completed", "request_counts": [], "output_file_id": {"a": 1}, "errors": []}'],
    ids=range(8))
def test_no_reply_of_a_batch_api_ends_in_a_traceback(tmp_path, call, body):
    with Odd(persona=OpenAI()) as server, Journal(tmp_path / "j") as journal:
        server.odd = (call, body)
        model = find_model("x", "batch", {"model": "m", "base_url": server.url, "poll": 0.001, "retries": 0,
                                          "resubmit": 0})
        try:
            rows = list(complete(journal, model, [ask("q")]))
        except ModelError as error:
            assert "\n" not in str(error)
        else:
            assert all(row.failed for row in rows)


@pytest.mark.parametrize("line", [
    DEEP.encode(), b'{"custom_id": ' + DEEP.encode() + b"}", b'{"custom_id": "nobody asked this", "response": {}}',
    b'{"custom_id": "x", "response": {"status_code": 200, "body": {"choices": [{"text": "?"}]}}}', b"\xff" * 99,
    b'{"custom_id": "x", "response": {"status_code": "200", "body": []}}'], ids=range(6))
def test_a_row_of_a_batch_that_cannot_be_read_costs_nobody_elses(tmp_path, line):
    class Adds(BatchServer):
        def _content(self, file):
            response = super()._content(file)
            response.body = line + b"\n" + response.body
            response.headers["content-length"] = str(len(response.body))
            return response

    with Adds(persona=OpenAI()) as server, Journal(tmp_path / "j") as journal:
        model = find_model("x", "batch", {"model": "m", "base_url": server.url, "poll": 0.001})
        rows = list(complete(journal, model, [ask(f"q{number}") for number in range(3)]))
    assert [row.finish for row in rows] == ["stop"] * 3
