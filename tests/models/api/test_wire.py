"""Bodies and replies: what is sent is what the request says, and a reply is read for what it says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.errors import ConfigError, ModelError
from lema.messages import Completion, Message, Request, wire_seed
from lema.models.api import Model, Settings, body_of, outgoing, read_reply
from lema.models.api.faults import Filtered, Passing, Refused, UsedUp, fault_of
from lema.models.api.retrying import follows
from lema.models.api.transport import decoded
from lema.models.api.wire import read_choices, split
from lema.plugins import settings_of
from lema.plugins.keys import Mask
from lema.records import Sampling
from tests.answering import ask
from tests.models.api.calling import DRAWN, model_at
from tests.server import Fault, last_message, recorded

SENT = outgoing(Settings(model="m"), ask("question", sampling=Sampling(max_tokens=9)))


def test_what_is_sent_is_what_the_request_says():
    drawn = Sampling(temperature=0.7, top_p=0.9, max_tokens=50, stop=("\n\n",), seed=3)
    request = Request((Message("system", "s"), Message("user", "u")), drawn, 2)
    body = body_of(Settings(model="m", extra={"top_k": 5}, max_tokens_field="max_completion_tokens"), request)
    seed = body.pop("seed")
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert body == {"model": "m", "messages": messages, "temperature": 0.7, "top_p": 0.9,
                    "max_completion_tokens": 50, "stop": ["\n\n"], "top_k": 5}
    assert seed == wire_seed(request)
    plain = body_of(Settings(model="m", form="completions"), Request(request.messages))
    assert plain == {"model": "m", "prompt": "s\n\nu", "temperature": 0, "top_p": 1, "max_tokens": 1024}
    bare = body_of(Settings(model="m", omit=("temperature", "top_p", "max_tokens", "seed", "stop")), request)
    assert bare == {"model": "m", "messages": messages}


def test_each_path_draws_from_its_own_seed():
    seeds = [body_of(Settings(model="m"), ask("q", index, Sampling(temperature=1, seed=seed)))["seed"]
             for seed in range(20) for index in range(20)]
    assert len(set(seeds)) == 400


def test_choices_asked_together_start_from_the_seed_of_the_first():
    alone = [body_of(Settings(model="m"), ask("q", index, DRAWN))["seed"] for index in range(4)]
    together = body_of(Settings(model="m"), ask("q", 1, DRAWN), n=3)
    assert together["n"] == 3 and [together["seed"] + i for i in range(3)] == alone[1:]


def test_a_schema_is_sent_in_the_form_that_endpoints_know(tmp_path):
    schema = {"type": "object", "properties": {"answer": {"type": "number"}}}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    from_file = Settings(model="m", json_schema=str(tmp_path / "schema.json"))
    inline = Settings(model="m", json_schema=schema)
    wanted = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema, "strict": True}}
    for settings in (from_file, inline):
        assert body_of(settings, ask("q"))["response_format"] == wanted
    assert Model(from_file).identity() == Model(inline).identity() != Model(Settings(model="m")).identity()
    assert "response_format" not in body_of(Settings(model="m"), ask("q"))
    assert body_of(Settings(model="m", json_schema={}), ask("q"))["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("text", [None, "{", "[1]"])
def test_a_schema_that_is_none_is_one_clear_line(tmp_path, text):
    path = tmp_path / "schema.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError, match=r"schema\.json: .*JSON schema"):
        Model(Settings(model="m", json_schema=path)).identity()


def test_a_reply_that_follows_a_schema_is_asked_for_over_the_wire(server):
    server.begin(answer=recorded({"q": '{"answer": 4}'}))
    (answer,) = model_at(server, json_schema={"type": "object"}).complete([ask("q")])
    assert answer.text == '{"answer": 4}' and server.seen[0]["response_format"]["type"] == "json_schema"


def test_plain_completions_are_asked_at_their_own_address(server):
    server.begin(answer=recorded({"2 + 2 =": "4"}))
    answers = list(model_at(server, form="completions").complete([ask("2 + 2 =")]))
    assert answers[0].text == "4" and "messages" not in server.seen[0]


def test_text_that_is_no_unicode_is_sent_and_kept(server):
    server.begin(fault=lambda *_: Fault(body='{"choices": [{"finish_reason": "stop", "text": "\\ud800"}]}'))
    answer = next(model_at(server).complete([ask("\udfff")]))
    assert (answer.text, answer.finish) == ("\ud800", "stop")
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
    assert read_reply(reply, SENT) == expected


@pytest.mark.parametrize("reply", [None, [], "x", {"choices": None}, {"choices": [], "usage": []}])
def test_a_reply_of_another_shape_is_a_failure(reply):
    assert read_reply(reply, SENT).failed


def test_several_choices_share_what_was_paid():
    choices = [{"index": i, "finish_reason": "stop", "text": "x" * length}
               for i, length in [(2, 30), (0, 10), (1, 5)]]
    reply = {"choices": choices, "usage": {"prompt_tokens": 7, "completion_tokens": 100}}
    many = ask("question", sampling=Sampling(max_tokens=1000))
    first, second, third = read_choices(reply, outgoing(Settings(model="m"), many, 3))
    assert [len(c.text) for c in (first, second, third)] == [10, 5, 30]  # by their index, not as they came
    assert (first.prompt_tokens, second.prompt_tokens, third.prompt_tokens) == (7, 0, 0)
    assert [c.tokens for c in (first, second, third)] == [22, 11, 67]
    assert len(read_choices(reply, outgoing(Settings(model="m"), many, 2))) == 2


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**4), min_size=1, max_size=20))
def test_shares_are_whole_and_sum_up(total, weights):
    parts = split(total, weights)
    assert sum(parts) == total and min(parts) >= 0 and len(parts) == len(weights)


@pytest.mark.parametrize(("status", "headers", "body", "kind"), [
    (429, {}, {}, "busy"), (529, {}, {}, "busy"), (503, {"retry-after": "3"}, {}, "busy"),
    (503, {}, {}, "broken"), (500, {}, {}, "broken"), (408, {}, {}, "broken"), (409, {}, {}, "broken"),
    (400, {}, {"error": {"message": "m"}}, Refused), (413, {}, {}, Refused), (301, {}, {}, Refused),
    (400, {}, {"error": {"message": "m", "code": "content_filter"}}, Filtered), (402, {}, {}, UsedUp),
    (429, {}, {"error": {"message": "m", "code": "insufficient_quota"}}, UsedUp)])
def test_errors_fall_into_classes(status, headers, body, kind):
    fault = fault_of(status, headers, body)
    assert isinstance(fault, Passing if isinstance(kind, str) else kind)
    assert not isinstance(kind, str) or fault.kind == kind


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"retry-after": "3"}, 3), ({"retry-after": "2.5"}, 2.5), ({"retry-after-ms": "500", "retry-after": "9"}, 0.5),
    ({"retry-after": "-1"}, 0), ({"retry-after": "soon"}, None), ({}, None)])
def test_a_pause_that_is_asked_for_is_read(headers, seconds):
    assert fault_of(429, headers, None).wait == seconds


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'"x"', b'{"error": null}', b"\xff",
                                  b'{"error": {"message": null}}'])
def test_an_error_answer_of_any_shape_is_one_short_line(body):
    said = str(fault_of(400, {}, decoded(body, Mask(""))))
    assert said.startswith("400") and "\n" not in said


@pytest.mark.parametrize(("table", "key"), [
    ({"base_url": "localhost:8000"}, "base_url"), ({"base_url": "ftp://x/v1"}, "base_url"),
    ({"base_url": "https://me:secret@host/v1"}, "base_url"),
    ({"base_url": ["http://a/v1", "http://h/v1?key=secret"]}, "base_url"),
    ({"base_url": []}, "base_url"), ({"api_key_env": "sk-secret"}, "api_key_env"),
    ({"extra": {"api_key": "secret"}}, "extra"), ({"extra": {"x": "sk-secret"}}, "extra"), ({"n": 0}, "n"),
    ({"extra": {"stream": True}}, "extra"), ({"omit": ["model"]}, "omit")])
def test_a_setting_that_is_none_or_holds_a_secret_is_refused(table, key):
    with pytest.raises(ConfigError, match=rf"models\.x\.{key}") as error:
        settings_of(Settings, {"model": "m", **table}, "models.x")
    assert "secret" not in str(error.value)


def test_where_and_how_fast_is_no_part_of_what_comes_out():
    here = Settings(model="m", base_url=["http://a/v1", "http://b/v1"], concurrency=3, timeout=1, retries=0, n=2,
                    api_key_env="A", max_tokens_field="max_completion_tokens", requests_per_minute=5,
                    tokens_per_minute=5, patience=1)
    assert here.facts() == Settings(model="m").facts()
    assert Model(here).identity() == Model(Settings(model="m")).identity()
    other = [Settings(model="n"), Settings(model="m", form="completions"), Settings(model="m", extra={"top_k": 5}),
             Settings(model="m", omit=("seed",)), Settings(model="m", json_schema={})]
    assert len({json.dumps(Model(each).identity()) for each in [here, *other]}) == 6


def test_a_prefix_stands_behind_a_plain_prompt_and_is_the_assistants_last_message_in_a_chat():
    request = Request((Message("user", "u"),), DRAWN, prefix="Step 1: 2 + 2 = 4.\n")
    assert body_of(Settings(model="m", form="completions"), request)["prompt"] == "uStep 1: 2 + 2 = 4.\n"
    messages = [{"role": "user", "content": "u"}, {"role": "assistant", "content": "Step 1: 2 + 2 = 4.\n"}]
    plain = body_of(Settings(model="m", prefill="plain"), request)
    vllm = body_of(Settings(model="m", prefill="vllm"), request)
    assert plain["messages"] == vllm["messages"] == messages
    assert (vllm["continue_final_message"], vllm["add_generation_prompt"]) == (True, False)
    assert not {"continue_final_message", "add_generation_prompt"} & plain.keys()
    without = Request(request.messages, DRAWN)
    assert body_of(Settings(model="m", prefill="vllm"), without) == body_of(Settings(model="m"), without)


def test_a_chat_endpoint_of_which_nothing_is_said_is_sent_no_prefix():
    with pytest.raises(ModelError, match=r"m: a chat endpoint begins .* prefill = \"vllm\""):
        body_of(Settings(model="m"), Request((Message("user", "u"),), prefix="Step 1:"))


def test_paths_of_one_prompt_and_two_prefixes_are_never_choices_of_one_request():
    first = Request((Message("user", "u"),), DRAWN, 0, prefix="a")
    assert follows(first, Request(first.messages, DRAWN, 1, prefix="a"))
    assert not follows(first, Request(first.messages, DRAWN, 1, prefix="b"))
