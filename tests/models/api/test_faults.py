"""Faults over real sockets: what is tried again, what is a row, and what ends the run with one clear line."""

import email.utils
import time
from collections import Counter

import pytest

from lema.errors import ModelError
from lema.messages import Completion
from tests.answering import ask
from tests.faulty import THIRTY_PERCENT, mixed
from tests.models.api.calling import DRAWN, asked, model_at
from tests.patience import until
from tests.personas import Vllm
from tests.server import (
    BAD_JSON,
    BROKEN,
    CUT,
    HANG,
    NO_CHOICES,
    NO_CONTENT,
    TRICKLE,
    Fault,
    Server,
    last_message,
    refusal,
    too_many,
)

pytestmark = pytest.mark.living


def try_seconds(fault: Fault) -> float:
    """The timeout of one try: short where nothing but that ends it, and even then ample for a good reply."""
    return 2 if fault in (HANG, TRICKLE) else 60


@pytest.mark.parametrize("fault", [BROKEN, CUT, BAD_JSON, NO_CHOICES, Fault(status=408), Fault(status=409),
                                   too_many("0"), Fault(status=503, body="<html>"), HANG, TRICKLE,
                                   Fault(body='{"error": {"message": "upstream", "code": 502}}')])
def test_a_fault_that_may_pass_is_tried_again(server, fault):
    server.begin(fault=asked(fault))
    answers = list(model_at(server, timeout=try_seconds(fault), retries=1).complete([ask("q")]))
    assert answers == [Completion("q | seed None", "stop", 1, 4)] and len(server.seen) == 2


@pytest.mark.parametrize(("fault", "says"), [
    (BROKEN, "error: 500 told to fail"), (CUT, "error: the connection was cut"),
    (BAD_JSON, "error: the reply is no JSON"), (NO_CHOICES, "error: no choices in the reply"),
    (Fault(body='{"error": {"message": "upstream broke"}}'), "error: no choices in the reply (upstream broke)"),
    (too_many("0"), "error: 429 told to fail"), (HANG, "error: no reply within the timeout")])
def test_a_fault_that_does_not_pass_is_a_row(server, fault, says):
    server.begin(fault=lambda number, body: fault if last_message(body) == "bad" else None)
    model = model_at(server, retries=1, timeout=try_seconds(fault))
    answers = list(model.complete([ask("good"), ask("bad"), ask("fine")]))
    assert [answer.finish for answer in answers] == ["stop", says, "stop"]
    seen = Counter(map(last_message, server.seen))
    assert seen["good"] == seen["fine"] == 1 and seen["bad"] == 2


@pytest.mark.parametrize(("fault", "finish"), [
    (refusal(400, "this prompt\nis too long"), "error: 400 this prompt is too long"),
    (refusal(422, "no"), "error: 422 no"), (refusal(403, "flagged"), "error: 403 flagged"),
    (refusal(404, "?"), "error: 404 ?"), (NO_CONTENT, "error: no text in the reply"),
    (refusal(400, "filtered", "content_filter"), "content_filter")])
@pytest.mark.parametrize("rows", [["bad"], ["bad", "good"], ["good", "bad", "good"]])
def test_a_rows_own_fault_is_a_row_at_once_and_sinks_nothing(server, fault, finish, rows):
    server.begin(fault=lambda number, body: fault if last_message(body) == "bad" else None)
    answers = list(model_at(server, concurrency=1).complete(map(ask, rows)))
    assert [answer.finish for answer in answers] == [finish if row == "bad" else "stop" for row in rows]
    assert Counter(map(last_message, server.seen))["bad"] == 1


def test_many_bad_rows_in_a_row_sink_nothing(server):
    server.begin(fault=lambda number, body: refusal(400, "too long") if last_message(body) == "bad" else None)
    answers = list(model_at(server, concurrency=4).complete([ask("bad")] * 60))
    assert {answer.finish for answer in answers} == {"error: 400 too long"}
    assert len(server.seen) < 70  # and hardly anything else is asked


@pytest.mark.parametrize(("fault", "says"), [
    (refusal(401, "Incorrect key: sk-1234"), r"key was refused \(401\).*api_key_env.*OPENAI_API_KEY"),
    (refusal(403, "no"), r"\(403\).*api_key_env"), (refusal(404, "no such model"), r"\(404\).*model and base_url"),
    (refusal(400, "unknown field top_k"), r"every request is refused.*400 unknown field top_k.*extra"),
    (refusal(422, "temperature"), r"422 temperature.*omit"),
    (Fault(status=307), r"moved elsewhere \(307.*base_url"), (refusal(402, "pay"), r"used up \(402 pay\)"),
    (refusal(429, "pay", "insufficient_quota"), r"used up \(429 pay\)")])
def test_an_endpoint_that_refuses_everything_is_an_error_that_says_what_to_do(fault, says):
    with (Server(fault=lambda number, body: fault, persona=Vllm()) as server,
          pytest.raises(ModelError, match=says) as error):
        list(model_at(server, concurrency=1).complete([ask("a"), ask("b")]))
    assert "\n" not in str(error.value) and "sk-1234" not in str(error.value)
    assert len(server.seen) <= 2


def test_an_endpoint_that_begins_to_refuse_everything_is_an_error_too(server):
    server.begin(fault=lambda number, body: refusal(400, "gone") if number >= 20 else None)
    with pytest.raises(ModelError, match="every request is refused"):
        list(model_at(server, concurrency=2).complete(ask(f"q{i}") for i in range(200)))
    assert len(server.seen) < 50


def test_an_endpoint_that_is_not_there_is_an_error_that_says_what_to_do():
    with Server(persona=Vllm()) as server:
        server.stop()
        with pytest.raises(ModelError, match=r"cannot be reached .*base_url"):
            list(model_at(server, patience=0.1).complete([ask("q")]))


@pytest.mark.parametrize("fault", [BROKEN, too_many("0"), too_many("3600"), CUT])
def test_an_endpoint_that_never_answers_ends_the_run_in_time_and_keeps_what_came(fault):
    with Server(fault=lambda number, body: fault if number >= 5 else None, persona=Vllm()) as server:
        came, model = [], model_at(server, concurrency=1, patience=1, retries=1000)
        with pytest.raises(ModelError, match=r"no answer for 1 s \(.*run the same command again"):
            for answer in model.complete(ask(f"q{i}") for i in range(100)):
                came.append(answer)
    assert [answer.finish for answer in came] == ["stop"] * 5 and len(server.seen) < 100


@pytest.mark.parametrize("fault", [BROKEN, too_many("0"), too_many("0.3"), HANG])
def test_a_row_that_nobody_can_answer_ends_as_a_row_even_if_it_is_the_last(server, fault):
    server.begin(fault=lambda number, body: fault if last_message(body) == "bad" else None)
    model = model_at(server, patience=0.2, retries=1 if fault == HANG else 3, timeout=try_seconds(fault))
    answers = list(model.complete([ask("good"), ask("bad")]))
    assert [answer.finish.split(":")[0] for answer in answers] == ["stop", "error"]


@pytest.mark.parametrize("wait", ["0.4", "date", None])
def test_a_429_holds_back_all_requests_for_as_long_as_it_says(server, wait):
    times = []

    def fault(number, body):
        times.append(time.time())
        said = email.utils.formatdate(time.time() + 2, usegmt=True) if wait == "date" else wait
        return too_many(said) if number == 0 else None

    model = model_at(server, concurrency=2, timeout=60)
    # the first is refused; the second, already under way, is answered once that has reached the client
    server.begin(fault=fault, held=lambda body: not model._endpoints[0]._closed_at)
    assert len(list(model.complete([ask("a"), ask("b"), ask("c"), ask("d")]))) == 4
    assert times[2] - times[0] >= (0.9 if wait == "date" else 0.4)  # no shorter, however slow the machine is


def test_a_server_that_restarts_in_mid_run_is_waited_for(server, caplog):
    restarted = []
    server.begin(held=lambda body: len(server.seen) > 100 and not restarted)

    def requests():
        """Restarts the server when it has answered some, holds back others, and is still to be asked for more."""
        for number in range(300):
            if number == 150:
                until(lambda: len(server.seen) > 100, "some were asked")
                server.stop()
                until(lambda: "does not answer" in caplog.text, "the server is missed")
                restarted.append(True)
                server.start()
            yield ask(f"q{number}")

    answers = list(model_at(server, concurrency=16).complete(requests()))
    assert [answer.text for answer in answers] == [f"q{i} | seed None" for i in range(300)]
    assert [record.message.split(" ", 3)[3].split(" (")[0] for record in caplog.records if record.name == "lema"
            ] == ["does not answer", "answers again"]


def test_a_dead_address_is_left_out_and_comes_back(server, caplog):
    with Server(persona=Vllm()) as other:
        other.stop()
        model = model_at(server, other, concurrency=4)
        # the one that is there does not answer all before the other is back and has a share
        server.begin(held=lambda body: len(server.seen) > 200 and len(other.seen) <= 20)
        answers = model.complete(ask(f"q{i}") for i in range(400))
        first = [next(answers) for _ in range(100)]
        until(lambda: "does not answer" in caplog.text, "the address is missed")
        assert not other.seen
        other.start()
        assert [answer.text for answer in (*first, *answers)] == [f"q{i} | seed None" for i in range(400)]
        assert len(other.seen) > 20 and "answers again" in caplog.text


def test_thirty_percent_faults_leave_every_row_a_completion_or_a_reason():
    """The short version of tests/faults/thirty_percent.py; with fewer retries, so that some rows do fail."""
    requests = [ask(f"q{i}", index, DRAWN) for i in range(100) for index in range(4)]
    with Server(persona=Vllm()) as server:
        alone = [answer.text for answer in model_at(server).complete(requests)]
        server.begin(fault=mixed(THIRTY_PERCENT, seed=5))
        answers = list(model_at(server, timeout=2, n=2, retries=3).complete(requests))
        assert [answer.text for answer in answers if not answer.failed] == [
            text for text, answer in zip(alone, answers, strict=True) if not answer.failed]
        assert all(answer.finish == "stop" or len(answer.finish) > len("error: ") for answer in answers)
        assert sum(answer.failed for answer in answers) <= 40
        assert len(server.seen) > 230
