"""Fresh checkpoints: reproducible, loadable without a word, and a tokenizer that loses nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lema.checkpoints import load_tokenizer
from lema.errors import DataError
from lema.training.fresh import Shape, build
from tests import toys


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("fresh") / "model")


@pytest.fixture(scope="module")
def tokenizer(checkpoint):
    return load_tokenizer(checkpoint)


@given(st.lists(st.sampled_from(toys.WORDS), max_size=30).map("".join))
@settings(max_examples=200, deadline=None)
def test_text_of_the_vocabulary_goes_through_the_tokenizer_without_loss(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.unk_token_id in ids or tokenizer.decode(ids) == text


def test_every_piece_is_one_token_and_nothing_is_put_before_them(tokenizer):
    text = "Leo has 3 and 12.\nThe sum is 15."
    assert tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]) == [
        "Leo", " has", " 3", " and", " 12", ".", "\n", "The", " sum", " is", " 15", "."]
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_word_outside_the_vocabulary_is_unknown_and_the_rest_is_kept(tokenizer):
    assert tokenizer.convert_ids_to_tokens(tokenizer("Leo has cats.")["input_ids"]) == [
        "Leo", " has", "<unk>", "."]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(checkpoint, tmp_path):
    again, other = toys.model(tmp_path / "again"), toys.model(tmp_path / "other", seed=1)
    for file in checkpoint.iterdir():
        assert file.read_bytes() == (again / file.name).read_bytes(), file.name
    assert (checkpoint / "model.safetensors").read_bytes() != (other / "model.safetensors").read_bytes()


def test_building_leaves_the_random_numbers_of_others_alone(tmp_path):
    import torch

    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    toys.model(tmp_path / "model", seed=9)
    assert torch.equal(torch.rand(4), expected)


def test_a_fresh_checkpoint_loads_silently_with_the_shape_asked_for(checkpoint, capfd):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(checkpoint)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    assert capfd.readouterr() == ("", "")
    assert (model.config.hidden_size, model.config.num_hidden_layers) == (32, 2)
    assert (model.config.eos_token_id, model.config.pad_token_id) == (
        tokenizer.eos_token_id, tokenizer.pad_token_id) == (1, 0)
    assert 0.15 < model.get_input_embeddings().weight.std() < 0.25


@pytest.mark.parametrize("words, named", [(["a", "b", "a"], "'a'"), (["two words"], "'two words'"), ([""], "''")])
def test_an_entry_that_the_tokenizer_could_never_produce_is_refused_by_name(tmp_path, words, named):
    with pytest.raises(DataError, match=named):
        build(toys.SHAPE, words, tmp_path / "model", 0)


def test_a_width_that_the_heads_do_not_divide_is_refused():
    with pytest.raises(ValidationError, match="multiple of heads"):
        Shape(width=100, heads=3)
