"""What is trained is what is sampled: the same tokens in training, sampling, serving and export, whatever the
template of a checkpoint does."""

import json
from dataclasses import replace

import pytest

from lema.checkpoints import load_tokenizer
from lema.checkpoints.rendering import render
from lema.checkpoints.template_worker import TODAY
from lema.commands.export.base import Base
from lema.commands.serve.wire import Chat, read_body
from lema.messages import Message, Request
from lema.models import _decoding, _vllm_server, transformers, vllm
from lema.training.sft import Settings, Trainer, encode_rows
from tests import toys

TEMPLATES = {
    "none": None,
    "chatml": toys.CHATML,
    "llama": ("{{ bos_token }}{% for m in messages %}<|start|>{{ m.role }}<|end|>\n\n{{ m.content | trim }}<|eot|>"
              "{% endfor %}{% if add_generation_prompt %}<|start|>assistant<|end|>\n\n{% endif %}"),
    "system prompt": ("{% if messages[0].role != 'system' %}<|im_start|>system\nYou are good at sums.<|im_end|>\n"
                      "{% endif %}" + toys.CHATML),
    "line end": "{% for m in messages %}{{ m.content }}\n{% endfor %}\n\n",
}
PROMPTS = ("Leo has 15 pens.\nSolution:\n", "Leo has 15 pens. ", "Question: Leo's 15 <|im_end|> pens?\n\n")
forms = pytest.mark.parametrize("form", ["chat", "completions"])


@pytest.fixture(scope="module", params=TEMPLATES)
def checkpoint(request, tmp_path_factory):
    """A tiny model whose tokenizer puts a start token before plain texts."""
    return toys.chatty(tmp_path_factory.mktemp("rendered") / "model", TEMPLATES[request.param])


def rows():
    return [replace(row, prompt=prompt, prefix=prefix, completion=completion, id="")
            for row, prompt in zip(toys.sums(3), PROMPTS, strict=True)
            for prefix, completion in (("", "The sum is 3."), ("Step 1: Leo.\n", "\nStep 2: 15."), (" A", "b"))]


def prompts_trained(checkpoint, form):
    """What stands before a row's own text, as the trainer has it, by the row's prompt."""
    return {row.prompt: list(tokens.prompt) for row, tokens in
            zip(rows(), encode_rows(rows(), checkpoint, 4096, form), strict=True) if not row.prefix}


def requests():
    return [Request((Message("user", prompt),)) for prompt in PROMPTS]


def prompts_sampled(model, asked, monkeypatch):
    """What the model really gets, by the prompt."""
    seen = []

    def decode(weights, tokenizer, rows, stops):
        for row in rows:
            seen.append(row.prompt)
            row.finish = "stop"

    monkeypatch.setattr(_decoding, "decode", decode)
    list(model.complete(asked))
    return dict(zip(PROMPTS, seen, strict=True))


@forms
def test_sampling_asks_in_the_tokens_of_training(checkpoint, form, monkeypatch):
    model = transformers.Model(transformers.Settings(path=str(checkpoint), form=form))
    assert prompts_sampled(model, requests(), monkeypatch) == prompts_trained(checkpoint, form)


@forms
def test_vllm_is_asked_in_the_tokens_of_training_in_process_and_over_http(checkpoint, form, monkeypatch):
    model, tokenizer = vllm.Model(vllm.Settings(path=str(checkpoint), form=form)), load_tokenizer(checkpoint)
    server = _vllm_server.StartedServer("http://127.0.0.1:1/v1", lambda: None, lambda: None)
    monkeypatch.setattr(_vllm_server, "start", lambda *arguments: server)
    special = model._served.settings.extra["add_special_tokens"]
    for request in requests():
        trained = prompts_trained(checkpoint, form)[request.messages[0].content]
        assert model._prompt(request)[1] == trained
        (text,) = model._as_text(request).messages
        assert tokenizer(text.content, add_special_tokens=special)["input_ids"] == trained


@forms
def test_what_a_fit_leaves_is_served_in_the_tokens_that_it_was_trained_on(checkpoint, form, tmp_path, monkeypatch):
    settings = Settings(method="full", batch_size=8, max_length=200, save_steps=0)
    Trainer(settings).fit(rows(), checkpoint, tmp_path / "out", 0, form=form)
    bodies = [json.dumps({"messages": [{"role": "user", "content": prompt}]}).encode() for prompt in PROMPTS]
    asked = [request for body in bodies for request in read_body(Chat, body).requests()]
    served = transformers.Model(transformers.Settings(path=str(tmp_path / "out")))
    assert prompts_sampled(served, asked, monkeypatch) == prompts_trained(checkpoint, form)


@forms
def test_exported_rows_have_the_tokens_of_training(checkpoint, form):
    tokenizer = load_tokenizer(checkpoint)
    base = Base(str(checkpoint), tokenizer, "<s>", 4096, form)
    for row, tokens in zip(rows(), encode_rows(rows(), checkpoint, 4096, form), strict=True):
        marked = base.marked(row.prompt, row.prefix, row.completion)
        before = tokenizer(marked["start"] + marked["prompt"], add_special_tokens=False)["input_ids"]
        assert before == list(tokens.prompt)


@forms
def test_a_prefix_of_the_models_own_follows_the_prompt_that_it_is_asked(checkpoint, form):
    asked = prompts_trained(checkpoint, form)
    for row, tokens in zip(rows(), encode_rows(rows(), checkpoint, 4096, form), strict=True):
        text = load_tokenizer(checkpoint).decode(tokens.prompt)
        assert text.startswith(load_tokenizer(checkpoint).decode(asked[row.prompt])) and text.endswith(row.prefix)


def test_a_template_is_rendered_as_transformers_renders_it(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    if not tokenizer.chat_template:
        return
    for roles in (("user",), ("system", "user"), ("user", "assistant", "user")):
        messages = [Message(role, f"{role} says: \"Leo's\" <b>15</b>\n") for role in roles]
        chat = [{"role": message.role, "content": message.content} for message in messages]
        theirs = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        assert render(tokenizer, messages).text == theirs


@pytest.mark.parametrize("template", [
    "{% generation %}{{ messages[0].content }}{% endgeneration %}{{ eos_token }}",
    "{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{{ m | tojson }}{% endfor %}",
    "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
    "{{ dict(a=1).items() | list }}{{ tools is none }}{{ documents is none }}{{ custom is defined }}",
    "{%- if messages[0]['role'] == 'system' -%}\n  {{- messages[0]['content'] -}}\n{%- endif %}\n  end",
])
def test_what_templates_use_is_there_as_transformers_has_it(template, tmp_path):
    tokenizer = load_tokenizer(toys.chatty(tmp_path / "model", template))
    messages = [Message("system", "Add."), Message("user", "Leo's é")]
    chat = [{"role": message.role, "content": message.content} for message in messages]
    theirs = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert render(tokenizer, messages).text == theirs


def test_a_template_that_names_the_day_gives_the_same_prompt_on_every_day(tmp_path):
    dated = toys.chatty(tmp_path / "model", "{{ strftime_now('%d %b %Y') }}: " + toys.CHATML)
    text = render(load_tokenizer(dated), [Message("user", "Leo")]).text
    assert text.startswith(TODAY.strftime("%d %b %Y: "))
