"""Rounds: what follows what, seen in the plan; a second try and a later round are stages like any other."""

from lema.commands.run_folder import stages_of
from lema.config import load_table, parse_config
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
