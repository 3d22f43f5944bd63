"""Rounds: what follows what, seen in the plan; a second try and a later round are stages like any other."""

import pytest

from lema.commands.run_folder import stages_of
from lema.config import load_table, parse_config
from lema.errors import ConfigError
from lema.stages.report import _hinted


def _stages(tmp_path, *overrides):
    return stages_of(tmp_path, parse_config(load_table("tiny", list(overrides)), "tiny"))


def _inputs(stages, name):
    return {stage.name for stage in stages[name].sources}


LATER = "evolve.second={model='teacher', after='centric', students=['lema'], seeds=20}"


def test_a_later_round_corrects_mistakes_of_a_model_just_trained(tmp_path):
    stages = _stages(tmp_path, LATER)
    assert stages["second/paths/lema-1"].models["lema-1"].name == "models/lema-1"
    assert _inputs(stages, "second/graded") == {"second/questions", "second/paths/lema-1"}
    order = list(stages)
    assert order.index("models/lema-1") < order.index("second/paths/lema-1") < order.index("models/lema-2")


def test_a_later_round_grows_from_the_first_corrections_and_knows_the_round_before(tmp_path):
    stages = _stages(tmp_path, LATER)
    assert _inputs(stages, "second/drafts") == {"questions", "verified", "centric/questions"}
    assert _inputs(stages, "centric/drafts") == {"questions", "verified"}
    assert _inputs(stages, "general/drafts") == {"questions"}


def test_a_later_round_makes_nothing_before_it_stale(tmp_path):
    before, after = _stages(tmp_path), _stages(tmp_path, LATER)
    changed = {name for name in before if before[name].fingerprint != after[name].fingerprint}
    assert changed == {"accounts", "tables", "report"}


def test_corrections_of_a_later_round_are_bought_only_where_an_arm_takes_them(tmp_path):
    def bought(*overrides):
        return {name for name in _stages(tmp_path, *overrides) if name.endswith(("continued", "corrections"))}

    both = "continue={}"
    assert bought(both) == {"corrections", "continued", "centric/corrections", "general/corrections"}
    assert bought(both, LATER) == bought(both), "no arm takes from the second round"
    takes = "arms.more={take=[{kind='step', source='continued', round='centric'}]}"
    assert bought(both, takes) == {*bought(both), "centric/continued"}
    whole = "arms.more={take=['step', {kind='step', round='second'}]}"
    assert "second/corrections" in bought(LATER, whole)


def test_a_round_without_corrections_leaves_the_others_in_their_places(tmp_path):
    takes = "arms.more={take=[{kind='step', source='continued', round='general'}]}"
    stages = _stages(tmp_path, "continue={}", takes)
    assert _inputs(stages, "accounts") >= {"continued", "general/continued"}
    places = stages["accounts"].inputs[-1]
    assert [place and place.name for place in places] == ["continued", (), "general/continued"]


def test_a_second_try_is_a_stage_behind_the_first_verdicts(tmp_path):
    stages = _stages(tmp_path, "correct.tries=2")
    assert _inputs(stages, "corrections") == {"questions", "graded", "try-1/verified"}
    assert set(stages["corrections"].prompts) == {"correct", "again"}
    assert "general/try-1/corrections" in stages


def test_the_report_says_how_many_corrections_were_made_with_a_hint():
    from lema.records import Correction

    kept = [Correction(question="q", path="p", model="m", reply=str(n), hint="answer" if n else "")
            for n in range(3)]
    (sentence,) = _hinted(kept)
    assert "2 of the 3 kept corrections" in sentence
    assert not list(_hinted(kept[:1]))


AGAIN = "evolve.again={questions='same', students=['lema'], correction_tokens=500}"
TAKES = ("arms.twice={take=['cot', 'lema', {kind='correction', round='again'}], continues='lema'}",
         "arms.fresh={take=['cot', 'lema', {kind='correction', round='again'}]}")


def test_a_round_of_the_same_questions_corrects_what_the_model_just_trained_gets_wrong(tmp_path):
    stages = _stages(tmp_path, AGAIN, *TAKES)
    assert _inputs(stages, "again/paths/lema-1") == {"questions"}
    assert _inputs(stages, "again/graded") == {"questions", "again/paths/lema-1"}
    assert stages["again/corrections"].settings.tokens == 500
    assert not {name for name in stages if name.startswith(("again/drafts", "again/votes", "again/questions"))}
    assert {"verified", "again/verified"} <= _inputs(stages, "sets/fresh")


def test_an_arm_goes_on_from_another_one_s_model_of_its_seed_and_is_trained_behind_it(tmp_path):
    stages = _stages(tmp_path, AGAIN, *TAKES)
    order = list(stages)
    for seed in (1, 2):
        assert stages[f"models/twice-{seed}"].models[f"lema-{seed}"].name == f"models/lema-{seed}"
        assert list(stages[f"models/fresh-{seed}"].models) == list(stages[f"models/lema-{seed}"].models)
        assert order.index(f"models/lema-{seed}") < order.index(f"models/twice-{seed}")
    third = "evolve.third={questions='same', students=['twice'], correction_tokens=500}"
    further = _stages(tmp_path, AGAIN, *TAKES, third)
    assert further["third/paths/twice-1"].models["twice-1"].name == "models/twice-1"
    assert "third/paths/lema-1" not in further


@pytest.mark.parametrize(("override", "words"), [
    ("evolve.again={questions='same'}", 'questions = "same" needs students'),
    ("evolve.again={questions='same', students=['lema'], seeds=3}", "takes no model, seeds or after"),
    ("evolve.again={seeds=3}", "new questions need model"),
    ("arms.twice={take=['cot'], continues='lemma'}", "continues = 'lemma' is no .arms.X. above it; did"),
    ("arms.twice={take=['cot'], continues='twice'}", "continues = 'twice' is no .arms.X. above it"),
])
def test_a_round_or_an_arm_that_goes_on_from_nothing_is_refused(tmp_path, override, words):
    with pytest.raises(ConfigError, match=words):
        _stages(tmp_path, override)
