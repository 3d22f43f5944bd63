"""The vLLM backend without vLLM: how its server is started, asked and stopped, and what names a completion.

The real engine and the real server are asked in tests/interop.
"""

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lema.errors import ModelError
from lema.journal import Journal, complete
from lema.messages import Message, Request, wire_seed
from lema.models.vllm import Model, Settings
from lema.records import Sampling
from tests import toys
from tests.patience import until
from tests.processes import end, gone, running

pytestmark = pytest.mark.living
PRETENDED = Path(__file__).with_name("pretended_vllm.py")


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A settings table for a pretended server, which says who it is in `pids`; nothing of it outlives the test."""
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexec {sys.executable} {PRETENDED} \"$@\"\n")
    python.chmod(0o755)
    yield {"path": str(toys.model(tmp_path / "toy")), "run": "server", "python": str(python), "start_seconds": 200}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if str(tmp_path).encode() in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)


def started(tmp_path) -> dict:
    return json.loads((tmp_path / "pids").read_text())


def until_gone(pids: dict) -> None:
    for name in ("server", "worker"):
        until(lambda name=name: gone(pids[name]), f"the {name} is gone")


def asked(text: str, index: int = 0, **sampling) -> Request:
    return Request((Message("user", text),), Sampling(**sampling), index)


def test_a_server_is_started_asked_and_stopped_with_all_its_workers(told, tmp_path):
    model = Model(Settings(**told))
    path = asked("Leo has 3", 2, temperature=0.5, seed=1, max_tokens=9)
    first, second = model.complete([path, asked("Sam")])
    body = json.loads(first.text)
    assert body == {"model": "base", "prompt": "Leo has 3", "seed": wire_seed(path), "max_tokens": 9, "top_k": 0}
    assert json.loads(second.text)["max_tokens"] == 64 - 1  # no more than there is room for
    who = started(tmp_path)
    list(model.complete([asked("again")]))
    assert started(tmp_path) == who
    del model
    gc.collect()
    until_gone(who)


def test_a_model_that_is_closed_leaves_the_card_at_once_and_can_be_asked_again(told, tmp_path):
    model = Model(Settings(**told))
    assert len(list(model.complete([asked("x")]))) == 1
    who = started(tmp_path)
    model.close()
    until_gone(who)
    assert len(list(model.complete([asked("x")]))) == 1 and started(tmp_path) != who
    model.close()


def test_the_server_ends_when_we_are_killed(told, tmp_path):
    code = ("import json, sys, time\nfrom lema.messages import Message, Request\n"
            "from lema.models.vllm import Model, Settings\nmodel = Model(Settings(**json.loads(sys.argv[1])))\n"
            "print(len(list(model.complete([Request((Message('user', 'x'),))]))), flush=True)\ntime.sleep(600)")
    with running([sys.executable, "-c", code, json.dumps(told)], stdout=subprocess.PIPE) as ours:
        assert ours.stdout.readline() == b"1\n"
        assert end(ours)
    until_gone(started(tmp_path))


def test_a_server_that_does_not_start_is_one_line_with_what_it_said(told):
    with pytest.raises(ModelError, match="ended before it answered .*float16 is not supported here") as caught:
        list(Model(Settings(**told, dtype="float16")).complete([asked("x")]))
    assert "\n" not in str(caught.value)


def test_a_server_that_is_killed_under_a_run_is_one_line_and_what_came_is_kept(told, tmp_path, monkeypatch):
    monkeypatch.setattr("lema.models.vllm.PATIENCE", 0.2)

    def requests():
        yield asked("first")
        until((tmp_path / "pids").exists, "the server is up")
        os.kill(started(tmp_path)["server"], signal.SIGKILL)
        until_gone(started(tmp_path))
        yield from map(asked, ["second", "third"])

    ended = pytest.raises(ModelError, match="its server ended while it was asked .*run the same command again")
    with Journal(tmp_path / "journal") as journal, ended as caught:
        model = Model(Settings(**told))
        list(model.complete([asked("it is up")]))
        list(complete(journal, model, requests()))
    assert "\n" not in str(caught.value)
    with Journal(tmp_path / "journal") as journal:
        again = list(complete(journal, Model(Settings(**told)), map(asked, ["first", "second", "third"])))
    assert [json.loads(each.text)["prompt"] for each in again] == ["first", "second", "third"]


def test_prefix_caching_adapters_and_the_users_options_reach_the_command_line(told, tmp_path):
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"r": 12}')
    (adapter / "adapter_model.safetensors").write_bytes(b"x")
    model = Model(Settings(**told, adapter=str(adapter), options={"max_model_len": 32, "enforce_eager": True},
                           resources={"max_num_seqs": 4, "enable_prefix_caching": False}))
    (reply,) = model.complete([asked("x")])
    assert json.loads(reply.text)["model"] == "adapter"
    flags = started(tmp_path)["arguments"]
    assert flags[:2] == ["-m", "vllm.entrypoints.openai.api_server"]
    assert {"--enable-lora", "--enforce-eager", "--no-enable-prefix-caching"} < set(flags)
    for flag, value in (("--max-lora-rank", "16"), ("--max-model-len", "32"), ("--max-num-seqs", "4")):
        assert flags[flags.index(flag) + 1] == value
    assert json.loads(flags[flags.index("--lora-modules") + 1]) == {"name": "adapter", "path": str(adapter)}


def test_where_and_how_fast_it_runs_is_neither_identity_nor_facts(told, tmp_path):
    here = Model(Settings(path=told["path"]))
    there = Model(Settings(**told, resources={"tensor_parallel_size": 2}))
    assert here.identity() == there.identity()
    assert here.settings.facts() == there.settings.facts()
    assert Model(Settings(path=told["path"], options={"max_model_len": 32})).identity() != here.identity()
    assert str(tmp_path) not in json.dumps(there.identity())


def test_an_adapter_that_vllm_cannot_serve_is_one_line(told, tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"r": 1024}')
    (tmp_path / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError, match="a rank up to 512; merge"):
        list(Model(Settings(**told, adapter=str(tmp_path))).complete([asked("x")]))
