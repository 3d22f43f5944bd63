"""Several cards: each worker process is shown its own, before anything of CUDA is loaded."""

import os
from collections.abc import Iterator

import pytest

from lema.config import Config, parse_config
from lema.config.sources import MachineConfig
from lema.plugins import Settings
from lema.records import Question
from lema.runs import engine
from lema.runs.cards import cards_of, each_worker_needs, listed, named, visible_cards
from lema.runs.context import StageContext
from lema.runs.run import Run
from tests.patience import until

VERSION = 1
FOUR = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")


@pytest.mark.parametrize(("cards", "each", "placed"), [
    (FOUR, 1, ["GPU-a", "GPU-b", "GPU-c", "GPU-d", "GPU-a"]),
    (FOUR, 2, ["GPU-a,GPU-b", "GPU-c,GPU-d", "GPU-a,GPU-b", "GPU-c,GPU-d", "GPU-a,GPU-b"]),
    (FOUR[:3], 2, ["GPU-a,GPU-b"] * 5),
    (FOUR, 4, [""] * 5), (FOUR, 8, [""] * 5), (FOUR[:1], 1, [""] * 5), ((), 1, [""] * 5),
])
def test_workers_take_cards_in_turn_as_many_as_a_model_lies_on(cards, each, placed):
    assert [",".join(cards_of(worker, cards, each)) for worker in range(5)] == placed


def test_the_cards_are_those_that_this_process_may_use():
    assert visible_cards({"CUDA_VISIBLE_DEVICES": "3, GPU-a,MIG-b"}) == ("3", "GPU-a", "MIG-b")
    assert named("1,0,-1,2") == ("1", "0")
    assert named("") == named("-1") == ()


def test_the_drivers_list_is_read_with_cards_that_are_cut_into_instances():
    text = ("GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-11aa)\n"
            "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-22bb)\n"
            "  MIG 3g.40gb     Device  0: (UUID: MIG-33cc)\n"
            "  MIG 3g.40gb     Device  1: (UUID: MIG-44dd)\n"
            "GPU 2: NVIDIA H100 80GB HBM3 (UUID: GPU-55ee)\n")
    assert listed(text) == ("GPU-11aa", "MIG-33cc", "MIG-44dd", "GPU-55ee")
    assert listed("No devices were found\n") == ()


def test_a_machine_without_a_driver_has_no_cards(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert visible_cards({}) == ()


def config(**models) -> Config:
    return parse_config({"name": "x", "task": {"name": "lab"}, "sample": {"models": ["a"]},
                         "models": {"a": {"backend": "teacher"}} | models, "machine": {"workers": 2}}, "x")


def test_a_worker_gets_as_many_cards_as_the_largest_model_lies_on():
    assert each_worker_needs(config()) == 1
    big = {"backend": "vllm", "path": "x", "resources": {"tensor_parallel_size": 2, "pipeline_parallel_size": 2}}
    assert each_worker_needs(config(big=big)) == 4


def test_who_names_a_device_by_its_number_has_placed_it():
    assert each_worker_needs(config(b={"backend": "transformers", "path": "x", "device": "cuda:1"})) == 0
    assert each_worker_needs(config(b={"backend": "transformers", "path": "x", "device": "cuda"})) == 1


def test_each_device_that_is_named_has_a_worker_unless_their_number_is_stated():
    def machine(**told):
        return parse_config({**config().model_dump(mode="json", by_alias=True, exclude_none=True),
                             "machine": told, "evaluate": {}, "sample": {"models": ["a"]}}, "x").machine

    assert machine(devices=["GPU-a", 3, "GPU-c"]).workers == 3
    assert machine(devices=["GPU-a", 3, "GPU-c"]).devices == ("GPU-a", "3", "GPU-c")
    assert machine(devices=["GPU-a", "GPU-b"], workers=4).workers == 4
    assert machine().workers == 1


class Place(Settings):
    """Which of two stages this is."""

    number: int


def see(context: StageContext, settings: Place) -> Iterator[Question]:
    """What the worker is shown; it waits until the other one is at work too."""
    (context.run_folder / f"at-work-{settings.number}").touch()
    until(lambda: (context.run_folder / f"at-work-{1 - settings.number}").exists(), "both are at work")
    yield Question(text=os.environ.get("CUDA_VISIBLE_DEVICES", "all"), answer=str(settings.number))


def test_two_workers_are_shown_the_devices_that_the_config_names(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "set back after the test")
    monkeypatch.setattr(engine, "visible_cards", lambda: FOUR)
    told = config().model_copy(update={"machine": MachineConfig(devices=("GPU-b", "GPU-d"))})
    run = Run(tmp_path, engine.Local(tmp_path, told, lambda news: None), told)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-b,GPU-d"
    stages = run.side_by_side([run.planned(f"seen/{number}", see, Place(number=number)) for number in (0, 1)])
    run.engine.close()
    assert {question.text for stage in stages for question in stage} == {"GPU-b", "GPU-d"}


@pytest.mark.parametrize(("cards", "shown"), [(FOUR[:2], {"GPU-a", "GPU-b"}), (FOUR[:1], {"all"}), ((), {"all"})])
def test_two_workers_are_shown_two_cards(cards, shown, tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(engine, "visible_cards", lambda: cards)
    run = Run(tmp_path, engine.Local(tmp_path, config(), lambda news: None), config())
    stages = run.side_by_side([run.planned(f"seen/{number}", see, Place(number=number)) for number in (0, 1)])
    run.engine.close()
    assert {question.text for stage in stages for question in stage} == shown
