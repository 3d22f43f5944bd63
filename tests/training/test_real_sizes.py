"""What makes models of billions trainable, on models of thousands: presets, four bits, packing, passes that fit,
adapters alone, and what a fit tells of itself."""

import json
import math

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM

from lema.checkpoints import beside_base, load_tokenizer, weights_hash
from lema.config import TrainConfig
from lema.errors import ModelError
from lema.messages import Message, Request
from lema.models import transformers
from lema.records import Sampling
from lema.training import memory
from lema.training.loop import Loop, TooLarge
from lema.training.passes import PackedCollator, in_lines
from lema.training.sft import Fit, Settings, Trainer, encode_rows
from lema.training.weights import load_model
from tests import toys

FAST = {"method": "full", "learning_rate": 0.01, "batch_size": 16, "max_length": 64}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("real") / "base")


def fit(base, out, rows=None, **settings):
    return Trainer(Settings(**{**FAST, **settings})).fit(rows or toys.sums(96), base, out, 0)


def metrics(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def table(**own):
    return TrainConfig(base="b", **own)


def test_the_papers_preset_is_the_papers_settings():
    paper = table(preset="paper")
    assert paper.budget.steps == 2_000
    settings = Settings(**paper.own)
    assert settings.method == "qlora"
    assert (settings.lora.r, settings.lora.alpha, settings.lora.dropout) == (64, 16, 0.05)
    assert (settings.weight_decay, settings.clip) == (0.01, 0.3)
    assert (settings.beta1, settings.beta2) == (0.9, 0.999)
    assert (settings.batch_size, settings.max_length, settings.save_steps) == (96, 1024, 100)
    assert (settings.schedule, settings.warmup, settings.optimizer) == ("constant", 0.0, "paged_adamw")
    assert settings.gradient_checkpointing and settings.dtype == "bfloat16"
    assert settings.for_base(33_000_000_000).rate == 2e-4
    assert settings.for_base(34_000_000_000).rate == 1e-4
    full = Settings(**table(preset="paper", method="full").own)
    assert (full.method, full.rate, full.batch_size) == ("full", 1e-5, 128)


def test_adapters_get_ten_times_the_full_rate_by_default():
    adapters, full = table(preset="default"), table(preset="default", method="full")
    assert math.isclose(Settings(**adapters.own).rate, 10 * Settings(**full.own).rate)
    assert Settings(**adapters.own).packing and adapters.budget.epochs == 3


def test_a_key_beside_a_preset_overrides_it():
    own = table(preset="paper", budget={"steps": 7}, learning_rate=0.5, lora={"r": 8}, batch_tokens=4096)
    settings = Settings(**own.own)
    assert own.budget.steps == 7
    assert settings.for_base(70_000_000_000).rate == 0.5
    assert (settings.lora.r, settings.lora.alpha, settings.batch_size) == (8, 16, None)
    assert Settings(**table(preset="paper", method="lora").own).optimizer == "adamw"
    with pytest.raises(ValidationError, match="did you mean 'paper'"):
        table(preset="papr")


def test_the_settings_that_were_used_are_said_and_kept(base, tmp_path, caplog):
    with caplog.at_level("INFO", logger="lema.training.sft"):
        fit(base, tmp_path / "out", method="lora", large_learning_rate=0.5)
    kept = json.loads((tmp_path / "out" / "training.json").read_text())
    assert (kept["method"], kept["learning_rate"], kept["large_learning_rate"]) == ("lora", 0.01, None)
    assert kept["form"] == "chat" and kept["lora"] == {"r": 64, "alpha": 16, "dropout": 0.05}
    assert "learning_rate 0.01" in caplog.text


def texts_of(**table):
    model = transformers.Model(transformers.Settings(**table))
    requests = [Request((Message("user", row.prompt),), Sampling(temperature=0.0, max_tokens=12))
                for row in toys.sums(12, seed=4)]
    return [completion.text for completion in model.complete(requests)]


def test_four_bits_train_and_are_asked_as_they_were_trained(tmp_path):
    wide = toys.chatty(tmp_path / "wide", width=64)
    told = {"method": "qlora", "learning_rate": 0.005, "lora": {"r": 8, "alpha": 16, "dropout": 0.0}}
    rows = toys.sums(96) * 6
    log = fit(wide, tmp_path / "out", rows, **told)
    assert log.loss < metrics(tmp_path / "out")[0]["loss"] - 0.5
    assert 0 <= log.merge_difference < 1e-3
    assert not (tmp_path / "out" / "model.safetensors").exists()
    again = fit_of(tmp_path / "again", wide, rows[:4], **told)
    trained = Loop(again, again.settings.plan([1] * 4, 0), None).model
    assert "Params4bit" in {type(weight).__name__ for weight in trained.parameters()}
    assert {weight.dtype for weight in trained.parameters() if weight.requires_grad} == {torch.float32}
    assert "quantize" in beside_base(tmp_path / "out")
    texts = texts_of(**beside_base(tmp_path / "out"))
    fit(wide, tmp_path / "merged", rows, **told, save="merged")
    assert texts == texts_of(path=str(tmp_path / "merged")) != texts_of(path=str(wide))


def test_four_bits_are_the_weights_to_the_nearest_of_sixteen_quantiles(tmp_path):
    wide = toys.chatty(tmp_path / "wide", width=64)
    exact = AutoModelForCausalLM.from_pretrained(wide).model.layers[0].mlp.up_proj.weight
    coarse = load_model(wide, Settings(method="qlora")).dequantize().model.layers[0].mlp.up_proj.weight
    block = coarse.flatten()[:64]
    assert len(block.unique()) <= 16 < len(coarse.unique())
    assert 0 < (coarse - exact).abs().max() < exact.abs().max() / 5


def fit_of(out, base, rows, **settings):
    told = Settings(**{**FAST, **settings})
    out.mkdir(parents=True, exist_ok=True)
    return Fit(told, encode_rows(rows, base, told.max_length), base, out, 0, "", "chat")


@pytest.mark.parametrize("length", [16, 40, 64])
def test_packed_rows_give_the_loss_and_the_weights_of_unpacked_ones(base, tmp_path, length):
    rows = toys.sums(16)
    logs, left = [], []
    for name, told in (("apart", {}), ("packed", {"packing": True, "pack_length": length})):
        logs.append(fit(base, tmp_path / name, rows, **told))
        left.append(AutoModelForCausalLM.from_pretrained(tmp_path / name).state_dict())
    assert logs[0].steps == logs[1].steps == 1
    assert logs[1].loss == pytest.approx(logs[0].loss, abs=1e-5)
    gradients = [gradient_of(base, tmp_path / f"g{number}", rows, **told)
                 for number, told in enumerate(({}, {"packing": True, "pack_length": length}))]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-5, rtol=1e-4)


def gradient_of(base, out, rows, **told):
    """Of the step that the trainer makes of these rows."""
    made = fit_of(out, base, rows, **told)
    loop = Loop(made, made.settings.plan([row.length for row in made.rows], 0), None)
    (batch,) = loop.get_train_dataloader()
    count = (batch["labels"][..., 1:] != -100).sum()
    loop.compute_loss(loop.model, dict(batch), num_items_in_batch=count).backward()
    return {name: weight.grad.clone() for name, weight in loop.model.named_parameters()}


def test_packed_rows_see_nothing_of_their_neighbours(base):
    (first, other, second) = encode_rows(toys.sums(3), base, 64)
    model = AutoModelForCausalLM.from_pretrained(base)
    collate = PackedCollator(None, 0)

    def logits(neighbour):
        rows = [{"input_ids": [*row.prompt, *row.completion], "labels": [-100] * row.length}
                for row in (neighbour, second)]
        batch = collate(rows)
        at = batch["input_ids"][0].tolist()
        wanted = [*second.prompt, *second.completion]
        start = next(place for place in range(len(at)) if at[place:place + len(wanted)] == wanted)
        del batch["labels"]
        return model(**batch, use_cache=False).logits[0, start:start + len(wanted)]

    torch.testing.assert_close(logits(first), logits(other), atol=1e-5, rtol=1e-5)


def test_a_line_of_packed_rows_begins_anew_with_each_and_teaches_no_first_token():
    rows = [{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}, {"input_ids": [8, 9], "labels": [-100, 9]}]
    batch = PackedCollator(5, 0)(rows)
    assert batch["input_ids"].tolist() == [[5, 6, 7, 8, 9]]
    assert batch["position_ids"].tolist() == [[0, 1, 2, 0, 1]]
    assert batch["labels"].tolist() == [[-100, 6, 7, -100, 9]]
    assert "attention_mask" not in batch
    padded = PackedCollator(4, 0)(rows)
    assert padded["position_ids"].tolist() == [[0, 1, 2], [0, 1, 0]]


def test_lines_hold_every_row_once_and_no_more_than_fits():
    lengths = [7, 3, 9, 2, 2, 5, 1, 8]
    lines = in_lines(lengths, 10)
    assert sorted(place for line in lines for place in line) == list(range(8))
    assert all(sum(lengths[place] for place in line) <= 10 for line in lines) and len(lines) == 4


@pytest.mark.parametrize("told", [
    {"packing": True}, {"accumulate": "auto"}, {"packing": True, "accumulate": "auto"}])
def test_a_step_cut_into_passes_is_the_step(base, tmp_path, told, monkeypatch):
    whole = fit(base, tmp_path / "whole", **told)
    monkeypatch.setattr("lema.training.sft.tokens_that_fit", lambda *given: 100)
    parts = fit(base, tmp_path / "parts", **{**told, **({} if "accumulate" in told else {"accumulate": 4})})
    assert parts.steps == whole.steps == 6
    assert parts.loss == pytest.approx(whole.loss, rel=1e-4)
    counts = [[(line["tokens"], line["all_tokens"]) for line in metrics(tmp_path / name)]
              for name in ("whole", "parts")]
    assert counts[0] == counts[1]


def full(*given):
    raise torch.OutOfMemoryError("full")


def test_a_pass_that_does_not_fit_is_tried_again_in_smaller_ones_from_the_last_point(base, tmp_path, monkeypatch):
    step, passes = Loop.training_step, []

    def crowded(loop, model, inputs, *more):
        passes.append(inputs["input_ids"].numel())
        if loop.state.global_step == 3 and passes[-1] > 200:
            raise torch.OutOfMemoryError("full")
        return step(loop, model, inputs, *more)

    monkeypatch.setattr(Loop, "training_step", crowded)
    monkeypatch.setattr("lema.training.sft.tokens_that_fit", lambda *given: 100_000)
    log = fit(base, tmp_path / "out", accumulate="auto", packing=True, save_steps=1)
    monkeypatch.setattr(Loop, "training_step", step)
    alone = fit(base, tmp_path / "alone", accumulate="auto", packing=True)
    assert log.steps == alone.steps and log.loss == pytest.approx(alone.loss, rel=1e-4)
    assert [line["step"] for line in metrics(tmp_path / "out")] == list(range(1, log.steps + 1))
    with pytest.raises(TooLarge, match="does not fit the device"):
        monkeypatch.setattr(Loop, "training_step", full)
        fit(base, tmp_path / "never")


def test_checkpointed_activations_change_no_weight(base, tmp_path):
    for method in ("full", "lora"):
        told = {"method": method, "packing": True, "lora": {"dropout": 0.0}}
        fit(base, tmp_path / f"{method}-a", **told)
        fit(base, tmp_path / f"{method}-b", **told, gradient_checkpointing=True)
        assert weights_hash(tmp_path / f"{method}-a") == weights_hash(tmp_path / f"{method}-b")


def test_an_adapter_alone_is_left_and_asked_as_what_was_merged(base, tmp_path):
    told = {"method": "lora", "learning_rate": 0.02}
    alone = fit(base, tmp_path / "alone", toys.sums(96) * 3, **told)
    merged = fit(base, tmp_path / "merged", toys.sums(96) * 3, **told, save="merged")
    assert alone.loss == merged.loss
    assert not list((tmp_path / "alone").glob("*.safetensors"))
    assert (tmp_path / "merged/model.safetensors").exists()
    assert weights_hash(tmp_path / "alone") != weights_hash(base)
    assert texts_of(**beside_base(tmp_path / "alone")) == texts_of(path=str(tmp_path / "merged"))
    assert load_tokenizer(tmp_path / "alone")("Leo")["input_ids"] == load_tokenizer(base)("Leo")["input_ids"]


def test_an_adapter_that_merges_to_something_else_is_said_aloud(base, tmp_path, caplog, monkeypatch):
    from peft.tuners.lora import Linear

    delta = Linear.get_delta_weight
    monkeypatch.setattr(Linear, "get_delta_weight", lambda layer, name: 0.9 * delta(layer, name))
    log = fit(base, tmp_path / "out", toys.sums(96) * 3, method="lora", learning_rate=0.02)
    assert log.merge_difference > 0.01
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_line_of_metrics_is_written_for_every_step(base, tmp_path):
    log = fit(base, tmp_path / "out", schedule="linear", warmup=0.5)
    lines = metrics(tmp_path / "out")
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert sum(line["tokens"] for line in lines) == log.tokens
    assert sum(line["all_tokens"] for line in lines) == log.all_tokens
    assert [line["rate"] for line in lines[:3]] == pytest.approx([0.01 / 3, 0.02 / 3, 0.01])
    assert lines[-1]["loss"] == pytest.approx(log.loss)
    assert all(line["seconds"] > 0 < line["memory"] for line in lines)


def test_a_tracker_hears_of_every_step(base, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "board"))
    log = fit(base, tmp_path / "out", tracker="tensorboard")
    (file,) = (tmp_path / "board").rglob("events*")
    events = EventAccumulator(str(file)).Reload()
    assert [event.step for event in events.Scalars("train/loss")] == list(range(1, log.steps + 1))


def test_what_a_fit_needs_is_reckoned_from_shapes(base, tmp_path):
    shapes = memory.shapes_of(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    assert shapes.parameters == sum(weight.numel() for weight in model.parameters())
    assert (shapes.layers, shapes.width, shapes.vocabulary) == (2, 32, model.config.vocab_size)
    told = fit_of(tmp_path / "lora", base, toys.sums(2), method="lora")
    loop = Loop(told, told.settings.plan([20, 20], 0), None)
    trained = sum(weight.numel() for weight in loop.model.parameters() if weight.requires_grad)
    assert memory.trained_parameters(shapes, told.settings) == trained
    llama = memory.Shapes(6_738_415_616, 6_476_005_376, 1_744_896, 32, 4096, 11008, 32000)
    paper = Settings(**table(preset="paper").own)
    parts = memory.memory(llama, paper, 2048, on_cpu=False)
    assert 3.5e9 < parts["weights"] < 4.5e9  # 7B in four bits
    assert 1.2e9 < parts["trained"] < 3e9  # 112M numbers of adapters with AdamW
    assert memory.tokens_that_fit(llama, paper, 24e9, False) > 1024
    assert memory.tokens_that_fit(llama, Settings(method="full"), 80e9, False) == 0
    shared = Settings(method="full", processes=8, parallel="fsdp", gradient_checkpointing=True)
    assert memory.tokens_that_fit(llama, shared, 80e9, False) > 4096


def test_memory_on_this_machine_is_no_more_than_reckoned(tmp_path):
    """The weights and what is kept for training them, as torch counts them."""
    told = fit_of(tmp_path / "out", toys.reader(tmp_path / "base"), toys.sums(8))
    loop = Loop(told, told.settings.plan([row.length for row in told.rows], 0), None)
    loop.train()
    gradients = [weight.grad for weight in loop.model.parameters()]
    tensors = [*loop.model.parameters(), *filter(torch.is_tensor, gradients)]
    for state in loop.optimizer.state.values():
        tensors += [value for value in state.values() if torch.is_tensor(value) and value.numel() > 1]
    held = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    parts = memory.memory(memory.shapes_of(told.base), told.settings, 0, on_cpu=True)
    assert held <= parts["weights"] + parts["trained"] <= 1.4 * held


def test_four_bits_without_their_package_name_the_extra(base, monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with pytest.raises(ModelError, match=r"need bitsandbytes: .*\[qlora\]"):
        fit(base, tmp_path / "out", method="qlora")


def test_a_tracker_that_is_not_there_is_one_line(base, tmp_path, monkeypatch):
    monkeypatch.setattr("lema.training.loop.find_spec", lambda name: None)
    with pytest.raises(ModelError, match="train.tracker: wandb is not installed: pip install wandb"):
        fit(base, tmp_path / "out", tracker="wandb")
