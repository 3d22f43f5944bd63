"""`[evaluate] backend = "vllm"`: one server of the base knows every adapter by its name, and leaves in time."""

import json
import os
import sys
from pathlib import Path

import pytest

from lema.config import parse_config
from lema.errors import ModelError
from lema.records import ReasoningPath, read_rows
from lema.runs import serving
from lema.runs.serving import Serving, by_server
from lema.training.sft import Settings, Trainer
from tests import toys
from tests.commanding import lema
from tests.models import pretended_vllm
from tests.patience import until
from tests.processes import gone

pytestmark = pytest.mark.living
PRETENDED = Path(pretended_vllm.__file__)
NAMES = ("base", "cot-1", "lema-1")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A base, and two adapters of other ranks that were trained beside it."""
    folder = tmp_path_factory.mktemp("weights")
    base = toys.model(folder / "base")
    for name, rank in (("cot-1", 4), ("lema-1", 12)):
        told = Settings(method="lora", lora={"r": rank}, batch_size=16, max_length=64, save_steps=0)
        Trainer(told).fit(toys.sums(16), base, folder / name, 0)
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with questions of two sets and a Python that pretends to have vLLM."""
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} {PRETENDED} \"$@\"\n")
    python.chmod(0o755)
    for name in ("near", "far"):
        rows = [{"question": f"What is {n} and {name}?", "answer": f"#### {n}"} for n in range(3)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def table(home, weights, **evaluate):
    models = {"base": {"backend": "transformers", "path": str(weights / "base")}}
    for name in NAMES[1:]:
        models[name] = {**models["base"], "adapter": str(weights / name / "adapter")}
    sets = {name: {"task": "gsm8k", "test": str(home / f"{name}.jsonl")} for name in ("near", "far")}
    told = {"python": str(home / "python"), "start_seconds": 200.0, "resources": {"max_num_seqs": 4}}
    serving = {**told, **evaluate.pop("serving", {})}
    return {"name": "x", "task": {"name": "gsm8k", "test": str(home / "near.jsonl")}, "models": models,
            "evaluate": {"models": list(NAMES), "sets": sets, "max_tokens": 8, "backend": "vllm",
                         "serving": serving, **evaluate}}


def run(home, told, *more):
    import tomli_w

    (home / "x.toml").write_text(tomli_w.dumps(told))
    return lema(home, "run", "x.toml", *more)


def lines(home, kind):
    file = home / f"pids.{kind}"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def answers(home, test_set, name):
    return list(read_rows(ReasoningPath, home / f"runs/x/tests/{test_set}/answers/{name}/rows.jsonl"))


@pytest.mark.parametrize("workers", [1, 2])
def test_one_server_of_the_base_answers_for_every_arm_by_its_adapters_name(home, weights, workers):
    done = run(home, table(home, weights), "--set", f"machine.workers={workers}")
    assert done.returncode == 0, done.stderr
    (start,) = lines(home, "starts")  # for both test sets
    assert start["served"] == list(NAMES)
    flags = start["arguments"]
    for flag, value in (("--max-lora-rank", "16"), ("--max-loras", str(workers)), ("--max-cpu-loras", "2"),
                        ("--dtype", "float32"), ("--model", str(weights / "base")), ("--max-num-seqs", "4")):
        assert flags[flags.index(flag) + 1] == value
    for test_set in ("near", "far"):
        for name in NAMES:
            bodies = [json.loads(row.text) for row in answers(home, test_set, name)]
            assert [body["model"] for body in bodies] == [name] * 3
            assert test_set in bodies[0]["prompt"]
    assert len(lines(home, "ends")) == 1
    who = json.loads((home / "pids").read_text())
    assert gone(who["server"]) and gone(who["worker"])


def test_what_another_backend_wrote_is_not_taken_for_its(home, weights):
    told = table(home, weights)
    assert run(home, told).returncode == 0
    del told["evaluate"]["backend"], told["evaluate"]["serving"]
    planned = lema(home, "run", "x.toml")
    assert planned.returncode == 0 and len(lines(home, "starts")) == 1
    import tomli_w

    (home / "x.toml").write_text(tomli_w.dumps(told))
    planned = lema(home, "plan", "x.toml")
    assert "tests/near/answers/lema-1" in planned.stdout and "stale" in planned.stdout, planned.stdout


def test_a_server_that_does_not_take_an_adapter_is_one_line_and_nothing_is_left_running(home, weights):
    told = table(home, weights, serving={"options": {"max_lora_rank": 8}})
    done = run(home, told)
    assert done.returncode == 2 and "LoRA rank 12 is greater than max_lora_rank 8" in done.stderr, done.stderr
    assert done.stderr.count("lema:") == 1 and not lines(home, "starts")


@pytest.mark.parametrize(("evaluate", "says"), [
    ({"backend": "api", "serving": {}}, "runs no weights that are trained here"),
    ({"backend": "vlm"}, "did you mean 'vllm'"),
    ({"serving": {"pyton": "x"}}, "did you mean 'python'"),
    ({"serving": {"path": "x"}}, "serving.path follows from what is examined"),
    ({"backend": "transformers"}, "serving belongs to another backend")])
def test_what_cannot_examine_is_refused_before_anything_runs(home, weights, evaluate, says):
    told = table(home, weights, **evaluate)
    if evaluate.get("serving") == {}:
        told["evaluate"]["serving"] = {}
    done = run(home, told)
    assert done.returncode == 2 and says in done.stderr, done.stderr


def test_a_server_that_samples_is_stopped_before_the_next_stage(home, weights):
    done = run(home, {
        "name": "x", "task": {"name": "gsm8k", "train": str(home / "near.jsonl")},
        "sample": {"models": ["student"]},
        "models": {"student": {"backend": "vllm", "path": str(weights / "base"), "run": "server",
                               "python": str(home / "python"), "start_seconds": 200.0}}})
    assert done.returncode == 0, done.stderr
    (end,) = lines(home, "ends")
    assert end <= (home / "runs/x/graded/record.json").stat().st_mtime
    assert end <= (home / "runs/x/graded/rows.jsonl").stat().st_mtime


def test_a_python_without_vllm_is_said_before_anything_is_asked(home, weights):
    told = table(home, weights, serving={"python": "nowhere/python"})
    import tomli_w

    (home / "x.toml").write_text(tomli_w.dumps(told))
    done = lema(home, "check", "x.toml")
    assert done.returncode == 2 and "evaluate.serving: nowhere/python is no program" in done.stderr, done.stderr
    del told["evaluate"]["serving"]["python"]
    (home / "x.toml").write_text(tomli_w.dumps(told))
    done = lema(home, "check", "x.toml")
    assert "evaluate.serving: vllm is not installed; pip install vllm" in done.stderr, done.stderr


class StandIn:
    """A stage, as far as it matters who serves it."""

    def __init__(self, name, settings, models):
        self.name, self.settings, self.models = name, settings, models


def stages_of(config):
    told = config.evaluate
    return [StandIn(f"answers/{name}", told.of(name), {name: {}}) for name in NAMES]


def held(home, weights, **evaluate):
    config = parse_config(table(home, weights, **evaluate), "x")
    return config, stages_of(config), Serving(config)


def test_the_server_stays_for_stages_that_need_no_card_and_goes_before_one_that_may(home, weights):
    config, stages, servers = held(home, weights)
    assert [len(group) for group in by_server(stages, config)] == [3]
    with servers.shared_by(stages) as served:
        assert {each.name for each in served.values()} == set(NAMES)
    who = json.loads((home / "pids").read_text())
    with servers.shared_by([StandIn("examined", None, {})]) as served:
        assert served == {}
    with servers.shared_by(stages[1:]):
        assert len(lines(home, "starts")) == 1 and not lines(home, "ends")
    with servers.shared_by([StandIn("models/lema-2", None, {"base": {}})]):
        until(lambda: gone(who["server"]), "the server left before the fit")
        until(lambda: gone(who["worker"]), "and so did its worker")


def test_each_group_of_cards_has_a_server(home, weights, monkeypatch):
    monkeypatch.setattr(serving, "visible_cards", lambda: ("a", "b", "c", "d"))
    _, stages, servers = held(home, weights, serving={"resources": {"tensor_parallel_size": 2}})
    with servers.shared_by(stages) as served:
        assert {len(each.urls) for each in served.values()} == {2}
    assert sorted(start["cards"] for start in lines(home, "starts")) == ["a,b", "c,d"]
    servers.stop()
    until(lambda: len(lines(home, "ends")) == 2, "both ended")


def test_weights_of_their_own_are_served_one_after_the_other(home, weights):
    told = table(home, weights)
    told["models"]["lema-1"] = {"backend": "transformers", "path": str(toys.model(home / "full"))}
    config = parse_config(told, "x")
    assert [[stage.name for stage in group] for group in by_server(stages_of(config), config)] == [
        ["answers/base", "answers/cot-1"], ["answers/lema-1"]]


def test_a_server_that_ends_under_an_examination_says_why(home, weights):
    _, stages, servers = held(home, weights)
    with pytest.raises(ModelError, match="its server ended while it was asked"), servers.shared_by(stages):
        os.kill(json.loads((home / "pids").read_text())["server"], 9)
        until(lambda: all(server.last_words() is not None for server in servers._servers), "it has ended")
        raise ModelError("nobody answers")
