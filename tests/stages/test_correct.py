"""Corrections: who is asked about what, in which order, for how much, and what becomes of each reply."""

import dataclasses

from lema.config import CorrectConfig, VerifyConfig
from lema.stages.correct import correct
from lema.stages.verify import verify
from tests.stages.desk import EARLY, LEO, RIGHT, WRONG, context, path


def _corrected(folder, graded, **settings):
    return list(correct(context(folder, correct), CorrectConfig(**{"model": "teacher"} | settings), [LEO], graded))


def _verified(folder, graded, corrections, **settings):
    return list(verify(context(folder, verify), VerifyConfig(**settings), [LEO], graded, corrections))


def test_the_first_wrong_step_is_named_explained_and_corrected_from_there(tmp_path):
    (corrected,) = _corrected(tmp_path, [path(LEO, *WRONG)])
    assert (corrected.step, corrected.steps) == (2, RIGHT[1:])
    assert "9 must be added" in corrected.explanation
    assert corrected.path == path(LEO, *WRONG).id


def test_only_wrong_paths_are_asked_about(tmp_path):
    verdicts = ("right", "no_answer", "truncated", "ungradable")
    assert not _corrected(tmp_path, [path(LEO, *WRONG, verdict=verdict) for verdict in verdicts])


def test_the_same_mistake_is_asked_about_once(tmp_path):
    twice = [path(LEO, *WRONG), path(LEO, *WRONG, index=1), path(LEO, *EARLY)]
    assert len(_corrected(tmp_path, twice)) == 2


def test_mistakes_of_other_models_are_left_out_where_the_config_names_models(tmp_path):
    graded = [path(LEO, *WRONG), path(LEO, *EARLY, model="early")]
    (corrected,) = _corrected(tmp_path, graded, models=["early"])
    assert corrected.path == graded[1].id


def test_a_budget_ends_the_asking_and_every_reply_is_kept(tmp_path):
    graded = [path(LEO, *WRONG, f"Nothing {n}.") for n in range(60)]
    replies = _corrected(tmp_path, graded, tokens=500)
    assert 500 <= sum(reply.tokens for reply in replies) < 650
    again = _corrected(tmp_path, graded[::-1], tokens=500)
    assert [reply.id for reply in replies] == [reply.id for reply in again]


def test_a_correction_that_ends_in_the_gold_answer_passes_every_check(tmp_path):
    graded = [path(LEO, *WRONG), path(LEO, *EARLY)]
    assert all(kept.verified for kept in _verified(tmp_path, graded, _corrected(tmp_path, graded)))


def test_each_check_rejects_with_its_own_reason(tmp_path):
    graded = [path(LEO, *WRONG)]
    (good,) = _corrected(tmp_path, graded)
    broken = {
        "cut off or failed": {"finish": "length"},
        "unreadable: no step named": {"steps": (), "rejected": "unreadable: no step named"},
        "names a step that is not there": {"step": 7},
        "repeats the mistake": {"steps": WRONG[1:]},
        "wrong final answer": {"steps": (RIGHT[1], "The answer is 38.")},
    }
    for reason, change in broken.items():
        (corrected,) = _verified(tmp_path, graded, [dataclasses.replace(good, **change)])
        assert (corrected.verified, corrected.rejected) == (False, reason)


def test_the_papers_rule_looks_at_the_final_answer_only(tmp_path):
    graded = [path(LEO, *WRONG)]
    (good,) = _corrected(tmp_path, graded)
    elsewhere = dataclasses.replace(good, step=7)
    (corrected,) = _verified(tmp_path, graded, [elsewhere], checks=["answer"])
    assert corrected.verified


def test_a_teacher_that_always_slips_gets_few_corrections_through(tmp_path):
    graded = [path(LEO, *WRONG, f"Nothing {n}.") for n in range(40)]
    slipped = _corrected(tmp_path, graded, model="slipping")
    bad = [row for row in slipped if row.step != 2 or row.steps[-1] != RIGHT[-1]]
    assert len(bad) == len(slipped) == 40
    kept = [row for row in _verified(tmp_path, graded, slipped) if row.verified]
    assert len(kept) < 30
    assert all(row.step != 2 for row in kept), "only a wrongly named step can end in the right answer"
