"""Endpoints as strict as the real ones: what they refuse is answered with the setting that mends it."""

import pytest

from lema.errors import ModelError
from lema.records import Sampling
from tests.answering import ask
from tests.models.api.calling import DRAWN, model_at
from tests.personas import OpenAI, Reasoning, Vllm
from tests.server import Server, recorded

REASONS = {"max_tokens_field": "max_completion_tokens", "omit": ["temperature", "top_p", "stop"]}
PLENTY = Sampling(temperature=0.7, max_tokens=4096, stop=("\nQuestion:",), seed=3)


@pytest.mark.parametrize(("persona", "settings", "says"), [
    (Vllm(template=False), {}, r'chat template.*set form = "completions"'),
    (OpenAI(), {"form": "completions"}, r'set form = "chat"'),
    (OpenAI(models=("gpt",)), {}, r"not found \(404\); check model and base_url"),
    (Vllm(models=("base", "adapter")), {}, r"not found \(404\); check model and base_url"),
    (OpenAI(), {"extra": {"top_k": 3}}, r"Unrecognized request argument supplied: top_k.*check model, extra"),
    (Reasoning(), {}, r'set max_tokens_field = "max_completion_tokens"'),
    (Reasoning(), {"max_tokens_field": "max_completion_tokens"}, r'omit = \["temperature"\].*top_p and stop too'),
    (Reasoning(), REASONS | {"omit": ["temperature"]}, r'set omit = \["top_p"\]'),
    (Reasoning(), REASONS | {"omit": ["temperature", "top_p"]}, r'set omit = \["stop"\]')])
def test_a_refused_form_or_field_is_one_line_that_names_the_setting(persona, settings, says):
    with Server(persona=persona) as server, pytest.raises(ModelError, match=says) as error:
        list(model_at(server, **settings).complete([ask("q", sampling=PLENTY)]))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("persona", "settings"), [
    (Vllm(template=False), {"form": "completions", "extra": {"top_k": 3, "no_such_field": 1}}),
    (Vllm(models=("base", "m")), {}), (OpenAI(), {}), (Reasoning(), REASONS), (Reasoning(choices=1), REASONS)])
def test_what_the_settings_mend_is_answered(persona, settings):
    with Server(recorded({"q": ["one", "two", "three"]}), persona=persona) as server:
        answers = list(model_at(server, **settings).complete([ask("q", index, PLENTY) for index in range(3)]))
    assert not any(answer.failed for answer in answers)
    assert {answer.text for answer in answers} <= {"one", "two", "three"}


def test_hidden_reasoning_counts_against_the_limit_and_may_leave_nothing():
    with Server(recorded({"q": "seen at last"}), persona=Reasoning(unseen=1000)) as server:
        model = model_at(server, **REASONS)
        for limit, text, finish, tokens in [(900, "", "length", 900), (1002, "seen at", "length", 1002),
                                            (2000, "seen at last", "stop", 1003)]:
            (answer,) = model.complete([ask("q", sampling=Sampling(max_tokens=limit))])
            assert (answer.text, answer.finish, answer.tokens, answer.reckoned) == (text, finish, tokens, False)


def test_a_prompt_that_does_not_fit_is_a_row_and_sinks_nothing():
    with Server(persona=Vllm(room=60)) as server:
        answers = list(model_at(server).complete([ask("short", 0, DRAWN), ask("long " * 30, 0, DRAWN)]))
    assert answers[0].finish == "stop"
    assert answers[1].finish.startswith("error: 400 This model's maximum context length is 60 tokens")


def test_a_stop_string_that_the_endpoint_is_not_told_cuts_the_text_here():
    with Server(recorded({"q": "mine\nQuestion: another\nSolution:"}), persona=Reasoning(unseen=5)) as server:
        (answer,) = model_at(server, **REASONS).complete([ask("q", sampling=PLENTY)])
    assert answer.text == "mine" and "stop" not in server.seen[0]
