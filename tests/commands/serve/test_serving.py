"""`lema serve`: what a client of the OpenAI API may expect of it, asked over real sockets."""

import json
import socket
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from lema.messages import Message, Request, wire_seed
from lema.models import find_model
from lema.records import Sampling
from tests import toys
from tests.commands.serve.running import served
from tests.patience import PATIENCE
from tests.processes import LEMA, ended

pytestmark = pytest.mark.living
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("served") / "toy")


@pytest.fixture(scope="module")
def url(checkpoint, tmp_path_factory):
    folder = tmp_path_factory.mktemp("others")
    panics = toys.with_tokenizer(checkpoint, folder / "panics", **toys.PANICKING)
    endless = toys.with_tokenizer(checkpoint, folder / "endless")
    (endless / "chat_template.jinja").write_text(ENDLESS)
    with served(str(checkpoint), "wise=teacher", str(panics), str(endless), "--set", "wise.slip=0.5",
                "--set", "toy.batch_size=8", log=folder / "errors") as address:
        yield address


def post(address: str, body: object) -> tuple[int, dict]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def said(prompt: str, **more) -> dict:
    return {"model": "toy", "messages": [{"role": "user", "content": prompt}], "max_tokens": 12, **more}


def texts(reply: tuple[int, dict]) -> list[str]:
    assert reply[0] == 200, reply
    return [choice["message"]["content"] for choice in reply[1]["choices"]]


def test_a_reply_is_what_the_checkpoint_says_in_process(url, checkpoint):
    told = Sampling(temperature=1.0, max_tokens=12, seed=3)
    paths = [Request((Message("user", "Leo has 3"),), told, index) for index in range(5)]
    here = find_model("x", "transformers", {"path": str(checkpoint)}).complete(paths)
    status, reply = post(f"{url}/chat/completions",
                         said("Leo has 3", n=5, temperature=1.0, seed=wire_seed(paths[0])))
    assert status == 200
    assert [(c["message"]["content"], c["finish_reason"]) for c in reply["choices"]] == [
        (one.text, one.finish) for one in here]
    assert reply["usage"]["prompt_tokens"] == 3


def test_choices_of_one_request_are_the_paths_of_consecutive_seeds(url):
    together = texts(post(f"{url}/chat/completions", said("Leo has 3", n=3, temperature=1.0, seed=7)))
    alone = [texts(post(f"{url}/chat/completions", said("Leo has 3", temperature=1.0, seed=seed)))[0]
             for seed in (7, 8, 9)]
    assert together == alone
    assert len(set(together)) > 1


def test_without_a_seed_drawn_text_differs_and_greedy_text_does_not(url):
    drawn = {texts(post(f"{url}/chat/completions", said("Leo has 3", temperature=2.0)))[0] for _ in range(5)}
    greedy = {texts(post(f"{url}/chat/completions", said("Leo has 3", temperature=0)))[0] for _ in range(3)}
    assert len(drawn) > 1
    assert len(greedy) == 1


def test_plain_completions_take_several_prompts_and_stop_where_they_are_told(url):
    prompts = ["Leo has 3", "Sam has 4 and 5"]
    status, reply = post(f"{url}/completions", {"model": "toy", "prompt": prompts, "n": 2, "temperature": 0,
                                                "max_tokens": 12})
    assert status == 200
    written = [choice["text"] for choice in reply["choices"]]
    assert [choice["index"] for choice in reply["choices"]] == [0, 1, 2, 3]
    assert written[0] == written[1] and written[2] == written[3]
    stop = written[0][4:6]
    _, short = post(f"{url}/completions", {"model": "toy", "prompt": prompts[0], "temperature": 0, "stop": stop,
                                           "max_tokens": 12})
    assert short["choices"][0]["text"] == written[0][:written[0].index(stop)]
    assert short["choices"][0]["finish_reason"] == "stop"


def test_many_at_once_get_each_their_own_answer(url):
    asked = [said(f"Leo has {number}", temperature=1.0, seed=number) for number in range(20)]
    alone = [texts(post(f"{url}/chat/completions", body))[0] for body in asked]
    with ThreadPoolExecutor(20) as pool:
        together = list(pool.map(lambda body: texts(post(f"{url}/chat/completions", body))[0], asked * 3))
    assert together == alone * 3


def test_the_teacher_is_served_from_the_text_of_the_prompt_alone(url):
    told = {"model": "wise", "temperature": 0}
    prompt = ("Leo has 15 plums. Sam has twice as many plums as Leo. How many plums does Sam have?\nSolution:\n")
    here = next(find_model("x", "teacher", {"slip": 0.5}).complete([Request((Message("user", prompt),))]))
    assert texts(post(f"{url}/chat/completions", said(prompt, **told) | {"max_tokens": 90})) == [here.text]


@pytest.mark.parametrize(("body", "status", "says"), [
    (b"{", 400, "JSON"),
    (b"[]", 400, "object"),
    (said("x", stream=True), 400, "stream is not served here"),
    (said("x", logprobs=True), 400, "logprobs is not served here"),
    (said("x", n=0), 400, "n: "),
    (said("x", stop=""), 400, "stop: "),
    (said("x", tools=[{}]), 400, "tools is not served here"),
    (said("x", model="nobody"), 404, "there is toy, wise, panics, endless"),
    ({"model": "toy"}, 400, "messages: "),
    (said("Leo has 3." * 40), 400, "room for 1 to 63"),
    ({"model": "toy", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "only text"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_what_cannot_be_served_is_refused_with_a_word_for_it(url, body, status, says):
    code, reply = post(f"{url}/chat/completions", body)
    assert code == status
    assert says in reply["error"]["message"]


def test_the_models_are_listed(url):
    with urllib.request.urlopen(f"{url}/models", timeout=PATIENCE) as reply:
        assert [model["id"] for model in json.load(reply)["data"]] == ["toy", "wise", "panics", "endless"]


@pytest.mark.parametrize(("model", "says"), [("panics", "fails with a panic"), ("endless", "come to an end")])
def test_a_checkpoint_that_fails_at_every_text_is_told_each_time_and_the_others_are_answered(url, model, says):
    for _ in range(2):
        code, reply = post(f"{url}/chat/completions", said("Leo has 3", model=model))
        assert (code, says in reply["error"]["message"]) == (500, True), reply
    assert texts(post(f"{url}/chat/completions", said("Leo has 3")))


@pytest.mark.parametrize(("headers", "status"), [
    ({}, 200), ({"Host": "localhost:1"}, 200), ({"Host": "[::1]"}, 200),
    ({"Origin": "http://localhost:3000"}, 200), ({"Host": "evil.example"}, 403),
    ({"Host": "127.0.0.1.evil.example:8000"}, 403), ({"Host": "127.0.0.1@evil.example"}, 403),
    ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://[broken"}, 403),
])
def test_a_foreign_page_is_refused_by_its_host_and_its_origin(url, headers, status):
    for path, body in (("/models", None), ("/chat/completions", said("Leo has 3"))):
        assert status_of(f"{url}{path}", body, headers) == status


def test_whoever_gives_a_host_serves_all_who_ask_there(checkpoint, tmp_path):
    with served(str(checkpoint), "--host", "127.0.0.1", log=tmp_path / "errors") as address:
        headers = {"Host": "gpu1.example", "Origin": "https://page.example"}
        assert status_of(f"{address}/models", None, headers) == 200


def status_of(address: str, body: dict | None, headers: dict[str, str]) -> int:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=PATIENCE) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize(("arguments", "says"), [
    (["nowhere"], "no such folder"),
    (["teacher", "teacher"], "a second model named 'teacher'"),
    (["teacher", "--set", "techer.slip=1"], "did you mean 'teacher'"),
    (["teacher", "--set", "teacher.slop=1"], "did you mean 'slip'"),
], ids=["nowhere", "twice", "name", "setting"])
def test_what_cannot_be_started_is_one_line(arguments, says):
    from typer.testing import CliRunner

    from lema.cli import app
    from lema.errors import LemaError

    found = CliRunner().invoke(app, ["serve", *arguments])
    assert isinstance(found.exception, LemaError)
    assert says in str(found.exception) and "\n" not in str(found.exception)


def test_a_taken_port_is_one_line_and_exit_code_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = ended([*LEMA, "serve", "teacher", "--port", taken.getsockname()[1]])
    assert done.returncode == 2
    assert "give another port with --port" in done.stderr and done.stderr.count("\n") == 1
