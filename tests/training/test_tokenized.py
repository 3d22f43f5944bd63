"""Fits of one set share its tokens: made once, waited for, and made anew where they are damaged."""

import threading

import pytest

from lema.checkpoints import weights_hash
from lema.errors import DataError
from lema.training import sft
from lema.training.sft import Settings, Trainer, encode_rows
from lema.training.tokenized import shared
from tests import toys

FAST = {"method": "full", "learning_rate": 0.001, "batch_size": 16, "max_length": 64, "save_steps": 0}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("tokenized") / "base")


@pytest.fixture
def counted(monkeypatch):
    """How often a whole set was encoded."""
    calls = []

    def encoding(*given):
        calls.append(given)
        return encode_rows(*given)

    monkeypatch.setattr(sft, "encode_rows", encoding)
    return calls


def fit(base, out, seed, **more):
    return Trainer(Settings(**FAST)).fit(toys.sums(20) * 2, base, out, seed, **more)


def test_fits_of_one_set_encode_it_once_and_train_what_they_would_alone(base, tmp_path, counted):
    for seed in (1, 2):
        fit(base, tmp_path / f"shared-{seed}", seed, tokens=tmp_path / "tokens")
    assert len(counted) == 1
    fit(base, tmp_path / "alone", 2)
    assert weights_hash(tmp_path / "alone") == weights_hash(tmp_path / "shared-2")


def test_tokens_that_are_no_more_what_was_written_are_made_anew(base, tmp_path, counted):
    fit(base, tmp_path / "one", 1, tokens=tmp_path / "tokens")
    (ids,) = (tmp_path / "tokens").rglob("ids.npy")
    damaged = bytearray(ids.read_bytes())
    damaged[-3] ^= 1
    ids.write_bytes(damaged)
    fit(base, tmp_path / "two", 1, tokens=tmp_path / "tokens")
    assert len(counted) == 2 and weights_hash(tmp_path / "one") == weights_hash(tmp_path / "two")


def test_another_form_or_length_is_another_set(base, tmp_path, counted):
    fit(base, tmp_path / "one", 1, tokens=tmp_path / "tokens")
    fit(base, tmp_path / "two", 1, tokens=tmp_path / "tokens", form="completions")
    assert len(counted) == 2
    with pytest.raises(DataError, match="tokens, more than the"):
        Trainer(Settings(**{**FAST, "max_length": 4})).fit(toys.sums(20), base, tmp_path / "three", 1,
                                                           tokens=tmp_path / "tokens")


def test_a_fit_that_begins_meanwhile_waits_for_the_tokens_of_the_first(base, tmp_path):
    rows, begun, go_on, calls = toys.sums(5), threading.Event(), threading.Event(), []

    def slowly():
        calls.append(1)
        begun.set()
        assert go_on.wait(60)
        return encode_rows(rows, base, 64)

    def get():
        return shared(tmp_path, rows, base, "chat", slowly)

    first, second = threading.Thread(target=get), threading.Thread(target=get)
    first.start()
    assert begun.wait(60)
    second.start()
    go_on.set()
    first.join(60)
    second.join(60)
    assert calls == [1] and not second.is_alive()
    assert [list(row.prompt) for row in get()] == [list(row.prompt) for row in encode_rows(rows, base, 64)]
