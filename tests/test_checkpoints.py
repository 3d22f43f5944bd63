"""What is a checkpoint, what names it, and how text becomes tokens."""

import json
import logging
import shutil
from dataclasses import replace

import pytest

from lema.checkpoints import (
    content_hash,
    encode,
    find_checkpoint,
    hushed,
    load_tokenizer,
    prompt_ids,
    prompt_text,
    weights_hash,
)
from lema.errors import ModelError
from lema.messages import Message
from lema.records import Example
from tests import toys

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
    assert tokens.prompt == prompt_ids(tokenizer, "Leo has 1")
    assert tokenizer.convert_ids_to_tokens(tokens.prompt)[-1] == " 1"


def test_a_chat_template_renders_training_and_sampling_alike(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "model")
    (tmp_path / "model" / "chat_template.jinja").write_text(TEMPLATE)
    tokenizer = load_tokenizer(tmp_path / "model")
    asked = prompt_text(tokenizer, [Message("user", "Leo")])
    assert asked == "<user>Leo<assistant>"
    assert encode(tokenizer, example("Leo", " Sam")).prompt == prompt_ids(tokenizer, asked)
    (tmp_path / "model" / "chat_template.jinja").write_text("{{ raise_exception('no system role') }}")
    with pytest.raises(ModelError, match="no system role"):
        prompt_text(load_tokenizer(tmp_path / "model"), [Message("system", "Leo")])


def test_without_a_template_the_contents_stand_one_after_the_other(checkpoint):
    tokenizer = load_tokenizer(checkpoint)
    assert prompt_text(tokenizer, [Message("system", "Leo"), Message("user", "Sam")]) == "Leo\n\nSam"


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
