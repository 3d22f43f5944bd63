"""Critiques: which paths are judged, for how much, and what becomes of each reply."""

import pytest

from lema.config import AccountConfig, AssembleConfig, CritiqueOneConfig
from lema.examples.take import Take
from lema.messages import Completion
from lema.stages.account import account
from lema.stages.assemble import assemble
from lema.stages.critique import critique
from tests.answering import Echo
from tests.stages.desk import EARLY, LEO, RIGHT, WRONG, context, path

LUCKY = ("Sam = Leo + 15 = 15 + 15 = 30.", *RIGHT[1:])  # the right answer by a wrong step
GRADED = [path(LEO, *RIGHT, verdict="right"), path(LEO, *RIGHT, verdict="right", index=1), path(LEO, *WRONG),
          path(LEO, *LUCKY, verdict="right", model="early"), path(LEO, *EARLY, model="early"),
          path(LEO, "The answer", verdict="truncated"), path(LEO, "No.", verdict="no_answer")]


class Cut(Echo):
    """Writes to no end, or to no conclusion."""

    def answer(self, request) -> Completion:
        return Completion(*(("It holds.", "stop") if len(self.asked) > 1 else ("Step 1: It", "length")), 3, 4)


def _judged(folder, of, model=None, graded=GRADED, **settings):
    desk = context(folder, critique)
    if model:
        desk._models["teacher"] = model
    return list(critique(desk, CritiqueOneConfig(**{"model": "teacher", "of": of} | settings), [LEO], graded))


@pytest.mark.parametrize(("of", "paths"), [("right", {0, 3}), ("wrong", {2, 4})])
def test_distinct_paths_of_the_sort_are_judged_and_no_others(tmp_path, of, paths):
    rows = _judged(tmp_path, of, per_question=9)
    assert {row.path for row in rows} == {GRADED[place].id for place in paths}
    assert {row.verdict for row in rows} == {of}
    assert len(_judged(tmp_path, of)) == 1
    (early,) = _judged(tmp_path, of, per_question=9, models=["early"])
    assert early.path == GRADED[max(paths)].id


def test_a_right_path_is_approved_step_by_step_and_a_wrong_one_blamed_at_its_step(tmp_path):
    right, wrong = (_judged(tmp_path, of, graded=GRADED[:3])[0] for of in ("right", "wrong"))
    assert (right.said, right.step) == ("right", None)
    assert [line.split(":")[0] for line in right.text.split("\n")] == [
        "Step 1", "Step 2", "Step 3", "Nothing is wrong."]
    assert (wrong.said, wrong.step) == ("wrong", 2)
    assert "9 must be added, not taken away. The correct answer is 39.\n" in wrong.text


def test_the_critic_is_not_told_how_a_path_was_graded_and_may_see_more_than_its_answer(tmp_path):
    model = Echo("says")
    for of in ("right", "wrong"):
        _judged(tmp_path, of, model, graded=[path(LEO, *LUCKY, verdict=of)])
    (request,) = model.asked  # the second call is the first one, so the journal has its reply
    assert LUCKY[0] in request.messages[0].content and request.messages[0].content.endswith("Critique:")
    (lucky,) = _judged(tmp_path, "right", models=["early"])
    assert (lucky.verdict, lucky.said, lucky.step, lucky.rejected) == ("right", "wrong", 1, "")


def test_worked_critiques_become_turns_of_a_conversation(tmp_path):
    model = Echo("says")
    _judged(tmp_path, "right", model, form="chat")
    roles = [message.role for message in model.asked[0].messages]
    assert roles == ["user", "assistant"] * 4 + ["user"]


def test_a_reply_that_came_to_no_end_or_conclusion_stays_with_its_reason_and_is_not_trained_on(tmp_path):
    rows = _judged(tmp_path, "wrong", Cut("says"), per_question=2)
    assert [row.rejected for row in rows] == ["cut off or failed", "unreadable: no conclusion"]
    good = _judged(tmp_path, "wrong", per_question=2)
    settings = AssembleConfig(arm="a", base=None, rounds=("",), take=(Take(kind="critique"),))
    made = list(assemble(context(tmp_path, assemble), settings, (), ([LEO], GRADED, (), rows, good)))
    assert {row.parent for row in made} == {row.id for row in good}


def test_a_budget_ends_the_asking_and_is_spent_on_the_same_paths_in_any_order(tmp_path):
    graded = [path(LEO, *WRONG, f"Nothing {n}.") for n in range(60)]
    rows = _judged(tmp_path, "wrong", graded=graded, tokens=500, per_question=99)
    assert 500 <= sum(row.tokens for row in rows) < 600
    again = _judged(tmp_path, "wrong", graded=graded[::-1], tokens=500, per_question=99)
    assert [row.id for row in rows] == [row.id for row in again]


def test_a_bill_that_is_capped_takes_right_and_wrong_critiques_in_turn_as_far_as_it_goes(tmp_path):
    rows = _judged(tmp_path, "right", per_question=9), _judged(tmp_path, "wrong", per_question=9)
    settings = AssembleConfig(arm="a", base=None, rounds=("",), take=(Take(kind="critique"),),
                              teacher_tokens=rows[0][0].tokens + 1)
    made = list(assemble(context(tmp_path, assemble), settings, (), ([LEO], GRADED, (), *rows)))
    assert {row.parent for row in made} == {rows[0][0].id, rows[1][0].id}
    settings = AccountConfig(arms=(settings,), rounds=("",))
    (bill,) = account(context(tmp_path, account), settings, (made,), (), ([LEO],), (), rows)
    assert (bill.teacher_replies, bill.teacher_tokens) == (2, rows[0][0].tokens + rows[1][0].tokens)
