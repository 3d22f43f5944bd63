"""What every model backend must do, asked of each that lema ships and of one that a user wrote.

A new backend gets a function here that gives its settings table and some requests which it can answer.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

import pytest

from lema.errors import ConfigError
from lema.journal import Journal, complete
from lema.messages import Message, Model, Request
from lema.models import find_model
from lema.plugins import find, settings_of, shipped
from lema.records import Question, Sampling
from lema.tasks import find_task
from tests.batch_server import BatchServer
from tests.personas import OpenAI, Vllm
from tests.server import Server

PRETENDED = Path(__file__).parents[1] / "models" / "pretended_vllm.py"
DRAWN = Sampling(temperature=0.7, max_tokens=8, seed=5)
ASKED = tuple(Question(text=f"What is {i} plus {i}?", answer=str(2 * i)) for i in range(1, 5))
Built = tuple[dict, list[Request]]


def requests_of(questions: tuple[Question, ...], sampling: Sampling = DRAWN) -> list[Request]:
    return [Request((Message("user", question.text),), sampling, index, (question,))
            for question in questions for index in range(2)]


def api(folder: Path, server: Server) -> Built:
    return {"model": "m", "base_url": server.url, "concurrency": 4}, requests_of(ASKED)


def batch(folder: Path, server: Server) -> Built:
    table = {"model": "m", "base_url": BATCHES.url, "poll": 0.01, "file_requests": 3, "batches": 2}
    return table, requests_of(ASKED)


def recorded(folder: Path, server: Server) -> Built:
    lines = [json.dumps({"question": q.text, "text": f"{q.answer} {i}"}) + "\n" for q in ASKED for i in range(2)]
    (folder / "rollouts.jsonl").write_text("".join(lines), encoding="utf-8")
    return {"file": str(folder / "rollouts.jsonl")}, requests_of(ASKED)


def teacher(folder: Path, server: Server) -> Built:
    task = find_task("lab", {})
    questions = list(islice(task.questions("train"), 4))
    return {}, [Request(tuple(task.prompt(question)), Sampling(max_tokens=400, seed=5), index, (question,))
                for question in questions for index in range(2)]


def transformers(folder: Path, server: Server) -> Built:
    from lema.training.fresh import Shape, build

    words = sorted({piece for q in ASKED for word in q.text[:-1].split() for piece in (word, f" {word}")} | {"?"})
    build(Shape(width=64, layers=1, heads=2, feed_forward=64, positions=64), words, folder / "checkpoint", seed=1)
    return {"path": str(folder / "checkpoint"), "batch_size": 3}, requests_of(ASKED)


def vllm(folder: Path, server: Server) -> Built:
    """Its server, pretended: what stands between us and the real one. tests/interop asks the real one the same."""
    table, requests = transformers(folder, server)
    python = folder / "python"
    python.write_text(f"#!/bin/sh\nPIDS={folder}/pids exec {sys.executable} {PRETENDED} \"$@\"\n")
    python.chmod(0o755)
    return {"path": table["path"], "run": "server", "python": str(python)}, requests


BUILDERS: dict[str, Callable[[Path, Server], Built]] = {
    "api": api, "batch": batch, "recorded": recorded, "teacher": teacher, "transformers": transformers,
    "vllm": vllm,
}


BATCHES = BatchServer(persona=OpenAI())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server(persona=Vllm()) as running, BATCHES:
        yield running


@pytest.fixture(scope="module", params=shipped("models"))
def built(request, server, tmp_path_factory) -> tuple[str, Path, dict, list[Request]]:
    folder = tmp_path_factory.mktemp(request.param)
    return request.param, folder, *BUILDERS[request.param](folder, server)


@pytest.fixture(scope="module")
def model(built) -> Model:
    return find_model("x", built[0], built[2])


def test_every_shipped_backend_is_held_to_the_contract():
    assert set(BUILDERS) == set(shipped("models"))


def test_every_request_gets_its_own_completion_in_request_order(built, model):
    requests = built[3]
    completions = list(model.complete(iter(requests)))
    assert len(completions) == len(requests)
    assert not any(completion.failed for completion in completions), completions
    assert all(isinstance(c.text, str) and c.tokens >= 0 and c.prompt_tokens >= 0 for c in completions)
    again = list(model.complete(reversed(requests)))[::-1]
    # what a prompt costs depends on which paths were asked together, what comes out does not
    assert [(c.text, c.finish, c.tokens) for c in again] == [(c.text, c.finish, c.tokens) for c in completions]


def test_completions_stream_without_the_end_of_the_requests(built, model):
    endless = model.complete(cycle(built[3]))
    assert len(list(islice(endless, 20))) == 20
    endless.close()


def test_the_identity_is_the_same_each_time_and_names_no_place_or_key(built, model, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-7")
    name, folder, table, _ = built
    identity = json.dumps(model.identity(), sort_keys=True)
    assert identity == json.dumps(find_model("y", name, table).identity(), sort_keys=True)
    assert not [secret for secret in (str(folder), server.url, "127.0.0.1", "sk-secret-7") if secret in identity]


def test_it_runs_here_and_costs_nothing_or_names_the_model_by_which_its_price_is_found(model):
    if not getattr(model, "runs_here", False):
        assert model.identity()["model"] == model.settings.model != ""


class Silent:
    """The same model, which must not be asked."""

    def __init__(self, model: Model) -> None:
        self.identity = model.identity
        if hasattr(model, "batches"):
            self.batches = model.batches

    def complete(self, requests):
        raise AssertionError(f"asked for {list(requests)}")


def test_through_the_journal_a_second_pass_asks_nothing(built, model, tmp_path):
    requests = built[3]
    with Journal(tmp_path / "journal.sqlite") as journal:
        first = list(complete(journal, model, requests))
        assert len(first) == len(requests)
        assert list(complete(journal, Silent(model), requests)) == first


def test_batches_hold_every_request_once_and_stand_alone(built, model):
    if not hasattr(model, "batches"):
        return
    requests = built[3]
    batches = model.batches(requests)
    assert sorted(position for batch in batches for position in batch) == list(range(len(requests)))
    assert batches == model.batches(requests)
    for batch in batches:
        assert len(model.batches([requests[position] for position in batch])) == 1


def test_an_unknown_setting_is_refused(built):
    name, _, table, _ = built
    with pytest.raises(ConfigError, match=r"models\.x\.nonsense: unknown key"):
        settings_of(find("models", name, "Model").Settings, {**table, "nonsense": 1}, "models.x")


OWN = '''
from lema.messages import Completion
from lema.plugins import Settings as Base

class Settings(Base):
    word: str

class Model:
    def __init__(self, settings):
        self.settings = settings

    def identity(self):
        return {"word": self.settings.word}

    def complete(self, requests):
        for request in requests:
            yield Completion(f"{self.settings.word} {request.messages[-1].content}")
'''


def test_a_backend_of_the_users_own_is_found_by_its_dotted_path(tmp_path, monkeypatch):
    (tmp_path / "owned").mkdir()
    (tmp_path / "owned" / "parrot.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    own = find_model("x", "owned.parrot", {"word": "hello"})
    with Journal(tmp_path / "journal.sqlite") as journal:
        texts = [completion.text for completion in complete(journal, own, requests_of(ASKED[:1]))]
        assert texts == ["hello What is 1 plus 1?"] * 2
        assert [c.text for c in complete(journal, Silent(own), requests_of(ASKED[:1]))] == texts
    with pytest.raises(ConfigError, match=r"models\.x\.wrod: unknown key; did you mean 'word'"):
        find_model("x", "owned.parrot", {"word": "hello", "wrod": "hello"})


GOING_ON = "What is 1 plus"
"""A prefix that every backend of the builders can go on from."""


def _begun(requests: list[Request]) -> list[Request]:
    return [replace(request, prefix=GOING_ON) for request in requests]


def test_a_backend_goes_on_from_a_prefix_or_says_in_one_line_why_not(built, model):
    name, _, table, requests = built
    module = find("models", name, "Model")
    for table_ in (table, {**table, **CAN_GO_ON.get(name, {})}):
        why = module.Model.no_prefix(settings_of(module.Settings, table_, "models.x"))
        assert "\n" not in why
        if why:
            continue
        begun = find_model("x", name, table_)
        went_on = list(begun.complete(_begun(requests)))
        assert not any(completion.failed for completion in went_on), went_on
        assert went_on != list(begun.complete(requests))
        return
    assert name in ("recorded", "teacher")


def test_the_journal_keeps_what_went_on_from_a_prefix_apart_and_finds_what_had_none(built, model, tmp_path):
    name, _, table, requests = built
    going_on = find_model("x", name, {**table, **CAN_GO_ON.get(name, {})})
    with Journal(tmp_path / "journal.sqlite") as journal:
        whole = list(complete(journal, going_on, requests))
        begun = list(complete(journal, going_on, _begun(requests)))
        assert list(complete(journal, Silent(going_on), requests)) == whole
        assert list(complete(journal, Silent(going_on), _begun(requests))) == begun


CAN_GO_ON = {"api": {"prefill": "vllm"}, "batch": {"form": "completions", "model": "davinci-002"}}
"""What a backend needs in its table to go on from a prefix."""
