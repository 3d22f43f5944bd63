"""Preference pairs: trained on by TRL's DPOTrainer, and refused by a trainer that takes none."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from lema.checkpoints.rendering import encode
from lema.config import parse_config
from lema.errors import ConfigError
from lema.records import Example
from lema.stages.train import training
from lema.training import find_trainer
from tests import toys

PAIRS = {"beta": 0.1, "learning_rate": 0.001, "batch_size": 4}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toys.model(tmp_path_factory.mktemp("dpo") / "base")


def pair(row: Example) -> Example:
    wrong = row.completion.replace("9", "1") if "9" in row.completion else row.completion[::-1]
    return replace(row, kind="preference", dispreferred=wrong, id="")


def margin(folder, row: Example) -> float:
    """How much more probable the better side is than the worse one."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)

    def weight(example: Example) -> float:
        tokens = encode(tokenizer, example)
        ids = torch.tensor([[*tokens.prompt, *tokens.completion]])
        with torch.no_grad():
            logs = model(ids).logits[0].log_softmax(-1)
        start = len(tokens.prompt)
        return sum(float(logs[place - 1, token]) for place, token in enumerate(ids[0].tolist()) if place >= start)

    return weight(row) - weight(replace(row, completion=row.dispreferred))


def test_pairs_make_the_better_side_more_probable_than_the_worse(base, tmp_path):
    pairs = list(map(pair, toys.sums(16)))
    log = find_trainer("dpo", {"max_length": 64, "pairs": PAIRS}).fit(pairs * 4, base, tmp_path / "out", 0)
    assert (log.steps, log.examples) == (16, 64)
    before, after = ([margin(folder, row) for row in pairs] for folder in (base, tmp_path / "out"))
    assert sum(b > a for a, b in zip(before, after, strict=True)) >= 14
    assert not (tmp_path / "out/unfinished").exists()


def test_rows_that_are_no_pairs_are_trained_on_first_and_are_the_reference(base, tmp_path):
    rows = [*toys.sums(16), *map(pair, toys.sums(8))]
    shown = []
    table = {"max_length": 64, "batch_size": 4, "learning_rate": 0.001, "pairs": PAIRS}
    log = find_trainer("dpo", table).fit(rows, base, tmp_path / "out", 0, lambda *step: shown.append(step))
    assert log.steps == 4 + 2 and log.examples == 24
    assert shown[-1] == (6, 6)
    supervised = find_trainer("sft", {key: table[key] for key in table if key != "pairs"} | {"method": "full"})
    supervised.fit(rows[:16], base, tmp_path / "sft", 0)
    frozen = find_trainer("dpo", table | {"pairs": PAIRS | {"learning_rate": 1e-30}})
    frozen.fit(rows, base, tmp_path / "still", 0)
    first, second = (AutoModelForCausalLM.from_pretrained(tmp_path / name) for name in ("sft", "still"))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_the_same_pairs_end_in_the_same_weights(base, tmp_path):
    rows = [*toys.sums(8), *map(pair, toys.sums(8))]
    for out in ("a", "b"):
        find_trainer("dpo", {"max_length": 64, "pairs": PAIRS}).fit(rows, base, tmp_path / out, 1)
    assert (tmp_path / "a/model.safetensors").read_bytes() == (tmp_path / "b/model.safetensors").read_bytes()


CONFIG = """
name = "x"
task = { name = "lab" }
sample = { models = ["student"] }
correct = { model = "teacher" }
models = { student = { backend = "transformers", path = "none" }, teacher = { backend = "teacher" } }
train = { base = "student", trainer = "sft", method = "full" }
"""


def test_an_arm_of_pairs_is_refused_for_a_trainer_that_takes_none(tmp_path):
    def config(arms: str):
        import tomllib

        return parse_config(tomllib.loads(CONFIG + arms), "x.toml")

    mine = config('[arms.mine]\ntake = [{ kind = "preference" }]\n')
    with pytest.raises(ConfigError, match=r"arms.mine.take: kind 'preference' makes pairs.*trainer = \"dpo\""):
        training(mine)
    ready = training(config("[arms]\ncot = {}\nstep-dpo = {}\n"))
    assert {(each.arm, each.trainer) for each in ready} == {("cot", "sft"), ("step-dpo", "dpo")}
    with pytest.raises(ConfigError, match="beat"):
        training(config("[arms.step-dpo]\ntrain = { trainer = \"dpo\", pairs = { beat = 1 } }\n"))
