"""Real servers, asked as a run asks them. Opt-in, because each needs an environment of its own:

    LEMA_INTEROP_VLLM=/path/of/venv/bin/python LEMA_INTEROP_TRANSFORMERS=/path/of/venv/bin/transformers \\
        python -m pytest tests/interop -s

docs/interop.md says how those were made and what came out.
"""

import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import lema
from lema.config import parse_config
from lema.messages import Message, Model, Request
from lema.models import find_model
from lema.records import Sampling
from lema.runs.serving import Serving
from lema.runs.weights import as_examined
from lema.training.sft import Lora, Trainer
from lema.training.sft import Settings as TrainingSettings
from tests import toys
from tests.interop.opt_in import REASON
from tests.patience import until
from tests.processes import ended, running
from tests.runs.test_serving import StandIn

START_SECONDS = 400
ROOM = {"max_model_len": 64}
SMALL = {"max_num_seqs": 16, "enforce_eager": True}
TRAINED = TrainingSettings(method="full", optimizer="muon", learning_rate=0.02, embedding_learning_rate=0.01,
                           batch_tokens=512, max_length=64, save_steps=0)


def program(variable: str) -> str:
    """The program that an environment variable names; the test is skipped where it names none."""
    named = os.environ.get(variable)
    if not named:
        pytest.skip(REASON)
    return named


@pytest.fixture(scope="module")
def opted_in() -> None:
    """Skips before anything is trained where no server is named."""
    if not {"LEMA_INTEROP_VLLM", "LEMA_INTEROP_TRANSFORMERS"} & set(os.environ):
        pytest.skip(REASON)


@pytest.fixture(scope="module")
def checkpoint(opted_in, tmp_path_factory) -> Path:
    """A toy model that writes sums."""
    folder = tmp_path_factory.mktemp("interop")
    Trainer(TRAINED).fit(toys.sums(100) * 8, toys.model(folder / "base"), folder / "model", 0)
    return folder / "model"


@pytest.fixture(scope="module")
def adapters(checkpoint, tmp_path_factory) -> dict[str, Path]:
    """Folders of two fits beside the same base, each with its adapter alone and with merged weights beside it."""
    folder, fits = tmp_path_factory.mktemp("adapted"), {}
    for name, rank, says in (("cot-1", 4, "Leo has"), ("lema-1", 12, "Sam has")):
        rows = [replace(row, completion=row.completion.replace("The sum is", says), id="")
                for row in toys.sums(60, seed=rank) * 2]
        told = TRAINED.model_copy(update={"method": "lora", "optimizer": "adamw", "learning_rate": 0.02,
                                          "save": "merged", "embedding_learning_rate": None,
                                          "lora": Lora(r=rank, dropout=0.0)})
        Trainer(told).fit(rows, checkpoint, folder / name, rank)
        fits[name] = folder / name
    return fits


def asked(count: int, **sampling) -> list[Request]:
    return [Request((Message("user", row.prompt),), Sampling(**{"max_tokens": 12, **sampling}), index=number % 3)
            for number, row in enumerate(toys.sums(count, seed=5))]


def compared(name: str, ours: Model, theirs: Model, requests: list[Request]) -> int:
    """How many texts are the same; printed, because the docs show it."""
    here, there = list(ours.complete(requests)), list(theirs.complete(requests))
    assert not [one.finish for one in there if one.failed]
    same = sum(one == other for one, other in zip(here, there, strict=True))
    print(f"\n{name}: {same} of {len(requests)} the same in text, tokens and finish")
    return same


def vllm(checkpoint: Path, **more) -> Model:
    return find_model("x", "vllm", {"path": str(checkpoint), "dtype": "float32", "run": "server", "options": ROOM,
                                    "resources": SMALL, "python": program("LEMA_INTEROP_VLLM"), **more})


def test_vllm_serve_writes_what_the_transformers_backend_writes(checkpoint):
    theirs = vllm(checkpoint)
    ours = find_model("x", "transformers", {"path": str(checkpoint)})
    assert compared("vllm serve, greedy", ours, theirs, asked(30)) >= 29
    assert compared("vllm serve, greedy, stop", ours, theirs, asked(5, stop=("m i",))) == 5
    drawn = asked(30, temperature=2.0)
    paths = [one.text for one in theirs.complete(drawn)]
    again = [one.text for one in theirs.complete(drawn)]
    print(f"\nvllm serve, drawn twice with the same seeds: {sum(map(str.__eq__, paths, again))} of 30 the same")
    assert len(set(paths)) > 10
    long = next(theirs.complete([Request((Message("user", "Leo has 3." * 30),))]))
    print(f"\nvllm serve, a prompt without room: {long.finish}")
    assert long.failed


def test_one_server_writes_for_each_adapter_what_its_merged_weights_write(checkpoint, adapters):
    """As `[evaluate] backend = "vllm"` starts it; the base is examined by the same server."""
    models = {"base": {"backend": "transformers", "path": str(checkpoint), "dtype": "float32"}}
    for name, folder in adapters.items():
        models[name] = {**models["base"], "adapter": str(folder / "adapter")}
    serving = {"python": program("LEMA_INTEROP_VLLM"), "options": ROOM, "resources": SMALL}
    config = parse_config({
        "name": "x", "task": {"name": "lab"}, "models": models, "evaluate": {
            "models": list(models), "sets": {"lab": {"task": "lab"}}, "backend": "vllm", "serving": serving}}, "x")
    stages = [StandIn(f"answers/{name}", config.evaluate.of(name), {name: {}}) for name in models]
    servers, texts = Serving(config), {}
    with servers.shared_by(stages) as served:
        for stage, (name, table) in zip(stages, models.items(), strict=True):
            theirs = find_model(name, "vllm", as_examined(stage.settings, table))
            theirs.served = served[stage.name]
            folder = adapters.get(name, checkpoint)  # where adapter and base are one
            ours = find_model(name, "transformers", {"path": str(folder)})
            assert compared(f"one vLLM server, {name}, greedy", ours, theirs, asked(20)) >= 19
            texts[name] = tuple(completion.text for completion in theirs.complete(asked(20)))
    servers.stop()
    assert len(set(texts.values())) == 3  # else nobody could tell the adapters apart


OFFLINE = """
import json, multiprocessing, sys
from tests.interop.test_real_servers import asked
from lema.models import find_model
if __name__ == "__main__":
    model = find_model("x", "vllm", json.loads(sys.argv[1]))
    print("REPLIES", json.dumps([one.text for one in model.complete(asked(20))]))
    model.close()
    print("AFTER CLOSING", [process.name for process in multiprocessing.active_children() if process.is_alive()])
"""


def test_vllms_engine_in_process_writes_what_the_transformers_backend_writes(checkpoint, tmp_path):
    python = program("LEMA_INTEROP_VLLM")
    ours = find_model("x", "transformers", {"path": str(checkpoint)})
    (tmp_path / "offline.py").write_text(OFFLINE.replace("from tests.interop.test_real_servers import asked",
                                                         "from toy import asked"))
    (tmp_path / "toy.py").write_text(
        "from lema.messages import Message, Request\nfrom lema.records import Sampling\n"
        f"PROMPTS = {[request.messages[0].content for request in asked(20)]!r}\n"
        "def asked(count):\n    return [Request((Message('user', text),), Sampling(max_tokens=12), number % 3)\n"
        "            for number, text in enumerate(PROMPTS)]\n")
    table = {"path": str(checkpoint), "dtype": "float32", "options": ROOM, "resources": SMALL}
    source = str(Path(lema.__file__).parents[1])
    done = ended([python, "offline.py", json.dumps(table)], cwd=tmp_path, env=os.environ | {"PYTHONPATH": source})
    line = [line for line in done.stdout.splitlines() if line.startswith("REPLIES ")]
    assert line, done.stderr[-2000:]
    assert "AFTER CLOSING []" in done.stdout, done.stdout[-500:]  # its process held the card
    here = [one.text for one in ours.complete(asked(20))]
    same = sum(map(str.__eq__, here, json.loads(line[0].removeprefix("REPLIES "))))
    print(f"\nvllm engine, greedy: {same} of 20 the same in text")
    assert same >= 19


@pytest.fixture(scope="module")
def transformers_serve(checkpoint, tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """`transformers serve` with the toy model behind a chat template that adds nothing; its address."""
    folder = tmp_path_factory.mktemp("chat") / "model"
    shutil.copytree(checkpoint, folder)
    (folder / "chat_template.jinja").write_text("{{ messages[-1]['content'] }}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program("LEMA_INTEROP_TRANSFORMERS"), "serve", str(folder), "--host", "127.0.0.1", "--port",
               str(port)]
    with (folder.parent / "log").open("w+") as log, running(
            command, 4 * START_SECONDS, stdout=log, stderr=log) as server:
        _wait_for(f"http://127.0.0.1:{port}/health", server, folder.parent / "log")
        yield f"http://127.0.0.1:{port}/v1", folder


def test_transformers_serve_writes_what_the_transformers_backend_writes(transformers_serve):
    url, folder = transformers_serve
    ours = find_model("x", "transformers", {"path": str(folder)})
    theirs = find_model("x", "api", {"model": str(folder), "base_url": url, "concurrency": 4})
    here = [one.text for one in ours.complete(asked(10))]
    there = list(theirs.complete(asked(10)))
    assert not [one.finish for one in there if one.failed]
    same = sum(one == other.text for one, other in zip(here, there, strict=True))
    print(f"\ntransformers serve, greedy: {same} of 10 the same in text")
    assert same >= 9
    drawn = {one.text for one in theirs.complete(asked(10, temperature=2.0) * 2)}
    print(f"\ntransformers serve, 20 drawn paths of 10 questions: {len(drawn)} different texts")
    body = {"model": str(folder), "n": 3, "max_tokens": 12, "temperature": 2.0,
            "messages": [{"role": "user", "content": asked(1)[0].messages[0].content}]}
    sent = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(),
                                  {"Content-Type": "application/json"})
    with urllib.request.urlopen(sent, timeout=120) as reply:
        print(f"\ntransformers serve, asked for n = 3: {len(json.load(reply)['choices'])} choice(s)")


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    def answers() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError:
            return False

    try:
        until(answers, "the server answered", server, START_SECONDS, pause=0.5)
    except AssertionError as error:
        error.add_note(log.read_text()[-2000:])
        raise
