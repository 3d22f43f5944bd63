"""Several processes train what one would: two against one, two machines, a killed rank, a world too small."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from lema.errors import ModelError, RunError
from lema.training import launch
from lema.training.loop import Loop
from lema.training.sft import Settings, Trainer
from tests import toys
from tests.patience import until
from tests.processes import ended, running

pytestmark = pytest.mark.living
FAST = {"method": "full", "learning_rate": 0.001, "batch_size": 16, "max_length": 64, "save_steps": 0}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("together") / "base")


@pytest.fixture(scope="module")
def alone(base, tmp_path_factory):
    out = tmp_path_factory.mktemp("alone") / "out"
    return out, fit(base, out)


def fit(base, out, progress=None, **settings):
    return Trainer(Settings(**{**FAST, **settings})).fit(toys.sums(65), base, out, 0, progress)


def same(folder: Path, other: Path) -> None:
    """Of whole weights, or of the adapters where nothing else is there."""
    name = "model.safetensors" if (folder / "model.safetensors").exists() else "adapter/adapter_model.safetensors"
    first, second = (load_file(place / name) for place in (folder, other))
    assert first.keys() == second.keys()
    for name, weight in first.items():
        torch.testing.assert_close(second[name], weight, atol=1e-6, rtol=0)


def test_two_processes_train_the_weights_of_one(base, alone, tmp_path):
    steps = []
    log = fit(base, tmp_path / "two", lambda done, total: steps.append((done, total)), processes=2)
    out, single = alone
    same(out, tmp_path / "two")
    assert log.loss == pytest.approx(single.loss, abs=1e-6)
    assert (log.steps, log.tokens) == (single.steps, single.tokens)
    assert steps == [(step + 1, log.steps) for step in range(log.steps)]
    lines = [json.loads(line) for line in (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, log.steps + 1))
    assert not (tmp_path / "two" / "unfinished").exists()


def test_shared_out_weights_are_trained_to_those_of_one_process(base, alone, tmp_path):
    log = fit(base, tmp_path / "two", processes=2, parallel="fsdp")
    out, single = alone
    same(out, tmp_path / "two")
    assert log.loss == pytest.approx(single.loss, abs=1e-6) and log.steps == single.steps
    assert (out / "config.json").read_text() == (tmp_path / "two" / "config.json").read_text()


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_adapters_beside_shared_out_weights_are_those_of_one_process(tmp_path, method):
    wide = toys.chatty(tmp_path / "wide", width=64)
    told = {"method": method, "lora": {"r": 8, "dropout": 0.0}, "packing": True, "accumulate": 2,
            "learning_rate": 2e-4}
    one = fit(wide, tmp_path / "one", **told)
    two = fit(wide, tmp_path / "two", **told, processes=2, parallel="fsdp")
    same(tmp_path / "one", tmp_path / "two")
    assert two.loss == pytest.approx(one.loss, abs=1e-6)
    assert two.merge_difference == pytest.approx(one.merge_difference, abs=1e-3)


def test_packed_rows_in_passes_are_shared_out_alike(base, tmp_path):
    told = {"packing": True, "accumulate": 4}
    one, two = fit(base, tmp_path / "one", **told), fit(base, tmp_path / "two", **told, processes=2)
    same(tmp_path / "one", tmp_path / "two")
    assert two.loss == pytest.approx(one.loss, abs=1e-6)


def test_adapters_of_several_processes_are_those_of_one(base, tmp_path):
    told = {"method": "lora", "lora": {"dropout": 0.0}}
    one, two = fit(base, tmp_path / "one", **told), fit(base, tmp_path / "two", **told, processes=2)
    same(tmp_path / "one", tmp_path / "two")
    assert two.loss == pytest.approx(one.loss, abs=1e-6) and two.merge_difference < 0.01


@pytest.mark.parametrize("told", [{}, {"parallel": "fsdp"},
                                  {"parallel": "fsdp", "method": "lora", "lora": {"dropout": 0.0}}], ids=str)
def test_a_killed_rank_goes_on_from_the_last_point_with_all_others(base, alone, tmp_path, told):
    out, killed = tmp_path / "killed", []

    def progress(done: int, total: int) -> None:
        if (out / "unfinished" / "checkpoint-2" / "whole").exists() and not killed:
            for process in Path("/proc").glob("[0-9]*"):
                if is_rank(process, out, "1"):
                    killed.append(process.name)
                    os.kill(int(process.name), signal.SIGKILL)

    whole, single = alone
    if told.get("method"):
        whole = tmp_path / "whole"
        single = fit(base, whole, **{**told, "parallel": "ddp"})
    log = fit(base, out, progress, processes=2, save_steps=2, **told)
    assert killed
    same(whole, out)
    assert log.steps == single.steps and log.loss == pytest.approx(single.loss, abs=1e-6)


def is_rank(process: Path, out: Path, rank: str) -> bool:
    """Whether a process is that rank of the fit to `out`."""
    try:
        environment = (process / "environ").read_bytes().split(b"\0")
        return str(out).encode() in (process / "cmdline").read_bytes() and f"RANK={rank}".encode() in environment
    except OSError:
        return False


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_two_machines_that_meet_train_the_weights_of_one(base, alone, tmp_path, monkeypatch, parallel):
    """The second is a further launcher, started by the command that the first one says."""
    command_of = launch.command_of
    with contextlib.ExitStack() as others, socket.socket() as probe:
        def both(fit, folder):
            command = command_of(fit, folder)
            others.enter_context(running(command, stdout=subprocess.DEVNULL))
            return command

        monkeypatch.setattr(launch, "command_of", both)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        log = fit(base, tmp_path / "two", nodes=2, rendezvous=f"localhost:{port}", parallel=parallel)
    same(alone[0], tmp_path / "two")
    assert log.steps == alone[1].steps


def test_what_a_rank_refuses_is_said_once_and_not_tried_again(base, tmp_path):
    with pytest.raises(ModelError, match="no number from step"):
        fit(base, tmp_path / "out", processes=2, learning_rate=1e30)
    damaged = toys.model(tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="weights cannot be loaded"):
        fit(damaged, tmp_path / "other", processes=2)


def test_every_process_holds_its_share_of_the_weights_and_no_more(base, tmp_path):
    """Asked in a process of its own, where two meet: what each keeps, and that muon is refused."""
    code = ("import sys\nfrom pathlib import Path\nimport torch\nfrom torch import distributed\n"
            "from lema.training.rank import meet\nfrom lema.training.sharding import ShardedLoop\n"
            "from tests import toys\nfrom tests.training.test_real_sizes import fit_of\n"
            "meet()\n"
            f"fit = fit_of(Path({str(tmp_path)!r}) / 'out', Path({str(base)!r}), toys.sums(8), processes=2,\n"
            "             parallel='fsdp')\n"
            "loop = ShardedLoop(fit, fit.settings.plan([row.length for row in fit.rows], 0), None)\n"
            "own = sum(weight.to_local().numel() for weight in loop.model.parameters())\n"
            "every = sum(weight.numel() for weight in loop.model.parameters())\n"
            "print('share', own / every, flush=True)\ndistributed.destroy_process_group()\n")
    (tmp_path / "share.py").write_text(code)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", str(tmp_path / "share.py")]
    root = Path(__file__).parents[2]
    done = ended(command, cwd=root, env={**os.environ, "PYTHONPATH": f"{root}:{root / 'src'}"})
    shares = [float(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("share")]
    assert len(shares) == 2 and all(0.49 < share < 0.51 for share in shares), done.stderr
    with pytest.raises(ValidationError, match="what muon needs whole"):
        Settings(method="full", optimizer="muon", processes=2, parallel="fsdp")


def test_a_world_that_is_not_the_one_asked_for_trains_nothing(base, tmp_path):
    from tests.training.test_real_sizes import fit_of

    told = fit_of(tmp_path / "out", base, toys.sums(4), processes=2)
    with pytest.raises(RunError, match="1 processes train together, where .* ask for 2"):
        Loop(told, told.settings.plan([row.length for row in told.rows], 0), None)


def test_all_processes_end_with_the_one_that_started_them(base, tmp_path):
    out = tmp_path / "out"
    code = ("import sys\nfrom pathlib import Path\nfrom tests import toys\n"
            "from lema.training.sft import Settings, Trainer\n"
            f"Trainer(Settings(**{ {**FAST, 'processes': 2, 'batch_size': 1}!r})).fit("
            f"toys.sums(2000), Path({str(base)!r}), Path({str(out)!r}), 0)")
    with running([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                 cwd=Path(__file__).parents[2]) as ours:
        until(lambda: ranks(out), "the ranks are there", ours)
        os.kill(ours.pid, signal.SIGKILL)
    until(lambda: not ranks(out), "the ranks are gone")


def ranks(out: Path) -> list[Path]:
    return [process for process in Path("/proc").glob("[0-9]*") for rank in "01" if is_rank(process, out, rank)]
