"""The api backend over real sockets: order, retries, what is a row and what is an error, and where keys go."""

import email.utils
import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from lema.errors import ConfigError, ModelError
from lema.journal import Journal, complete
from lema.models import Completion, Message, Request
from lema.models.api import Model, Settings, body_of, read_reply
from lema.records import Sampling
from lema.seams import settings_of
from tests.answering import ask
from tests.server import (
    BAD_JSON,
    BROKEN,
    CUT,
    NO_CHOICES,
    NO_CONTENT,
    Fault,
    Server,
    last_message,
    recorded,
    refusal,
    too_many,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def started():
    with Server() as running:
        yield running


@pytest.fixture
def server(started):
    started.begin()
    return started


def model_at(server: Server, **settings) -> Model:
    return Model(Settings(model="m", base_url=server.url, **settings))


def asked(*bodies_and_faults: Fault | None):
    """A server's faults: the n-th request that comes fails as the n-th argument says."""
    faults = dict(enumerate(bodies_and_faults))
    return lambda number, body: faults.get(number)


def test_completions_come_in_request_order_however_slow_each_is(server):
    rng = random.Random(1)
    server.begin(seconds=lambda body: rng.random() / 20)
    requests = [ask(f"q{i}") for i in range(120)]
    answers = list(model_at(server, concurrency=16).complete(iter(requests)))
    assert [answer.text for answer in answers] == [f"q{i} | seed None" for i in range(120)]
    assert answers[0] == Completion("q0 | seed None", "stop", 1, 4)


def test_as_many_as_the_config_says_are_in_flight_and_few_more_are_read():
    read = []
    with Server(seconds=lambda body: 0.01) as server:
        answers = model_at(server, concurrency=8).complete(ask(f"q{i}") for i in range(200) if not read.append(i))
        next(answers)
        time.sleep(0.3)
        assert len(read) <= 8 * 4 + 1
        assert len(list(answers)) == 199
    assert server.most_at_once == 8


def test_a_reader_who_leaves_early_leaves_nothing_open():
    with Server(seconds=lambda body: 0.02) as server:
        answers = model_at(server, concurrency=4).complete(ask(f"q{i}") for i in range(10_000))
        assert next(answers).finish == "stop"
        answers.close()
    assert len(server.seen) < 100


@pytest.mark.parametrize("fault", [BROKEN, CUT, BAD_JSON, Fault(status=408), Fault(status=409), too_many("0"),
                                   Fault(status=503, body="<html>"), Fault(seconds=5)])
def test_a_fault_that_may_pass_is_tried_again(server, fault):
    server.begin(fault=asked(fault))
    answers = list(model_at(server, timeout=1.5, retries=1).complete([ask("q")]))
    assert answers == [Completion("q | seed None", "stop", 1, 4)] and len(server.seen) == 2


@pytest.mark.parametrize(("fault", "says"), [
    (BROKEN, "error: 500 told to fail"), (CUT, "error: the connection was cut"),
    (BAD_JSON, "error: the reply is no JSON"), (too_many("0"), "error: 429 told to fail")])
def test_a_fault_that_does_not_pass_is_a_row(server, fault, says):
    server.begin(fault=lambda number, body: fault if last_message(body) == "bad" else None)
    answers = list(model_at(server, retries=1).complete([ask("good"), ask("bad"), ask("fine")]))
    assert [answer.finish for answer in answers] == ["stop", says, "stop"]
    assert Counter(map(last_message, server.seen)) == {"good": 1, "bad": 2, "fine": 1}


@pytest.mark.parametrize(("fault", "says"), [
    (refusal(400, "this prompt\nis too long"), "error: 400 this prompt is too long"),
    (refusal(422, "no"), "error: 422 no"), (NO_CHOICES, "error: no choices in the reply"),
    (NO_CONTENT, "error: no text in the reply"),
    (Fault(body='{"error": {"message": "upstream broke"}}'), "error: no choices in the reply (upstream broke)")])
def test_a_rows_own_fault_is_a_row_at_once(server, fault, says):
    server.begin(fault=asked(fault))
    answers = list(model_at(server, concurrency=1).complete([ask("bad"), ask("good")]))
    assert [answer.finish for answer in answers] == [says, "stop"] and len(server.seen) == 2


@pytest.mark.parametrize("wait", ["0.4", "date"])
def test_a_429_holds_back_all_requests_for_as_long_as_it_says(server, wait):
    times = []

    def fault(number, body):
        times.append(time.time())
        said = email.utils.formatdate(time.time() + 2, usegmt=True) if wait == "date" else wait
        return too_many(said) if number == 0 else None

    server.begin(fault=fault, seconds=lambda body: 0.1)
    assert len(list(model_at(server, concurrency=2).complete([ask("a"), ask("b"), ask("c"), ask("d")]))) == 4
    held = times[2] - times[0]  # the first is refused, the second was already under way
    assert held >= (0.9 if wait == "date" else 0.4)


@pytest.mark.parametrize(("fault", "says"), [
    (refusal(401, "Incorrect key: sk-1234"), r"key was refused \(401\).*api_key_env.*OPENAI_API_KEY"),
    (refusal(403, "no"), r"\(403\).*api_key_env"), (refusal(404, "no such model"), r"\(404\).*model and base_url"),
    (refusal(429, "pay", "insufficient_quota"), r"used up \(429\)"), (refusal(402, "pay"), r"used up \(402\)")])
def test_an_endpoint_that_refuses_is_an_error_that_says_what_to_do(fault, says):
    with Server(fault=lambda number, body: fault) as server, pytest.raises(ModelError, match=says) as error:
        list(model_at(server, concurrency=1).complete([ask("a"), ask("b")]))
    assert "\n" not in str(error.value) and "sk-1234" not in str(error.value)
    assert len(server.seen) <= 2


def test_an_endpoint_that_is_not_there_is_an_error_that_says_what_to_do():
    with Server() as server:
        gone = model_at(server, retries=1)
    with pytest.raises(ModelError, match=r"cannot be reached .*base_url"):
        list(gone.complete([ask("q")]))


def test_a_key_goes_to_the_endpoint_and_nowhere_else(server, monkeypatch, tmp_path, caplog):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("MY_KEY", "sk-secret-7")
    fault = asked(None, refusal(400, "bad request with sk-secret-7"))
    server.begin(fault=fault)
    with Journal(tmp_path / "journal") as journal:
        model = model_at(server, api_key_env="MY_KEY", concurrency=1)
        answers = list(complete(journal, model, [ask("a"), ask("b")]))
    assert server.keys == ["Bearer sk-secret-7"] * 2
    assert answers[1].finish == "error: 400 bad request with ***"
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    shown = json.dumps([model.identity(), model.settings.facts()]) + caplog.text
    assert b"sk-secret" not in kept and "sk-secret" not in shown


def test_a_server_on_this_machine_needs_no_key_and_gets_none_unasked(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-7")
    list(model_at(server).complete([ask("q")]))
    assert server.keys == ["Bearer none"]


def test_a_missing_key_names_its_variable(monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ModelError, match="MY_KEY"):
        list(Model(Settings(model="m", api_key_env="MY_KEY")).complete([ask("q")]))


@pytest.mark.parametrize("address", ["localhost:8000", "ftp://x/v1", "https://me:secret@host/v1", "http://h/v1?key=s"])
def test_an_address_that_is_none_or_holds_a_secret_is_refused(address):
    with pytest.raises(ConfigError, match=r"models\.x\.base_url") as error:
        settings_of(Settings, {"model": "m", "base_url": address}, "models.x")
    assert "secret" not in str(error.value)


def test_where_and_how_fast_is_no_part_of_what_comes_out():
    here = Settings(model="m", base_url="http://a/v1", concurrency=3, timeout=1, retries=0, api_key_env="A",
                    max_tokens_field="max_completion_tokens")
    assert here.facts() == Settings(model="m").facts()
    assert Model(here).identity() == Model(Settings(model="m")).identity()
    other = [Settings(model="n"), Settings(model="m", form="completions"), Settings(model="m", extra={"top_k": 5})]
    assert len({json.dumps(Model(each).identity()) for each in [here, *other]}) == 4


def test_what_is_sent_is_what_the_request_says():
    drawn = Sampling(temperature=0.7, top_p=0.9, max_tokens=50, stop=("\n\n",), seed=3)
    request = Request((Message("system", "s"), Message("user", "u")), drawn, 2)
    body = body_of(Settings(model="m", extra={"top_k": 5}, max_tokens_field="max_completion_tokens"), request)
    seed = body.pop("seed")
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert body == {"model": "m", "messages": messages, "temperature": 0.7, "top_p": 0.9,
                    "max_completion_tokens": 50, "stop": ["\n\n"], "top_k": 5}
    assert 0 <= seed < 2**31
    plain = body_of(Settings(model="m", form="completions"), Request(request.messages))
    assert plain == {"model": "m", "prompt": "s\n\nu", "temperature": 0, "top_p": 1, "max_tokens": 1024}


def test_each_path_draws_from_its_own_seed():
    seeds = [body_of(Settings(model="m"), ask("q", index, Sampling(temperature=1, seed=seed)))["seed"]
             for seed in range(20) for index in range(20)]
    assert len(set(seeds)) == 400


def test_plain_completions_are_asked_at_their_own_address(server):
    server.begin(answer=recorded({"2 + 2 =": "4"}))
    answers = list(model_at(server, form="completions").complete([ask("2 + 2 =")]))
    assert answers[0].text == "4" and "messages" not in server.seen[0]


def test_text_that_is_no_unicode_is_sent_and_kept(server):
    server.begin(fault=asked(Fault(body='{"choices": [{"finish_reason": "stop", "text": "\\ud800"}]}')))
    assert next(model_at(server).complete([ask("\udfff")])) == Completion("\ud800", "stop")
    assert last_message(server.seen[0]) == "\udfff"


@pytest.mark.parametrize(("choice", "expected"), [
    ({"finish_reason": "length", "message": {"content": "cut"}}, Completion("cut", "length", 5, 9)),
    ({"finish_reason": "length", "message": {"content": None}}, Completion("", "length", 5, 9)),
    ({"finish_reason": "content_filter", "message": {}}, Completion("", "content_filter", 5, 9)),
    ({"finish_reason": "stop", "message": {"refusal": "No."}}, Completion("No.", "content_filter", 5, 9)),
    ({"finish_reason": "eos", "text": "x"}, Completion("x", "stop", 5, 9)),
    ({"finish_reason": None, "text": "x"}, Completion("x", "length", 5, 9)),
    ({"finish_reason": "abort", "text": "x"}, Completion("x", "error: finish reason abort", 5, 9)),
    ({"finish_reason": "stop", "message": {"content": ""}}, Completion("", "stop", 5, 9)),
    ({"finish_reason": "stop", "message": "?"}, Completion("", "error: no text in the reply", 5, 9)),
    (None, Completion("", "error: no choices in the reply", 5, 9))])
def test_a_reply_is_read_for_what_it_says(choice, expected):
    reply = {"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 9}}
    assert read_reply(reply, limit=9) == expected


@pytest.mark.parametrize("reply", [None, [], "x", {"choices": None}, {"choices": [], "usage": []}])
def test_a_reply_of_another_shape_is_a_failure(reply):
    assert read_reply(reply, limit=9).failed


PAID = """
import sys
from pathlib import Path
from lema.journal import Journal, complete
from lema.models.api import Model, Settings
from tests.answering import ask
with Journal(Path(sys.argv[1])) as journal:
    model = Model(Settings(model="m", base_url=sys.argv[2], concurrency=16))
    for completion in complete(journal, model, (ask(f"q{i}") for i in range(300))):
        print(completion.text)
"""


def test_killed_again_and_again_it_pays_once_but_for_what_was_in_flight(tmp_path):
    rng, kills = random.Random(4), 2
    with Server(seconds=lambda body: 0.2 if body["messages"][0]["content"].endswith("7") else 0.01) as server:
        for kill in range(kills + 1):
            until = len(server.seen) + rng.randrange(20, 100)
            child = subprocess.Popen([sys.executable, "-c", PAID, str(tmp_path / "journal"), server.url], cwd=ROOT,
                                     stdout=subprocess.PIPE, text=True)
            while kill < kills and len(server.seen) < until:
                time.sleep(0.002)
            if kill < kills:
                child.send_signal(signal.SIGKILL)
            answers = child.communicate(timeout=60)[0].splitlines()
        assert answers == [f"q{i} | seed None" for i in range(300)]
        assert 300 <= len(server.seen) <= 300 + kills * 16
