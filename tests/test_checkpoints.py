"""What is a checkpoint, what names it, and how text becomes tokens."""

import contextlib
import json
import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lema.checkpoints import (
    content_hash,
    find_checkpoint,
    hushed,
    load_tokenizer,
    positions,
    weights_hash,
)
from lema.checkpoints.rendering import Rendered, encode, render
from lema.checkpoints.templates import Renderer
from lema.errors import ModelError
from lema.messages import Message, Request
from lema.models.transformers import Model, Settings
from lema.records import Example, Sampling
from lema.training.loop import load_model
from lema.training.memory import shapes_of
from lema.training.sft import Settings as TrainingSettings
from tests import toys
from tests.patience import in_a_moment

TEMPLATE = ("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
            "{% if add_generation_prompt %}<assistant>{% endif %}")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("checkpoint") / "model")


def example(prompt, completion, prefix=""):
    return Example(kind="cot", source="worked", question="q", prompt=prompt, completion=completion, prefix=prefix)


def test_the_same_contents_have_the_same_name_wherever_they_lie(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "copy")
    assert content_hash(tmp_path / "copy") == content_hash(checkpoint)
    assert weights_hash(tmp_path / "copy") == weights_hash(checkpoint)
    config = json.loads((tmp_path / "copy" / "config.json").read_text())
    (tmp_path / "copy" / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.1}))
    assert content_hash(tmp_path / "copy") != content_hash(checkpoint)
    assert weights_hash(tmp_path / "copy") == weights_hash(checkpoint)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer*"])
def test_a_folder_without_one_of_its_parts_is_no_checkpoint(checkpoint, tmp_path, missing):
    folder = tmp_path / "model"
    shutil.copytree(checkpoint, folder)
    for file in list(folder.glob(missing)):
        file.unlink()
    with pytest.raises(ModelError, match="not a checkpoint") as caught:
        find_checkpoint(str(folder))
    assert "\n" not in str(caught.value)


def test_a_missing_folder_and_a_damaged_config_are_named(checkpoint, tmp_path):
    with pytest.raises(ModelError, match=f"{tmp_path}/gone: no such folder"):
        find_checkpoint(str(tmp_path / "gone"))
    shutil.copytree(checkpoint, tmp_path / "model")
    (tmp_path / "model" / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        find_checkpoint(str(tmp_path / "model"))


@pytest.mark.parametrize("read", [load_tokenizer, positions])
def test_a_missing_transformers_is_one_line_whatever_is_read_first(checkpoint, monkeypatch, read):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ModelError, match=r"needs transformers: pip install .*train"):
        read(checkpoint)


def test_a_tokenizer_without_an_end_token_is_refused(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "model")
    settings = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text())
    del settings["eos_token"]
    (tmp_path / "model" / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match="no eos_token"):
        load_tokenizer(tmp_path / "model")


def test_the_completion_carries_its_end_token_and_the_prefix_counts_as_prompt(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    tokens = encode(tokenizer, example("Leo has 3.\n", " 7.", prefix="The sum is"))
    assert tokenizer.convert_ids_to_tokens(tokens.prompt) == [
        "Leo", " has", " 3", ".", "\n", "The", " sum", " is"]
    assert tokenizer.convert_ids_to_tokens(tokens.completion) == [" 7", ".", "<eos>"]


def test_a_prompt_keeps_the_tokens_it_is_sampled_with_where_the_joint_text_would_melt_them(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    melting = example("Leo has 1", "2.")  # " 12" would be one token
    tokens = encode(tokenizer, melting)
    assert tokens.prompt == render(tokenizer, [Message("user", "Leo has 1")]).ids(tokenizer)
    assert tokenizer.convert_ids_to_tokens(tokens.prompt)[-1] == " 1"


def test_a_chat_template_renders_training_and_sampling_alike(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text(TEMPLATE)
    tokenizer = load_tokenizer(tmp_path / "model")
    asked = render(tokenizer, [Message("user", "Leo")])
    assert asked == Rendered("<user>Leo<assistant>", special=False)
    assert encode(tokenizer, example("Leo", " Sam")).prompt == asked.ids(tokenizer)
    (tmp_path / "model" / "chat_template.jinja").write_text("{{ raise_exception('no system role') }}")
    with pytest.raises(ModelError, match="no system role"):
        render(load_tokenizer(tmp_path / "model"), [Message("system", "Leo")])


def test_without_a_template_the_contents_stand_one_after_the_other(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    assert render(tokenizer, [Message("system", "Leo"), Message("user", "Sam")]).text == "Leo\n\nSam"


def test_an_example_with_other_text_has_another_encoding(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    one = toys.sums(1)[0]
    assert encode(tokenizer, one) != encode(tokenizer, replace(one, completion="The sum is 19."))


def test_hints_about_optional_packages_are_not_printed_while_peft_is_imported(caplog):
    bitsandbytes = logging.getLogger("bitsandbytes.backends.cpu.ops")
    with hushed():
        bitsandbytes.warning("install another package")
    assert not caplog.records
    bitsandbytes.warning("heard again")
    assert len(caplog.records) == 1


@pytest.mark.parametrize("template", [None, TEMPLATE])
def test_a_prefix_is_sampled_from_in_the_tokens_that_a_row_with_it_is_trained_on(checkpoint, tmp_path, template):
    folder = shutil.copytree(checkpoint, tmp_path / "model")
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = template
    for prefix in ("", "The sum is 3.\n", "The sum", "The sum is 3.\nThe sum is"):
        row = example("Leo has 1 and 2.\n", "Leo has 3.", prefix)
        ids = render(tokenizer, [Message("user", row.prompt)], "chat").ids(tokenizer, prefix)
        assert ids == list(encode(tokenizer, row).prompt)


@pytest.mark.parametrize(("template", "why"), [
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "does not come to an end"),
    ("{% if 'Leo' in messages[0].content %}{{ 9 ** (9 ** 9) }}{% endif %}", "does not come to an end"),
    ("{% set n = namespace(s='xxxx') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}", "memory"),
    ("{% for i in range(30000) %}{{ 'x' * 999 }}{% endfor %}", "without end"),
    ("{% for m in", "unexpected 'end of template'"),
    ("{{ messages[0].content.no.such }}", "has no attribute"),
    ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ("{% set ns = namespace(__init__=1) %}", "begins with _"),
    ("{{ messages.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
])
def test_a_hostile_template_is_one_line_and_the_next_is_rendered(template, why, checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text(template)
    tokenizer = load_tokenizer(tmp_path / "model")
    for _ in range(2):
        with in_a_moment("a template without an end"), pytest.raises(ModelError, match=why) as caught:
            render(tokenizer, [Message("user", "Leo")])
        assert "\n" not in str(caught.value)
    tokenizer.chat_template = TEMPLATE
    assert render(tokenizer, [Message("user", "Leo")]).text == "<user>Leo<assistant>"


def test_a_template_sees_no_key_of_ours(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    renderer = Renderer()
    assert renderer.render("{{ 1 }}", [], {}) == "1"
    environment = Path(f"/proc/{renderer._process.pid}/environ").read_bytes()
    renderer.stop()
    assert b"PYTHONPATH" in environment and b"sk-secret" not in environment


@pytest.mark.parametrize("change", [
    {"_attn_implementation": "evil/kernel"}, {"attn_implementation": "evil/kernel@main:f"},
    {"_attn_implementation": "sdpa|evil/kernel"}, {"text_config": {"_attn_implementation": ["evil/kernel"]}},
    {"_experts_implementation": {"": "evil/kernel"}}])
def test_a_kernel_that_a_config_would_fetch_from_a_hub_is_refused(checkpoint, tmp_path, change):
    """transformers runs what lies there, without asking, where the package kernels is installed."""
    folder = changed(checkpoint, tmp_path / "model", change)
    for load in (positions, shapes_of, lambda folder: load_model(folder, TrainingSettings(method="full")),
                 asked):
        with pytest.raises(ModelError, match=r"wants code from a hub \(.*which lema never runs"):
            load(folder)


@pytest.mark.parametrize("change", [
    {"dtype": "x"}, {"hidden_act": -1}, {"eos_token_id": float("nan")}, {"model_type": []}, {"id2label": -1},
    {"vocab_size": None}, {"rope_parameters": 2**63}, {"num_attention_heads": 3}])
def test_a_config_with_a_wrong_value_is_one_line(checkpoint, tmp_path, change):
    folder = changed(checkpoint, tmp_path / "model", change)
    for load in (positions, shapes_of, lambda folder: load_model(folder, TrainingSettings(method="full"))):
        with pytest.raises(ModelError, match="config.json"):
            load(folder)


@pytest.mark.parametrize("change", [{"num_hidden_layers": 5}, {"intermediate_size": 32}])
def test_weights_that_are_not_all_of_the_models_are_refused_never_drawn_at_random(checkpoint, tmp_path, change):
    folder = changed(checkpoint, tmp_path / "model", change)
    with pytest.raises(ModelError, match="weights"):
        load_model(folder, TrainingSettings(method="full"))
    with pytest.raises(ModelError, match="weights"):
        asked(folder)


def test_end_tokens_that_are_no_numbers_are_no_end_tokens(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "model")
    (folder / "generation_config.json").write_text('{"eos_token_id": [{}, "x", null, 1]}')
    assert not asked(folder).failed


def asked(folder: Path):
    """What the checkpoint writes."""
    request = Request((Message("user", "Leo"),), Sampling(max_tokens=2))
    return next(iter(Model(Settings(path=str(folder))).complete([request])))


def changed(checkpoint: Path, folder: Path, change: dict) -> Path:
    """A copy of the checkpoint with something else in its config.json."""
    shutil.copytree(checkpoint, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    return folder


PANICS_WHEN_LOADED = {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAAA"}}


def test_several_templates_without_a_default_are_one_line(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    tokenizer.chat_template = {"rag": TEMPLATE, "tool_use": TEMPLATE}
    with pytest.raises(ModelError, match="cannot be chosen"):
        render(tokenizer, [Message("user", "Leo")])


def test_a_tokenizer_that_panics_is_one_line(checkpoint, tmp_path):
    with pytest.raises(ModelError, match="its tokenizer fails with a panic") as caught:
        load_tokenizer(toys.with_tokenizer(checkpoint, tmp_path / "loaded", **PANICS_WHEN_LOADED))
    assert "\n" not in str(caught.value)
    tokenizer = load_tokenizer(toys.with_tokenizer(checkpoint, tmp_path / "used", **toys.PANICKING))
    with pytest.raises(ModelError, match="the model's tokenizer fails with a panic"):
        encode(tokenizer, example("Leo", " Sam"))


def test_a_tokenizer_that_refuses_a_text_is_one_line(checkpoint, tmp_path):
    tokenizer = json.loads((checkpoint / "tokenizer.json").read_text())
    broken = load_tokenizer(toys.with_tokenizer(checkpoint, tmp_path / "model",
                                                model=tokenizer["model"] | {"unk_token": "<none>"}))
    with pytest.raises(ModelError, match="refuses a text"):
        encode(broken, example("nobody knows", " Sam"))


CODE = """
import pathlib
pathlib.Path({mark!r}).touch()
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
class Config(LlamaConfig): model_type = "its-own"
class Model(LlamaForCausalLM): config_class = Config
class Own(PreTrainedTokenizerFast): pass
"""


def test_code_that_a_checkpoint_brings_is_never_run_and_never_asked_about(checkpoint, tmp_path, monkeypatch):
    shutil.copytree(checkpoint, tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    auto_map = {"AutoConfig": "its.Config", "AutoModelForCausalLM": "its.Model"}
    (tmp_path / "model" / "config.json").write_text(
        json.dumps(config | {"model_type": "its-own", "architectures": ["Model"], "auto_map": auto_map}))
    settings = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text())
    (tmp_path / "model" / "tokenizer_config.json").write_text(
        json.dumps(settings | {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["its.Own", None]}}))
    (tmp_path / "model" / "its.py").write_text(CODE.format(mark=str(tmp_path / "ran")))
    monkeypatch.setattr("builtins.input", lambda prompt="": "y")
    asked = Settings(path=str(tmp_path / "model"))
    for attempt in (lambda: positions(tmp_path / "model"), lambda: Model(asked).load(),
                    lambda: load_model(tmp_path / "model", TrainingSettings())):
        with pytest.raises(ModelError, match="code of its own, named by auto_map, which lema never") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    with contextlib.suppress(ModelError):  # as a plain one it may be read without its code
        load_tokenizer(tmp_path / "model")
    assert not (tmp_path / "ran").exists()
