"""Ready arms: named in one line, built on the run's own, and changed in the table."""

import pytest

from lema.commands.run_folder import stages_of
from lema.config import parse_config
from lema.config.ready_arms import expanded, ready_arms
from lema.errors import ConfigError

CONFIG = {"name": "x", "task": {"name": "lab"}, "models": {"a": {"backend": "teacher"}},
          "sample": {"models": ["a"]}}
WORKED, CORRECTION = {"kind": "cot"}, {"kind": "correction"}
OWN = {"kind": "cot", "source": "own", "distinct": "equations"}
ISSUED = {"cot", "cot-same-questions", "teacher-cot", "lema", "lema-no-step", "lema-no-explanation",
          "lema-no-solution", "step", "rft", "rft-lema", "cft", "lemma-style", "retry", "mistake-tuning"}


def _take(arms, name):
    return expanded(arms)[name]["take"]


def test_the_rivals_are_there():
    assert set(ready_arms()) >= ISSUED


def test_a_list_of_names_is_a_comparison():
    config = parse_config(CONFIG | {"arms": ["cot", "lema", "cft"]}, "x")
    assert list(config.arms) == ["cot", "lema", "cft"]
    assert [take.kind for take in config.arms["lema"].take] == ["cot", "correction"]
    assert config.arms["cft"].about == "critiques of right and wrong paths, nothing else"


def test_an_arm_without_take_is_the_ready_one_and_may_have_a_budget_of_its_own():
    config = parse_config(CONFIG | {"arms": {"lema": {"budget": {"steps": 7}}}}, "x")
    assert config.arms["lema"].budget.steps == 7
    assert len(config.arms["lema"].take) == 2


def test_every_ready_arm_builds_on_the_runs_own_worked_solutions():
    own = [WORKED, {"kind": "cot", "source": "teacher"}]
    assert _take({"cot": {"take": own}, "lema": {}}, "lema") == [*own, CORRECTION]
    assert _take({"cot": {"take": own}, "rft-lema": {}}, "rft-lema") == [*own, OWN, CORRECTION]
    assert _take({"cot": {"take": ["cot", OWN]}, "lema": {}}, "lema") == [WORKED, OWN, CORRECTION]


def test_a_ready_arm_is_changed_by_kind_and_joined_with_others():
    arms = {"short": {"take": "lema", "change": {"correction": {"parts": ["step"], "limit": 9}}},
            "both": {"take": ["lema", "step", OWN]}}
    assert _take(arms, "short") == [WORKED, {"kind": "correction", "parts": ["step"], "limit": 9}]
    assert _take(arms, "both") == [WORKED, CORRECTION, {"kind": "step"}, OWN]
    assert _take(arms | {"twice": {"take": ["short", "both"]}}, "twice") == [
        *_take(arms, "short"), CORRECTION, {"kind": "step"}, OWN]


def test_arms_that_name_each_other_end():
    with pytest.raises(ValueError, match=r"arms.a.take: no arm 'a'"):
        expanded({"a": {"take": ["b"]}, "b": {"take": ["a"]}})


@pytest.mark.parametrize("arms", [3, ["cot", 3], {"cot": 3}, {"cot": {"take": 3}}, {"cot": {"take": [3]}}])
def test_what_is_no_arm_is_one_line(arms):
    with pytest.raises(ConfigError, match="x: arms") as error:
        parse_config(CONFIG | {"arms": arms}, "x")
    assert "\n" not in str(error.value)


def test_a_bill_in_money_needs_prices_and_is_no_bill_in_tokens_too(tmp_path):
    table = CONFIG | {"correct": {"model": "b"}, "arms": {"lema": {"budget": {"money": 2, "epochs": 1}}}}
    served = {"backend": "api", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    table["models"] = CONFIG["models"] | {"b": served}
    with pytest.raises(ConfigError, match=r"arms.lema.budget.money: the price of model 'b' is not known"):
        stages_of(tmp_path, parse_config(table, "x"))
    priced = parse_config(table | {"prices": {"m": {"input": 1, "output": 4}}}, "x")
    assert stages_of(tmp_path, priced)["sets/lema"].settings.prices == {"b": (1, 4)}
    with pytest.raises(ConfigError, match="teacher_tokens or money, not both"):
        parse_config(CONFIG | {"arms": {"cot": {"budget": {"money": 2, "teacher_tokens": 1}}}}, "x")
