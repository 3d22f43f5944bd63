"""The contract of every trainer that lema ships: counts, the same weights again, refusals, a loadable result."""

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from lema.checkpoints import weights_hash
from lema.errors import DataError, ModelError
from lema.models._weights import with_adapter
from lema.plugins import shipped
from lema.training import TrainingLog, find_trainer
from tests import toys

pytestmark = pytest.mark.parametrize("name", shipped("training"))


def left_by(out, base):
    """What a fit left, in weights: a checkpoint's, or its base's with the adapter in them."""
    if (out / "config.json").is_file():
        return AutoModelForCausalLM.from_pretrained(out)
    return with_adapter(AutoModelForCausalLM.from_pretrained(base), out / "adapter", "merged")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("contract") / "base")


def test_a_fit_writes_a_checkpoint_that_loads_and_counts_what_it_did(name, base, tmp_path):
    rows, shown = toys.sums(40), []
    log = find_trainer(name, {"max_length": 64}).fit(rows, base, tmp_path / "out", 0,
                                                     lambda done, total: shown.append((done, total)))
    assert isinstance(log, TrainingLog)
    assert log.examples == 40
    assert 0 < log.tokens < log.all_tokens
    assert shown[-1] == (log.steps, log.steps)
    trained, before = left_by(tmp_path / "out", base), AutoModelForCausalLM.from_pretrained(base)
    assert any((a != b).any() for a, b in zip(trained.parameters(), before.parameters(), strict=True))
    text = rows[0].prompt
    assert AutoTokenizer.from_pretrained(tmp_path / "out")(text) == AutoTokenizer.from_pretrained(base)(text)


def test_the_same_call_ends_in_the_same_weights_and_the_base_is_left_alone(name, base, tmp_path):
    before = {file.name: file.read_bytes() for file in base.iterdir()}
    for out in ("a", "b"):
        find_trainer(name, {"max_length": 64}).fit(toys.sums(40), base, tmp_path / out, 1)
    first, second = (left_by(tmp_path / out, base).parameters() for out in ("a", "b"))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
    assert weights_hash(tmp_path / "a") == weights_hash(tmp_path / "b") != weights_hash(base)
    assert {file.name: file.read_bytes() for file in base.iterdir()} == before


def test_a_row_that_does_not_fit_is_refused(name, base, tmp_path):
    with pytest.raises(DataError, match="row 1"):
        find_trainer(name, {"max_length": 8}).fit(toys.sums(3), base, tmp_path / "out", 0)


def test_nothing_to_train_on_and_nothing_to_continue_are_refused(name, base, tmp_path):
    with pytest.raises(DataError):
        find_trainer(name, {}).fit([], base, tmp_path / "out", 0)
    with pytest.raises(ModelError):
        find_trainer(name, {}).fit(toys.sums(3), tmp_path / "gone", tmp_path / "out", 0)
