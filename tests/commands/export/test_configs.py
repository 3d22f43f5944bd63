"""The ready configs: what another trainer makes of them is what lema itself trains on, in tokens and in settings.

Each way of making tokens below is what that trainer was seen to do with the exported files (docs/interop.md)."""

import json
from pathlib import Path

import pytest

from lema.checkpoints import load_tokenizer
from lema.checkpoints.rendering import encode
from lema.commands.export.base import Base
from lema.commands.export.configs import Trained, write_configs
from lema.config import load_config
from lema.records import Account, Example
from tests.toys import reader

TURNS = ("{% for m in messages %}{{ '[' + m.role + ']' + m.content + '<eos>' }}{% endfor %}"
         "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}")
EXAMPLES = (
    Example(kind="cot", source="worked", prompt="Who?\n", completion="Step 1: Ann.", question="q"),
    Example(kind="correction", source="corrections", prompt="Who?\nIncorrect Step:", completion=" Step 2.",
            question="q"),
    Example(kind="step", source="corrections", prompt="Who?\n", prefix="Step 1: Ann", completion=" and Ben.",
            question="q"))
CONFIG = """
name = "x"
arms = ["lema"]
task = {{ name = "lab", train = 4, test = 1, levels = [1] }}
sample = {{ models = ["m"] }}
models = {{ m = {{ backend = "teacher" }} }}
[train]
base = "{base}"
seeds = [7, 8]
budget = {{ epochs = 2 }}
"""


def _base(folder: Path, starts: bool, template: str) -> Path:
    """A checkpoint of bytes that puts a start token before a text, or not, and has a chat template, or not."""
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(reader(folder))
    if starts:
        tokenizer.add_special_tokens({"bos_token": "<bos>"})
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<bos> $A", pair="<bos> $A $B", special_tokens=[("<bos>", tokenizer.bos_token_id)])
    tokenizer.chat_template = template or None
    tokenizer.save_pretrained(folder)
    return folder


def _config(folder: Path, base: object, more: str = ""):
    (folder / "c.toml").write_text(CONFIG.format(base=base) + more)
    return load_config(str(folder / "c.toml"))


@pytest.mark.parametrize(("starts", "template"), [(False, ""), (True, ""), (False, TURNS), (True, TURNS),
                                                  (True, "<bos>" + TURNS)])
def test_marked_rows_are_the_tokens_that_lema_trains_on(tmp_path, starts, template):
    base = Base.of(_config(tmp_path, _base(tmp_path / "base", starts, template)), {})
    tokenizer = load_tokenizer(tmp_path / "base")
    for example in EXAMPLES:
        ours = encode(tokenizer, example)
        start, prompt, completion = base.marked(example.prompt, example.prefix, example.completion).values()
        pieces = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in (start, prompt, completion)]
        assert (pieces[0] + pieces[1], pieces[2]) == (ours.prompt, ours.completion), "LLaMA-Factory"
        if start or not starts:  # else a template without a start, and a trainer that adds one all the same
            joint = tokenizer(prompt + completion)["input_ids"]
            assert tokenizer(prompt)["input_ids"] == ours.prompt, "TRL and axolotl"
            assert joint == ours.prompt + ours.completion


def _written(tmp_path: Path, trained: Trained, account: Account | None = None) -> dict[str, dict]:
    import yaml

    folder = tmp_path / "configs"
    folder.mkdir()
    write_configs(folder, {"lema": account}, trained)
    return {file.name.removesuffix("-lema.yaml"): yaml.safe_load(file.read_text())
            for file in folder.glob("*.yaml")} | {"known": json.loads((folder / "dataset_info.json").read_text())}


def test_every_trainer_is_told_the_settings_in_its_own_words(tmp_path):
    base = reader(tmp_path / "base")
    config = _config(tmp_path, base, 'method = "lora"\nlearning_rate = 0.001\nwarmup = 0.1\nbatch_size = 8\n'
                                     'accumulate = 2\nmax_length = 99999\ndtype = "bfloat16"\nbeta2 = 0.999\n')
    found = _written(tmp_path, Trained.of(config, Base.of(config, {}), "marked"))
    trl, factory, axolotl = found["trl"], found["llama-factory"], found["axolotl"]
    for told in (trl, factory, axolotl):
        assert (told["learning_rate"], told["weight_decay"], told["max_grad_norm"]) == (0.001, 0.0, 1.0)
        assert (told["adam_beta2"], told["seed"], told["bf16"]) == (0.999, 7, True)
        assert told["gradient_accumulation_steps"] == 2
        assert "constant_with_warmup" in (told.get("lr_scheduler_type"), told.get("lr_scheduler"))
        assert "configs/lema-marked.jsonl" in json.dumps(told) or told["dataset"] == "lema-marked"
    assert (trl["max_length"], factory["cutoff_len"], axolotl["sequence_len"]) == (16_384,) * 3
    assert (trl["per_device_train_batch_size"], factory["per_device_train_batch_size"],
            axolotl["micro_batch_size"]) == (4, 4, 4)
    assert (trl["num_train_epochs"], factory["num_train_epochs"], axolotl["num_epochs"]) == (3.0, 3.0, 3.0)
    assert (trl["completion_only_loss"], factory["stage"], axolotl["train_on_inputs"]) == (True, "sft", False)
    assert (factory["template"], factory["disable_gradient_checkpointing"]) == ("empty", True)
    assert found["known"]["lema-marked"]["columns"] == {"prompt": "prompt", "response": "completion",
                                                        "system": "start"}
    assert {axolotl[f"lora_{part}_kernel"] for part in ("mlp", "qkv", "o")} == {False}


def test_conversations_need_nothing_filled_in(tmp_path):
    config = _config(tmp_path, reader(tmp_path / "base"))
    found = _written(tmp_path, Trained.of(config, Base.of(config, {}), "messages"))
    assert found["trl"]["datasets"][0]["data_files"] == "lema/chat.jsonl"
    assert found["trl"]["completion_only_loss"] and "assistant_only_loss" not in found["trl"]
    assert found["llama-factory"]["dataset"] == "lema-messages" and "template" not in found["llama-factory"]
    assert found["axolotl"]["datasets"][0] == {
        "path": "lema/messages.jsonl", "ds_type": "json", "type": "chat_template", "field_messages": "messages",
        "roles_to_train": ["assistant"]}
    assert "put-your" not in json.dumps(found)


@pytest.mark.parametrize(("epochs", "steps"), [(2.0, None), (1.258, 9), (0.05, 1)])
def test_steps_by_tokens_become_rows_and_parts_of_epochs_steps(tmp_path, epochs, steps):
    """68 examples of 107 tokens are 7 steps of 10 rows or about 1,024 tokens."""
    config = _config(tmp_path, "nobody/here", "batch_tokens = 1024\n")
    account = Account(arm="lema", examples=68, questions=60, prompt_tokens=4_076, tokens=3_200, teacher_tokens=0,
                      teacher_replies=0, kinds={}, epochs=epochs)
    found = _written(tmp_path, Trained.of(config, Base.of(config, {}), "prompt_completion"), account)
    for told, rows, length in (("trl", "per_device_train_batch_size", "num_train_epochs"),
                               ("axolotl", "micro_batch_size", "num_epochs")):
        assert (found[told][rows], found[told][length], found[told].get("max_steps")) == (10, epochs, steps)
    assert found["llama-factory"]["template"] == "fewshot" and "lema-marked" not in found["known"]
