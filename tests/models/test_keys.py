"""A key goes to its endpoint and nowhere else: masked whole in all that comes back, refused in a config, and never
passed on to another host."""

import html
import json
import os
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from lema.config import parse_config
from lema.errors import ConfigError, ModelError
from lema.journal import Journal, complete
from lema.models import find_model
from lema.models.api import Settings
from lema.plugins import settings_of
from lema.plugins.keys import HIDDEN, Mask, names_a_key
from tests.answering import ask
from tests.batch_server import BatchServer, Fate
from tests.models.api.calling import model_at
from tests.paying import lay_out, lema
from tests.personas import OpenAI, Vllm
from tests.server import Fault, Server

KEY = "sk-live/aB3+dE6/fH9=jK2LmN5"
WAYS = [KEY, KEY.replace("/", "\\/"), KEY.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")]
FAR = "x" * 190  # behind it the key lies across the 200 characters that a reason may have


@pytest.fixture
def key(monkeypatch) -> str:
    monkeypatch.setenv("MY_KEY", KEY)
    return KEY


def parts_of_the_key(folder: Path, *texts: str) -> list[str]:
    """Where any eight characters of the key in a row are to be found, in whichever way it may be written."""
    pieces = {way[at:at + 8] for way in WAYS for at in range(len(way) - 7)}
    told = [(f"output {number}", text) for number, text in enumerate(texts)]
    files = filter(Path.is_file, folder.rglob("*"))
    told += [(str(path), path.read_bytes().decode("utf-8", "replace")) for path in files]
    return [f"{name}: {piece}" for name, text in told for piece in pieces if piece in text]


def reply(choice: dict) -> Fault:
    """A reply of one choice, with / written as \\/."""
    usage = {"prompt_tokens": 9, "completion_tokens": 9}
    return Fault(body=json.dumps({"choices": [{"index": 0} | choice], "usage": usage}).replace("/", "\\/"))


def error(status: int, error: object) -> Fault:
    return Fault(status=status, body=json.dumps({"error": error}).replace("/", "\\/"))


@pytest.mark.parametrize("fault", [
    reply({"finish_reason": "stop", "message": {"content": f"my key is {KEY}, really"}}),
    reply({"finish_reason": "stop", "message": {"content": json.dumps({"key": KEY}).replace("/", "\\/")}}),
    reply({"finish_reason": FAR + KEY, "message": {"content": "?"}}),
    reply({"finish_reason": "stop", "message": {"refusal": KEY}}),
    error(400, {"message": f"{FAR} {KEY}"}), error(400, {"detail": [{KEY: KEY}]}), error(400, f"{KEY} {FAR}"),
    error(422, {"code": KEY, "type": KEY, KEY: 1}), error(200, {"message": KEY, "code": 400}),
    error(429, {"message": KEY}), error(500, {"message": FAR + KEY}),
    Fault(status=400, body=f'{{"message": "{KEY}"}}'.replace("/", "\\u002f"))], ids=range(12))
def test_a_key_that_an_endpoint_echoes_is_masked_whole_everywhere(tmp_path, key, fault):
    with Server(fault=lambda number, body: fault, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=2)
        done = lema(tmp_path, "run", "x.toml", "--set", "models.student.api_key_env=MY_KEY", "--set",
                    "models.student.retries=0", "--set", "models.student.patience=0.1")
        assert server.keys[0] == f"Bearer {KEY}"
    assert not parts_of_the_key(tmp_path, done.stdout, done.stderr)


@pytest.mark.parametrize("how", ["text", "refused", "batch", "call"])
def test_a_key_that_a_batch_echoes_is_masked_whole_everywhere(tmp_path, key, how):
    class Echoing(BatchServer):
        """Says the key in every place that is read."""

        def _answered(self, body):
            said = f"{FAR} {KEY}"
            if how == "refused":
                return 400, {"error": {"message": said}}
            status, answer = super()._answered(body)
            answer["choices"][0]["message"]["content"] = said
            return status, answer

        def _done(self, method, path, *rest):
            if how == "call" and path == "batches":
                return self._refused()
            return super()._done(method, path, *rest)

        def _refused(self):
            from starlette.responses import JSONResponse
            return JSONResponse({"error": {"message": f"{FAR} {KEY}", "code": KEY}}, 400)

    fate = Fate(status="failed", errors=((KEY, f"{FAR} {KEY}"),)) if how == "batch" else Fate()
    with Echoing(fate=lambda number, rows: fate, escaped=True, persona=OpenAI()) as server:
        lay_out(tmp_path, server.url, backend="batch", questions=2)
        done = lema(tmp_path, "run", "x.toml", *(
            option for model in ("student", "corrector") for option in (
                "--set", f"models.{model}.api_key_env=MY_KEY", "--set", f"models.{model}.poll=0.01")))
        assert set(server.keys) == {f"Bearer {KEY}"}
    assert not parts_of_the_key(tmp_path, done.stdout, done.stderr)
    assert how == "text" or done.returncode == 2 or "refused" in how


def test_a_mask_hides_a_key_however_deep_it_was_written_into_other_text():
    key = "sk-a/b+c=d&e'f\"g<h.é0123"
    mask, deep = Mask(key), key
    for _ in range(4):
        deep = json.dumps(deep).replace("/", "\\/")
        assert mask.text(f"<{deep}>").count(HIDDEN) == 1 and "0123" not in mask.text(deep)
    for way in (quote(key, safe=""), quote(key, safe="").lower(), quote(quote(key, safe="")), html.escape(key),
                html.escape(html.escape(key)), key.replace("/", "&#x2F;").replace("+", "&#43;"),
                re.sub("[^A-Za-z0-9]", lambda letter: f"\\u{ord(letter[0]):04X}", key)):
        assert mask.text(f"<{way}>") == f"<{HIDDEN}>", way


def test_a_mask_hides_every_way_of_writing_a_key_and_no_ordinary_word():
    mask = Mask(KEY)
    assert all(mask.text(f"<{way}>") == f"<{HIDDEN}>" for way in WAYS)
    deep = [json.loads('{"a": [{"b": ' * 200 + json.dumps(KEY) + "}]}" * 200)]
    assert KEY not in json.dumps(mask.everything(deep))
    assert mask.everything({KEY: [KEY, 3, None]}) == {HIDDEN: [HIDDEN, 3, None]}
    for short in ("", "none", "EMPTY", "x"):
        assert Mask(short).text("none of the EMPTY boxes") == "none of the EMPTY boxes"


@pytest.mark.parametrize(("table", "place"), [
    ({"extra": {"headers": {"Authorization": "abc"}}}, "extra: headers"),
    ({"extra": {"extra_headers": {"X-Team": "a"}}}, "extra: extra_headers"),
    ({"extra": {"deep": [{"Authorization": "abc"}]}}, "extra: Authorization"),
    ({"extra": {"openai_api_key": "abc"}}, "extra: openai_api_key"),
    ({"extra": {"openaiApiKey": "abc"}}, "extra: openaiApiKey"),
    ({"extra": {"api-key": 12345678}}, "extra: api-key"),
    ({"extra": {"providers": [{"name": "x", "accessToken": "abc"}]}}, "extra: accessToken"),
    ({"extra": {"stop_words": ["a", "sk-abc"]}}, "extra: stop_words"),
    ({"extra": {"user": "mine: " + KEY}}, "extra.user holds the value of the environment variable MY_KEY"),
    ({"extra": {KEY: 1}}, "extra: a name in it looks like a key"),
    ({"json_schema": {"enum": [f"as {KEY}"]}}, "json_schema.enum holds the value"),
    ({"model": f"m-{KEY}"}, "model holds the value"),
    ({"base_url": f"https://host/{KEY}/v1"}, "base_url holds the value"),
    ({"base_url": "https://host/v1#abc"}, "base_url"), ({"base_url": "https://host/v1?k=abc"}, "base_url"),
    ({"base_url": "https://abc@host/v1"}, "base_url"),
    ({"base_url": ["https://a/v1", "https://:abc@host/v1"]}, "base_url")])
def test_a_key_in_a_models_table_is_refused_in_one_line_that_does_not_repeat_it(key, table, place):
    with pytest.raises(ConfigError, match=r"models\.x") as error:
        settings_of(Settings, {"model": "m", "api_key_env": "MY_KEY", **table}, "models.x")
    message = str(error.value)
    assert place in message and "\n" not in message and "abc" not in message and "sk-live" not in message


@pytest.mark.parametrize("extra", [
    {"max_completion_tokens": 9, "stop_token_ids": [1], "skip_special_tokens": False, "prompt_cache_key": "run-7"},
    {"guided_json": {"properties": {"password": {"type": "string"}, "token": {"type": "string"}}}},
    {"chat_template_kwargs": {"enable_thinking": False}, "reasoning": {"max_tokens": 9}, "min_tokens": 3}])
def test_fields_that_only_sound_like_keys_are_taken(extra):
    assert settings_of(Settings, {"model": "m", "extra": extra}, "models.x").extra == extra


def test_the_value_of_a_keys_variable_is_refused_anywhere_in_a_config(key, tmp_path):
    table = {"name": "x", "task": {"name": "lab"}, "sample": {"models": ["m"]},
             "models": {"m": {"backend": "api", "model": "m", "api_key_env": "MY_KEY"}}}
    parse_config(table, "x.toml")
    for wrong in ({"report": {"baseline": f"a {KEY}"}}, {"arms": {"a": {"about": f"with {KEY}"}}},
                  {"task": {f"x {KEY}": "lab"}}, {"task": {"name": "lab", "train": f"/data/{KEY}/q.jsonl"}}):
        with pytest.raises(ConfigError, match=r"x\.toml: .* the environment variable MY_KEY") as error:
            parse_config(table | wrong, "x.toml")
        assert "sk-live" not in str(error.value)


def test_an_override_that_cannot_be_read_is_not_repeated(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1")
    for override in (f"models.student.api_key_env {KEY}", f"name.api_key={KEY}",
                     f"models.student.extra.api_key={KEY}", "sk-live", f" ={KEY}"):
        done = lema(tmp_path, "plan", "x.toml", "--set", override)
        assert done.returncode == 2 and "sk-live" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("name", "is_one"), [
    ("api_key", True), ("OPENAI_API_KEY", True), ("x-api-key", True), ("Authorization", True),
    ("clientSecret", True),
    ("Proxy-Authorization", True), ("token", True), ("max_tokens", False), ("cache_key", False), ("monkey", False),
    ("tokens", False), ("prompt_cache_key", False), ("header", True), ("keys_per_minute", False)])
def test_names_of_keys_are_known(name, is_one):
    assert names_a_key(name) is is_one


def test_no_prompt_and_no_key_follows_a_redirect(tmp_path, key):
    with Server(persona=Vllm()) as other, Server(persona=Vllm()) as server:
        elsewhere = Fault(status=307, headers=(("Location", f"{other.url}/chat/completions"),))
        server.fault = lambda number, body: elsewhere
        with pytest.raises(ModelError, match=r"moved elsewhere \(307.*base_url"):
            list(model_at(server, api_key_env="MY_KEY").complete([ask("q")]))
    assert not other.seen
    with BatchServer(persona=OpenAI()) as other:
        for moved in ("files", "batches"):
            with (BatchServer(moved=lambda method, path, moved=moved: other.url if path == moved else "",
                              persona=OpenAI()) as server, Journal(tmp_path / f"{moved}.sqlite") as journal):
                model = find_model("x", "batch", {"model": "m", "base_url": server.url, "poll": 0.01,
                                                  "api_key_env": "MY_KEY"})
                with pytest.raises(ModelError, match=r"moved elsewhere \(307.*base_url"):
                    list(complete(journal, model, [ask("q")]))
        assert not other.calls


def test_a_file_of_answers_may_lie_elsewhere_and_is_fetched_without_the_key(tmp_path, key):
    with BatchServer(persona=OpenAI()) as other:
        def moved(method: str, path: str) -> str:
            return other.url if path.endswith("/content") else ""

        with BatchServer(moved=moved, persona=OpenAI()) as server, Journal(tmp_path / "j") as journal:
            other.batches = server.batches
            model = find_model("x", "batch", {"model": "m", "base_url": server.url, "poll": 0.01,
                                              "api_key_env": "MY_KEY"})
            (answer,) = complete(journal, model, [ask("q")])
    assert answer.text.startswith("q |") and other.keys == [""] and os.environ["MY_KEY"] == KEY


@pytest.mark.parametrize("location", ["mailto:x@y", "http://[::1", "http://a b/", "//", "http://\\udcff/", "ftp://h/x"])
def test_a_file_of_answers_that_lies_at_no_address_is_one_line(tmp_path, key, location):
    class Pointing(BatchServer):
        async def _call(self, request):
            from starlette.responses import Response
            if request.url.path.endswith("/content"):
                return Response(status_code=302, headers={"Location": location})
            return await super()._call(request)

    with Pointing(persona=OpenAI()) as server, Journal(tmp_path / "j") as journal:
        model = find_model("x", "batch", {"model": "m", "base_url": server.url, "poll": 0.01, "retries": 0,
                                          "api_key_env": "MY_KEY"})
        with pytest.raises(ModelError) as error:
            list(complete(journal, model, [ask("q")]))
    assert "\n" not in str(error.value)
