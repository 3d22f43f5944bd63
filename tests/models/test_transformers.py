"""The transformers backend: the same tokens as `generate`, each path its own draws, batches that never depend."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from lema.checkpoints import load_tokenizer
from lema.errors import ModelError
from lema.messages import Message, Request
from lema.models.transformers import Model, Settings
from lema.records import Sampling
from lema.training.sft import Settings as TrainingSettings
from lema.training.sft import Trainer
from tests import toys

TRAINED = TrainingSettings(method="full", optimizer="muon", learning_rate=0.02, embedding_learning_rate=0.01,
                           batch_tokens=512, max_length=64, save_steps=0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A toy model that knows the form of its answers but not the sums, so that paths differ in length."""
    folder = tmp_path_factory.mktemp("sampled")
    Trainer(TRAINED).fit(toys.sums(100) * 8, toys.model(folder / "base"), folder / "model", 0)
    return folder / "model"


def asked(count, **sampling):
    return [Request((Message("user", row.prompt),), Sampling(**{"max_tokens": 20, **sampling}), index=number % 3)
            for number, row in enumerate(toys.sums(count, seed=5))]


def model(checkpoint, **settings):
    return Model(Settings(path=str(checkpoint), **settings))


def by_batches(backend, requests):
    """Every completion, asked for as the journal asks: whole batches."""
    found = {}
    for batch in backend.batches(requests):
        found.update(zip(batch, backend.complete([requests[position] for position in batch]), strict=True))
    return [found[position] for position in range(len(requests))]


@pytest.mark.parametrize("attn", ["sdpa", "eager"])
def test_greedy_decoding_writes_what_generate_writes(checkpoint, attn):
    requests = asked(40)
    tokenizer = load_tokenizer(checkpoint)
    reference = AutoModelForCausalLM.from_pretrained(checkpoint)
    for request, completion in zip(requests, by_batches(model(checkpoint, attn=attn), requests), strict=True):
        prompt = tokenizer(request.messages[0].content, return_tensors="pt")
        whole = reference.generate(**prompt, max_new_tokens=20, do_sample=False)[0]
        written = whole[prompt["input_ids"].shape[1]:]
        assert completion.text == tokenizer.decode(written, skip_special_tokens=True)
        assert completion.tokens == len(written)
        assert completion.prompt_tokens == prompt["input_ids"].shape[1]
        assert completion.finish == ("stop" if written[-1] == tokenizer.eos_token_id else "length")


def test_a_model_with_a_sliding_window_writes_what_generate_writes(tmp_path):
    shape = MistralConfig(vocab_size=3 + len(toys.WORDS), hidden_size=64, intermediate_size=64,
                          num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, sliding_window=8,
                          max_position_embeddings=128, initializer_range=0.15,
                          pad_token_id=0, eos_token_id=1, bos_token_id=None)
    folder = toys.model(tmp_path / "model")
    torch.manual_seed(0)
    reference = MistralForCausalLM(shape).eval()
    reference.save_pretrained(folder)
    requests, tokenizer = asked(12), load_tokenizer(folder)
    for request, completion in zip(requests, by_batches(model(folder), requests), strict=True):
        prompt = tokenizer(request.messages[0].content, return_tensors="pt")
        whole = reference.generate(**prompt, max_new_tokens=20, do_sample=False)[0]
        assert completion.text == tokenizer.decode(whole[prompt["input_ids"].shape[1]:], skip_special_tokens=True)


def test_a_path_draws_the_same_alone_as_in_any_batch(checkpoint):
    requests = asked(30, temperature=1.0)
    together = by_batches(model(checkpoint, batch_size=30), requests)
    alone = [next(model(checkpoint).complete([request])) for request in requests[:6]]
    assert together[:6] == alone
    assert together == list(model(checkpoint, batch_size=7).complete(requests))
    assert together == by_batches(model(checkpoint, batch_tokens=200), requests)


def test_paths_of_one_question_differ_and_come_again_with_the_same_seed(checkpoint):
    request = asked(1, temperature=1.5)[0]
    backend = model(checkpoint)
    paths = list(backend.complete([replace(request, index=index) for index in range(20)]))
    assert len({path.text for path in paths}) > 10
    assert paths == list(backend.complete([replace(request, index=index) for index in range(20)]))
    other = replace(request.sampling, seed=1)
    assert paths != list(backend.complete([replace(request, sampling=other, index=index) for index in range(20)]))


def test_first_tokens_are_drawn_as_often_as_the_model_says(checkpoint):
    request = asked(1, temperature=2.0, max_tokens=1)[0]
    tokenizer = load_tokenizer(checkpoint)
    prompt = tokenizer(request.messages[0].content, return_tensors="pt")
    logits = AutoModelForCausalLM.from_pretrained(checkpoint)(**prompt).logits[0, -1]
    expected = torch.softmax(logits.double() / 2.0, dim=-1)
    drawn = [path.text for path in model(checkpoint, batch_size=500).complete(
        replace(request, index=index) for index in range(2000))]
    for token in expected.topk(5).indices.tolist():
        share = drawn.count(tokenizer.decode([token], skip_special_tokens=True)) / 2000
        assert share == pytest.approx(expected[token].item(), abs=0.05)


def test_top_p_draws_only_from_the_fewest_tokens_that_reach_it(checkpoint):
    request = asked(1, temperature=3.0, top_p=0.5, max_tokens=1)[0]
    tokenizer = load_tokenizer(checkpoint)
    prompt = tokenizer(request.messages[0].content, return_tensors="pt")
    logits = AutoModelForCausalLM.from_pretrained(checkpoint)(**prompt).logits[0, -1]
    shares, order = torch.softmax(logits.double() / 3.0, dim=-1).sort(descending=True)
    kept = order[:int((shares.cumsum(0) < 0.5).sum()) + 1].tolist()
    drawn = {path.text for path in model(checkpoint).complete(
        replace(request, index=index) for index in range(300))}
    assert 1 < len(kept) < 30
    assert drawn == {tokenizer.decode([token], skip_special_tokens=True) for token in kept}


def test_every_request_stands_in_one_batch_and_the_same_one_each_time(checkpoint):
    requests = asked(50)
    backend = model(checkpoint, batch_size=8)
    batches = backend.batches(requests)
    assert sorted(position for batch in batches for position in batch) == list(range(50))
    assert [len(batch) for batch in batches] == [8] * 6 + [2]
    assert batches == model(checkpoint, batch_size=8).batches(requests)
    lengths = [[len(requests[position].messages[0].content) for position in batch] for batch in batches]
    assert min(lengths[0]) >= max(lengths[-1])


def test_batch_tokens_bounds_rows_times_prompt_and_answer(checkpoint):
    requests = asked(50, max_tokens=20)
    backend = model(checkpoint, batch_tokens=150)
    tokenizer = load_tokenizer(checkpoint)
    for batch in backend.batches(requests):
        longest = max(len(tokenizer(requests[position].messages[0].content)["input_ids"]) for position in batch)
        assert len(batch) * (longest + 20) <= 150


def test_completions_come_in_request_order_and_only_as_many_are_read_as_a_batch_holds(checkpoint):
    read = []
    requests = asked(10)
    stream = model(checkpoint, batch_size=3).complete(read.append(number) or request
                                                       for number, request in enumerate(requests))
    first = next(stream)
    assert len(read) <= 4
    assert [first, *stream] == [next(model(checkpoint).complete([request])) for request in requests]


def test_max_tokens_and_stop_strings_end_a_path(checkpoint):
    whole = next(model(checkpoint).complete(asked(1)))
    assert whole.finish == "stop" and whole.text.startswith("The sum is ")
    short = next(model(checkpoint).complete(asked(1, max_tokens=2)))
    assert (short.text, short.finish, short.tokens) == ("The sum", "length", 2)
    stopped = next(model(checkpoint).complete(asked(1, stop=("m i", "nowhere"))))
    assert (stopped.text, stopped.finish, stopped.tokens) == ("The su", "stop", 3)


def test_greedy_and_drawn_rows_and_different_lengths_share_a_batch(checkpoint):
    mixed = [*asked(4), *asked(4, temperature=1.0), *asked(4, max_tokens=3)]
    together = list(model(checkpoint).complete(mixed))
    assert together == [next(model(checkpoint).complete([request])) for request in mixed]


def test_a_prompt_without_room_is_an_error_row_and_its_neighbours_are_answered(checkpoint):
    requests = [*asked(2), Request((Message("user", "Leo has 3." * 30),)), Request((Message("user", ""),))]
    first, second, long, empty = model(checkpoint).complete(requests)
    assert not first.failed and not second.failed
    assert long.failed and "a prompt of 120 tokens" in long.finish
    assert empty.failed
    near = next(model(checkpoint).complete([Request((Message("user", "Leo has 3." * 15),))]))
    assert near.tokens <= 64 - near.prompt_tokens


def test_identity_names_contents_and_never_the_path(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "elsewhere")
    here, there = model(checkpoint).identity(), model(tmp_path / "elsewhere", device="cpu").identity()
    assert here == there
    assert str(checkpoint) not in json.dumps(here)
    assert toys.model(tmp_path / "other") and model(tmp_path / "other").identity() != here
    assert model(checkpoint, dtype="bfloat16").identity() != here


def test_a_checkpoint_changed_in_its_place_changes_the_facts_of_its_settings(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "model")
    before = Settings(path=str(tmp_path / "model")).facts()
    toys.model(tmp_path / "model", seed=7)
    assert Settings(path=str(tmp_path / "model")).facts() != before


def test_what_is_no_checkpoint_is_one_line(tmp_path):
    with pytest.raises(ModelError, match="no such folder") as caught:
        model(tmp_path / "gone").identity()
    assert "\n" not in str(caught.value)
    damaged = toys.model(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="weights cannot be loaded") as caught:
        list(model(damaged).complete(asked(1)))
    assert "\n" not in str(caught.value)


def test_nothing_is_printed(checkpoint, capfd):
    by_batches(model(checkpoint), asked(3))
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def adapter(checkpoint, tmp_path_factory):
    """A LoRA adapter for the checkpoint, as the trainer leaves it beside the merged weights."""
    folder = tmp_path_factory.mktemp("adapted") / "model"
    told = TRAINED.model_copy(update={"method": "lora", "optimizer": "adamw", "learning_rate": 0.02,
                                      "save": "merged"})
    Trainer(told).fit(toys.sums(60, seed=9) * 2, checkpoint, folder, 0)
    return folder / "adapter"


def test_an_adapter_merged_or_loaded_writes_what_the_merged_checkpoint_writes(checkpoint, adapter):
    requests = asked(30)
    merged = by_batches(model(adapter.parent), requests)
    assert by_batches(model(checkpoint, adapter=str(adapter)), requests) == merged
    assert by_batches(model(checkpoint, adapter=str(adapter), adapter_as="loaded"), requests) == merged
    assert by_batches(model(checkpoint), requests) != merged


def test_an_adapter_goes_into_float32_weights_and_beside_coarser_ones_unless_told_otherwise(checkpoint, adapter):
    def merged(**settings):
        return not any("lora" in name for name, _ in
                       model(checkpoint, adapter=str(adapter), **settings).load()._model.named_parameters())

    assert merged()
    assert merged(dtype="bfloat16", adapter_as="merged")
    assert not merged(dtype="bfloat16")
    assert not merged(adapter_as="loaded")


def test_an_adapter_belongs_to_the_identity_and_the_facts_by_its_contents(checkpoint, adapter, tmp_path):
    plain, adapted = model(checkpoint), model(checkpoint, adapter=str(adapter))
    shutil.copytree(adapter, tmp_path / "copy")
    assert adapted.identity() == model(checkpoint, adapter=str(tmp_path / "copy")).identity() != plain.identity()
    assert adapted.identity() != model(checkpoint, adapter=str(adapter), adapter_as="loaded").identity()
    before = adapted.settings.facts()
    (adapter / "adapter_model.safetensors").touch()
    assert adapted.settings.facts() == before
    (tmp_path / "copy" / "adapter_config.json").unlink()
    with pytest.raises(ModelError, match=r"not a PEFT adapter, it has no adapter_config\.json"):
        model(checkpoint, adapter=str(tmp_path / "copy")).identity()


def test_an_adapter_of_another_shape_is_one_line(adapter, tmp_path):
    other = toys.model(tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    wide = MistralForCausalLM(MistralConfig(**{**config, "hidden_size": 64, "num_key_value_heads": 1,
                                               "sliding_window": None}))
    wide.save_pretrained(other)
    with pytest.raises(ModelError, match="does not fit these weights") as caught:
        list(model(other, adapter=str(adapter)).complete(asked(1)))
    assert "\n" not in str(caught.value)


def test_batch_geometry_is_no_part_of_what_a_completion_is_kept_under(checkpoint):
    small, large = model(checkpoint, batch_size=3), model(checkpoint, batch_tokens=500)
    assert small.identity() == large.identity() == model(checkpoint).identity()
    assert small.settings.facts() == large.settings.facts()


def test_the_fastest_dtype_is_named_in_the_identity_and_tiny_weights_stay_float32(checkpoint):
    assert model(checkpoint, dtype="fastest").identity()["dtype"] == "float32"
    assert model(checkpoint, dtype="fastest").settings.facts()["dtype"] == "fastest"
    assert model(checkpoint, dtype="bfloat16").identity()["dtype"] == "bfloat16"


def test_plain_prompts_go_past_the_chat_template(checkpoint, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "chatty")
    (tmp_path / "chatty" / "chat_template.jinja").write_text("Sam has 4 and 4.\n{{ messages[-1]['content'] }}")
    chatty, request = model(tmp_path / "chatty"), asked(1)[0]
    plain, templated = chatty.plain(), next(chatty.complete([request]))
    assert next(plain.complete([request])) == next(model(checkpoint).complete([request]))
    assert templated.prompt_tokens == next(plain.complete([request])).prompt_tokens + 7
    assert plain.identity() != chatty.identity()
