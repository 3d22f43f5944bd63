"""Configs: what is wrong is said in one line that names the place and the near miss."""

import pytest

from lema.config import load_config, load_table, parse_config, recipes
from lema.errors import ConfigError

GOOD = """
name = "x"
task = { name = "lab" }
sample = { models = ["a"] }
[models.a]
backend = "teacher"
slip = 0.1
[arms.cot]
take = [{ kind = "cot" }]
"""


def _write(tmp_path, text):
    path = tmp_path / "c.toml"
    path.write_text(text)
    return str(path)


def test_a_good_config_loads_and_keeps_the_modules_own_keys(tmp_path):
    assert load_config(_write(tmp_path, GOOD)).models["a"].own == {"slip": 0.1}


@pytest.mark.parametrize(("change", "says"), [
    ("sampel.paths=2", "sampel: unknown key; did you mean 'sample'?"),
    ("sample.pahts=2", "sample.pahts: unknown key; did you mean 'paths'?"),
    ("arms.cot.take=[{kind='cot', sorce='worked'}]", "sorce: unknown key; did you mean 'source'?"),
    ("sample.models=['b']", "sample.models = 'b' is no [models.X]"),
    ("sample.split='test'", "sample.split = 'test' would train on the questions of an examination"),
    ("sample.split='dev'", "sample.split = 'dev' would train on the questions of an examination"),
    ("sample.paths=0", "sample.paths: Input should be greater than 0"),
    ("arms.cot.take=[{kind='cot', limti=3}]", "limti: unknown key; did you mean 'limit'?"),
    ("arms.cot.take=[{kind='stepp'}]", "examples: no 'stepp'; did you mean 'step'?"),
    ("arms.cot.take='lemma'", "arms.cot.take: no arm 'lemma'; did you mean 'lema'?"),
    ("arms=['cot', 'lemaa']", "arms.lemaa.take: no arm 'lemaa'; did you mean 'lema'?"),
    ("arms.cot.change={stpe={limit=3}}", "the arm takes no kind 'stpe'"),
    ("arms.cot.take=[{kind='cot', round='r'}]", "round 'r' is no [evolve.X]"),
    ("report.baseline='cott'", "'cott' is no [arms.X]; did you mean 'cot'?"),
    ("train={base='a', budget={tokens=1, epochs=2}}", "exactly one of tokens, examples, epochs, steps"),
    ("name='a/b'", "name: String should match pattern"),
])
def test_a_wrong_key_or_value_is_one_line_with_its_place(tmp_path, change, says):
    with pytest.raises(ConfigError) as error:
        load_config(_write(tmp_path, GOOD), [change])
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(tmp_path))


@pytest.mark.parametrize(("change", "says"), [
    ("evolve.one={model='a', seeds=3, after='two'}", "evolve.one.after = 'two' is no [evolve.X] above it"),
    ("evolve.one={model='a', seeds=3, students=['cot']}", "'cot' is no [arms.X] that is trained"),
    ("evolve.one={model='a', seeds=3, decontaminate=['12-gram']}", "evolve.one.decontaminate.0: Input should be"),
])
def test_a_round_that_follows_what_is_not_there_is_refused(tmp_path, change, says):
    with pytest.raises(ConfigError) as error:
        load_config(_write(tmp_path, GOOD), [change])
    assert says in str(error.value)


def test_a_round_cannot_take_its_mistakes_from_an_arm_that_needs_it(tmp_path):
    rounds = "evolve={one={model='a', seeds=3}, two={model='a', seeds=3, after='one', students=['late']}}"
    arms = "arms.late={take=[{kind='cot', source='sampled', round='two'}]}"
    with pytest.raises(ConfigError, match="arm 'late' itself needs round 'two'"):
        load_config(_write(tmp_path, GOOD), [rounds, arms, "train={base='a'}"])


def test_a_missing_config_names_the_nearest_recipe():
    with pytest.raises(ConfigError, match="did you mean 'tiny'"):
        load_config("tinny")


def test_text_that_is_not_toml_is_said_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match="not TOML.*line 1"):
        load_config(_write(tmp_path, "name = = 1"))


def test_overrides_are_read_as_toml_and_else_as_text(tmp_path):
    table = load_table(_write(tmp_path, GOOD), ["sample.paths=4", "name=hello", "machine.workers=2"])
    assert (table["sample"]["paths"], table["name"], table["machine"]) == (4, "hello", {"workers": 2})


@pytest.mark.parametrize("override", ["novalue", "=3", "name.x=1"])
def test_an_override_that_cannot_be_laid_over_is_refused(tmp_path, override):
    with pytest.raises(ConfigError, match="--set"):
        load_table(_write(tmp_path, GOOD), [override])


@pytest.mark.parametrize("recipe", recipes())
def test_every_shipped_recipe_is_valid_and_short(recipe):
    from lema.config import find_recipe

    assert load_config(recipe).name == recipe
    assert len(find_recipe(recipe).read_text().splitlines()) < 60


def test_a_config_is_frozen(tmp_path):
    config = parse_config(load_table(_write(tmp_path, GOOD)), "x")
    with pytest.raises(ValueError, match="frozen"):
        config.name = "y"
