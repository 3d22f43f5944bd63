"""The trainer: exact masks, an end that is learnt, rows refused by name, and weights that survive a kill."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM

from lema.checkpoints import content_hash, load_tokenizer
from lema.checkpoints.rendering import encode
from lema.errors import DataError, ModelError, RunError
from lema.training.loop import Loop, Outcome
from lema.training.passes import dataset
from lema.training.saving import merged
from lema.training.sft import Fit, Settings, Trainer, count_tokens, encode_rows
from tests import toys
from tests.patience import until
from tests.processes import end, running, under

FAST = {"method": "full", "optimizer": "muon", "learning_rate": 0.02, "embedding_learning_rate": 0.01,
        "batch_tokens": 512, "max_length": 64}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("sft") / "base")


def fit(base, out, rows, seed=0, progress=None, **settings):
    return Trainer(Settings(**{**FAST, **settings})).fit(rows, base, out, seed, progress)


def test_a_row_that_comes_again_is_held_once(base):
    first, second = encode_rows(toys.sums(2), base, 64)
    found = dataset([first, second, first])
    assert len(found) == 3 and len(found.data["input_ids"]) == 2
    assert found[2] == found[0] == {"input_ids": [*first.prompt, *first.completion],
                                    "labels": [*[-100] * len(first.prompt), *first.completion]}
    assert found[1]["input_ids"] == [*second.prompt, *second.completion]


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


def batches_of(base, rows, points, **settings):
    """What the model is really given, batch by batch."""
    settings = Settings(**{**FAST, **settings})
    encoded = encode_rows(rows, base, settings.max_length)
    plan = settings.plan([len(row.prompt) + len(row.completion) for row in encoded], 0)
    return list(Loop(Fit(settings, encoded, base, points, 0, "", "chat"), plan, None).get_train_dataloader())


def test_the_loss_falls_on_completion_and_end_token_and_on_nothing_else(base, tmp_path):
    tokenizer = load_tokenizer(base)
    rows = [replace(row, prefix="The sum" if number % 2 else "", completion=" is 3." if number % 2 else "The sum.",
                    prompt=f"{row.prompt.strip()} Leo has {number % 20}.\n", id="")
            for number, row in enumerate(toys.sums(40))]
    trained, seen = [], []
    for batch in batches_of(base, rows, tmp_path):
        assert (batch["labels"] != -100).any(dim=1).all()
        for ids, labels, mask in zip(batch["input_ids"], batch["labels"], batch["attention_mask"], strict=True):
            assert (labels[labels != -100] == ids[labels != -100]).all()
            assert (labels[mask == 0] == -100).all()
            trained.append(tokenizer.decode(labels[labels != -100]))
            seen.append(tokenizer.decode(ids[mask == 1]))
    assert sorted(trained) == sorted(row.completion + "<eos>" for row in rows)
    assert sorted(seen) == sorted(row.prompt + row.prefix + row.completion + "<eos>" for row in rows)


def test_the_counts_of_a_fit_are_those_of_its_rows(base, tmp_path):
    rows = toys.sums(30) * 2
    shown = []
    log = fit(base, tmp_path / "out", rows, progress=lambda done, total: shown.append((done, total)))
    counted = [count_tokens(base)(row) for row in rows]
    assert (log.examples, log.tokens) == (60, sum(trained for _, trained in counted))
    assert log.all_tokens == sum(map(sum, counted))
    assert shown == [(step + 1, log.steps) for step in range(log.steps)]


def test_a_trained_model_stops_by_itself_and_the_fit_prints_nothing(base, tmp_path, capfd):
    log = fit(base, tmp_path / "out", toys.sums(100) * 12)
    assert capfd.readouterr().out == ""
    assert log.loss < 1.0
    tokenizer = load_tokenizer(tmp_path / "out")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    for row in toys.sums(10, seed=1):
        prompt = torch.tensor([encode(tokenizer, row).prompt])
        answer = model.generate(prompt, max_new_tokens=30, do_sample=False)[0, prompt.shape[1]:]
        text = tokenizer.decode(answer)
        assert text.startswith("The sum is ") and text.endswith(".<eos>"), text


@pytest.mark.parametrize("change, named", [
    ({"prompt": "Leo has 3." * 20}, r"row 3 \(example \w+, question q2\): \d+ tokens, more than the 64"),
    ({"completion": " \n"}, r"row 3 .*empty"),
    ({"completion": "The sum is unheard of."}, r"row 3 .*does not know"),
])
def test_a_row_that_cannot_be_trained_on_whole_is_refused_by_name(base, tmp_path, change, named):
    rows = toys.sums(5)
    rows[2] = replace(rows[2], id="", **change)
    with pytest.raises(DataError, match=named) as caught:
        fit(base, tmp_path / "out", rows, max_length=4096)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_row_of_exactly_the_longest_length_is_trained_on(base, tmp_path):
    row = toys.sums(1)[0]
    length = sum(count_tokens(base)(row))
    assert fit(base, tmp_path / "out", [row], max_length=length).all_tokens == length
    with pytest.raises(DataError, match=f"{length} tokens, more than the {length - 1}"):
        fit(base, tmp_path / "out", [row], max_length=length - 1)


def test_an_empty_set_and_a_base_that_is_no_checkpoint_are_refused(base, tmp_path):
    with pytest.raises(DataError, match="empty"):
        fit(base, tmp_path / "out", [])
    with pytest.raises(ModelError, match="no such folder"):
        fit(tmp_path / "gone", tmp_path / "out", toys.sums(3))
    damaged = toys.model(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="weights cannot be loaded"):
        fit(damaged, tmp_path / "out", toys.sums(3))


def test_a_loss_that_is_no_number_is_an_error_and_leaves_no_model(base, tmp_path):
    with pytest.raises(ModelError, match="no number from step"):
        fit(base, tmp_path / "out", toys.sums(100), learning_rate=1e30, embedding_learning_rate=1e30)
    assert not (tmp_path / "out" / "model.safetensors").exists()


@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_same_call_gives_the_same_bytes_and_another_seed_others(base, tmp_path, method):
    told = {"method": method, "embedding_learning_rate": 0.01 if method == "full" else None, "save": "merged"}
    calls = (("a", 1), ("b", 1), ("c", 2))
    logs = [fit(base, tmp_path / name, toys.sums(300), seed, **told) for name, seed in calls]
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(tmp_path / "c")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b") != content_hash(base)
    assert logs[0].loss == logs[1].loss
    assert not (tmp_path / "a" / "unfinished").exists()


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # PEFT asks for the old name
def test_an_adapter_merged_into_its_base_computes_what_the_pair_computes(base, tmp_path):
    from peft import PeftModel

    fit(base, tmp_path / "out", toys.sums(100), method="lora", embedding_learning_rate=None, save="merged")
    ids = torch.randint(3, 20, (4, 12))
    fresh = AutoModelForCausalLM.from_pretrained(base)
    before = fresh(ids).logits
    pair = PeftModel.from_pretrained(fresh, tmp_path / "out" / "adapter")(ids).logits
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "out")(ids).logits
    torch.testing.assert_close(merged, pair, atol=1e-4, rtol=1e-4)
    assert (merged - before).abs().max() > 0.1


COARSE = {"method": "lora", "embedding_learning_rate": None, "dtype": "bfloat16", "learning_rate": 0.0002,
          "save": "merged"}


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_merged_weights_hold_the_whole_update_where_bfloat16_weights_would_miss_a_part(base, tmp_path):
    from peft import PeftModel

    fit(base, tmp_path / "out", toys.sums(100), **COARSE)
    before = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16).float()
    start = {name: weight.clone() for name, weight in before.state_dict().items()}
    whole = PeftModel.from_pretrained(before, tmp_path / "out" / "adapter").merge_and_unload().state_dict()
    written = AutoModelForCausalLM.from_pretrained(tmp_path / "out").state_dict()

    def missed(weights):
        """The share of the update that these weights do not hold."""
        off = sum(((weights[name].float() - whole[name]) ** 2).sum() for name in start)
        return (off / sum(((whole[name] - start[name]) ** 2).sum() for name in start)).sqrt().item()

    assert {weight.dtype for weight in written.values()} == {torch.float32}
    assert missed(written) < 1e-6
    assert missed({name: weight.bfloat16() for name, weight in whole.items()}) > 0.1


@pytest.mark.parametrize("settings", [COARSE, {**COARSE, "dtype": "float32"}])
def test_what_merging_changes_is_measured_and_kept(base, tmp_path, settings, caplog):
    with caplog.at_level("INFO", logger="lema.training.saving"):
        log = fit(base, tmp_path / "out", toys.sums(100), **settings)
    assert 0 <= log.merge_difference < 0.01
    assert "adapter: merged, it differs by" in caplog.text
    assert fit(base, tmp_path / "full", toys.sums(20)).merge_difference is None


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_merged_weights_that_are_others_than_the_trained_are_said_aloud(base, tmp_path, caplog, monkeypatch):
    from peft.tuners.lora import LoraModel

    merge = LoraModel.merge_and_unload
    fit(base, tmp_path / "out", toys.sums(100), **{**COARSE, "learning_rate": 0.002})
    monkeypatch.setattr(LoraModel, "merge_and_unload", lambda model: merge(model).bfloat16().float())
    (row,) = encode_rows(toys.sums(1), base, 64)
    _, difference = merged(lambda: AutoModelForCausalLM.from_pretrained(base), tmp_path / "out" / "adapter", row)
    assert difference > 0.01
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_model_trained_past_the_chat_template_has_none(tmp_path):
    chatty = toys.chatty(tmp_path / "base", toys.CHATML)
    settings = json.loads((chatty / "tokenizer_config.json").read_text())
    (chatty / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": toys.CHATML}))
    for form, there in (("chat", True), ("completions", False)):
        rows, out = toys.sums(4), tmp_path / form
        Trainer(Settings(method="full", save_steps=0)).fit(rows, chatty, out, 0, form=form)
        assert bool(load_tokenizer(out).chat_template) is there
        assert load_tokenizer(out)("Leo")["input_ids"] == load_tokenizer(chatty)("Leo")["input_ids"]


def test_a_fit_past_the_template_is_not_continued_from_one_through_it(base, tmp_path):
    calls = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lema.training.loop.run",
                      lambda fit, plan, progress: calls.append(fit.call) or Outcome([1.0], 0.0, None))
        for form in ("chat", "completions", "chat"):
            Trainer(Settings(**FAST)).fit(toys.sums(3), base, tmp_path / "out", 0, form=form)
    assert calls[0] == calls[2] != calls[1]


def test_one_of_several_processes_trains_nothing(base, tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RunError, match="2 processes were started together"):
        fit(base, tmp_path / "out", toys.sums(3))
    assert not (tmp_path / "out").exists()


def test_a_batch_cut_into_passes_has_the_loss_of_the_whole_batch(base, tmp_path):
    rows = [replace(row, id="", completion="The sum.") if number % 3 else row
            for number, row in enumerate(toys.sums(32))]
    told = {"batch_tokens": None, "batch_size": 32}
    whole = fit(base, tmp_path / "whole", rows, **told)
    parts = fit(base, tmp_path / "parts", rows, **told, accumulate=4)
    assert whole.steps == parts.steps == 1
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)


def test_bfloat16_trains_alike_and_is_written_as_such(base, tmp_path):
    exact, coarse = (fit(base, tmp_path / dtype, toys.sums(200), dtype=dtype) for dtype in ("float32", "bfloat16"))
    assert coarse.loss == pytest.approx(exact.loss, rel=0.05)
    assert coarse.loss != exact.loss
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "bfloat16").dtype == torch.bfloat16


def call_for(out, base, examples):
    """The script of a process that fits until it is killed, and stops for that after its second point."""
    return f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from tests import toys
from lema.training.sft import Settings, Trainer
settings = Settings(**{ {**FAST, 'save_steps': 20}!r})
def progress(steps, of):
    while steps > 45:
        time.sleep(1)  # until it is killed
Trainer(settings).fit(toys.sums({examples}), Path({str(base)!r}), Path({str(out)!r}), 3, progress)
"""


@pytest.mark.living
def test_a_fit_killed_and_called_again_ends_in_the_same_bytes(base, tmp_path):
    out, rows = tmp_path / "killed", toys.sums(2500)
    whole = fit(base, tmp_path / "alone", rows, 3, save_steps=0)
    assert whole.steps > 50
    with running([sys.executable, "-c", call_for(out, base, 2500)], stderr=subprocess.DEVNULL) as process:
        until(lambda: any(file.name == "whole" for file in under(out)), "a point to resume from", process)
        assert end(process), "the fit ended before it was killed"
    assert not (out / "model.safetensors").exists()
    half = out / "unfinished" / "checkpoint-9999"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half written")
    shown = []
    log = fit(base, out, rows, 3, save_steps=20, progress=lambda done, total: shown.append(done))
    assert shown[0] > 1, "nothing was resumed"
    assert weights(out) == weights(tmp_path / "alone")
    assert (log.steps, log.loss, log.tokens) == (whole.steps, whole.loss, whole.tokens)
    assert shown[-1] == log.steps


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "trainer_state.json", "scheduler.pt"])
def test_a_point_with_one_flipped_bit_is_never_continued(base, tmp_path, name):
    class Broken(BaseException):
        """As a kill: nothing of ours catches it."""

    def stopping(done, total):
        if done > 3:
            raise Broken

    out, rows = tmp_path / "out", toys.sums(120)
    fit(base, tmp_path / "alone", rows, 3, save_steps=0)
    with pytest.raises(Broken):
        fit(base, out, rows, 3, save_steps=2, progress=stopping)
    damaged = out / "unfinished/checkpoint-2" / name
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 4
    damaged.write_bytes(content)
    fit(base, out, rows, 3, save_steps=2)
    assert weights(out) == weights(tmp_path / "alone")


def test_points_of_another_call_are_never_continued(base, tmp_path):
    out = tmp_path / "out"
    point = out / "unfinished" / "checkpoint-2"
    point.mkdir(parents=True)
    (point / "whole").write_text(json.dumps({"call": "another", "losses": [], "seconds": 0}))
    fit(base, out, toys.sums(60))
    fit(base, tmp_path / "alone", toys.sums(60))
    assert weights(out) == weights(tmp_path / "alone")


def test_a_result_that_cannot_be_written_is_one_line(base, tmp_path):
    (tmp_path / "out" / "model.safetensors").mkdir(parents=True)
    with pytest.raises(RunError, match="cannot be written") as caught:
        fit(base, tmp_path / "out", toys.sums(20))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings, named", [
    ({"batch_size": 10, "accumulate": 4}, "multiple of accumulate"),
    ({"method": "lora", "embedding_learning_rate": 0.1}, "needs method"),
    ({"method": "prefix"}, "full"),
])
def test_settings_that_cannot_hold_together_are_refused(settings, named):
    with pytest.raises(ValidationError, match=named):
        Settings(**settings)


def test_where_to_resume_from_is_no_part_of_what_comes_out():
    assert Settings(save_steps=1).facts() == Settings(save_steps=99).facts()
    assert (Settings().rate, Settings(method="full").rate) == (2e-4, 1e-5)
