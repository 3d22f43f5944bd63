"""Asking better: several corrections of one mistake, a second try, other forms; and what is kept of them."""

import dataclasses

import pytest
from pydantic import ValidationError

from lema.config import CHECKS, AssembleConfig, CorrectConfig, VerifyConfig
from lema.examples.take import Take
from lema.messages import Completion
from lema.records import Correction, Question
from lema.stages.assemble import assemble
from lema.stages.correct import correct
from lema.stages.verify import ANOTHER_KEPT, ANOTHER_STEP, verify
from tests.answering import Echo
from tests.stages.desk import EARLY, LEO, RIGHT, WRONG, context, path


class Says(Echo):
    """Answers with the next of its replies, the last one over and over."""

    def __init__(self, *replies: str) -> None:
        super().__init__("says")
        self.replies = replies

    def answer(self, request) -> Completion:
        return Completion(self.replies[min(len(self.asked), len(self.replies)) - 1], "stop", 3, 10)


class ByPath(Echo):
    """Corrects the early mistake at once, and the other one when it is asked again."""

    def answer(self, request) -> Completion:
        if request.messages[0].content.split("Question:")[-1].count("= 20."):
            return Completion(_reply(1, *RIGHT).replace("...\n", ""))
        return Completion(GOOD if len(request.messages) > 1 else BAD)


def _reply(step: int, *steps: str) -> str:
    lines = "\n".join(f"Step {number}: {text}" for number, text in enumerate(steps, step))
    return f" Step {step}.\nExplanation: Ida has 9 more plums than Sam.\nCorrect Solution:\n{{\n...\n{lines}\n}}"


GOOD, LATE = _reply(2, *RIGHT[1:]), _reply(3, "The answer is 39.")
BAD = _reply(2, "Ida = Sam + 9 = 30 + 9 = 38.", "The answer is 38.")


def _asked(folder, model, graded, tried=(), **settings):
    desk = context(folder, correct)
    desk._models["teacher"] = model
    return list(correct(desk, CorrectConfig(**{"model": "teacher"} | settings), [LEO], graded, (), tried))


def _verified(folder, graded, rows, **settings):
    return list(verify(context(folder, verify), VerifyConfig(**settings), [LEO], graded, rows))


def test_k_corrections_of_a_mistake_are_asked_for_and_the_first_verified_is_kept(tmp_path):
    graded = [path(LEO, *WRONG)]
    rows = _asked(tmp_path, Says(BAD, GOOD, GOOD), graded, samples=3, temperature=0.7)
    assert [row.index for row in rows] == [0, 1, 2]
    kept = _verified(tmp_path, graded, rows)
    assert [row.verified for row in kept] == [False, True, False]
    assert kept[2].rejected in (ANOTHER_KEPT, "says the same again")


def test_the_majority_names_the_step(tmp_path):
    graded = [path(LEO, *WRONG)]
    rows = _asked(tmp_path, Says(LATE, GOOD, BAD), graded, samples=3, temperature=0.7)
    checks = tuple(name for name in CHECKS if name != "follows")  # LATE's answer stands in no step before it
    kept = _verified(tmp_path, graded, rows, keep="majority", checks=checks)
    assert [row.rejected for row in kept] == [ANOTHER_STEP, "", "a corrected step calculates wrongly"]


def test_samples_without_a_temperature_are_refused():
    with pytest.raises(ValidationError, match="all alike at temperature 0"):
        CorrectConfig(model="x", samples=3)
    with pytest.raises(ValidationError, match="second try; set tries = 2"):
        CorrectConfig(model="x", hint="answer")


def test_a_second_try_goes_to_what_failed_only_and_says_which_check(tmp_path):
    graded = [path(LEO, *WRONG), path(LEO, *EARLY)]
    model = ByPath()
    first = _asked(tmp_path, model, graded, tries=2)
    judged = _verified(tmp_path, graded, first)
    assert sum(row.verified for row in judged) == 1
    rows = _asked(tmp_path, model, graded, judged, tries=2)
    assert len(rows) == 3 and {row.id for row in first} <= {row.id for row in rows}
    (again,) = (row for row in rows if row.attempt == 2)
    assert (again.hint, again.rejected) == ("", "")
    conversation = model.asked[-1].messages
    assert [message.role for message in conversation] == ["user", "assistant", "user"]
    assert "not true" in conversation[2].content and conversation[2].content.endswith("Incorrect Step:")
    assert "39" not in conversation[2].content
    assert sum(row.verified for row in _verified(tmp_path, graded, rows)) == 2


def test_the_gold_answer_is_told_only_where_the_config_says_so_and_every_row_says_it(tmp_path):
    graded = [path(LEO, *WRONG)]
    model = Says(BAD, GOOD)
    judged = _verified(tmp_path, graded, _asked(tmp_path, model, graded, tries=2, hint="answer"))
    assert "39" not in model.asked[0].messages[0].content.split("Question: Leo has 15")[-1]
    rows = _asked(tmp_path, model, graded, judged, tries=2, hint="answer")
    assert "The correct final answer is 39." in model.asked[-1].messages[2].content
    assert [(row.attempt, row.hint) for row in rows] == [(1, ""), (2, "answer")]


def test_what_is_left_of_the_budget_bounds_the_second_try(tmp_path):
    graded = [path(LEO, *WRONG, f"Nothing {n}.") for n in range(20)]
    judged = _verified(tmp_path, graded, _asked(tmp_path, Says(BAD), graded, tokens=150))
    rows = _asked(tmp_path, Says(BAD, GOOD), graded, judged, tries=2, tokens=150)
    assert len(rows) == len(judged) >= 15


def test_the_lab_s_teacher_reads_a_second_try_and_a_conversation(tmp_path):
    graded = [path(LEO, *WRONG), path(LEO, *EARLY)]
    rows = list(correct(context(tmp_path, correct), CorrectConfig(model="slipping"), [LEO], graded))
    judged = _verified(tmp_path, graded, rows)
    asking = CorrectConfig(model="teacher", tries=2)
    again = list(correct(context(tmp_path, correct), asking, [LEO], graded, (), judged))
    assert all(row.verified for row in _verified(tmp_path, graded, again) if row.attempt == 2)
    (talked, _) = correct(context(tmp_path, correct), CorrectConfig(model="teacher", form="chat"), [LEO], graded)
    (plain, _) = correct(context(tmp_path, correct), CorrectConfig(model="teacher"), [LEO], graded)
    assert (talked.step, talked.steps) == (plain.step, plain.steps)


def test_the_worked_examples_become_turns_of_a_conversation(tmp_path):
    model = Says(GOOD)
    _asked(tmp_path, model, [path(LEO, *WRONG)], form="chat")
    roles = [message.role for message in model.asked[0].messages]
    assert roles == ["user", "assistant"] * 4 + ["user"]


BOOTS = Question(text="Where do wet boots go?\n(A) the oven\n(B) the doormat", answer="B",
                 choices=("the oven", "the doormat"))
REWRITTEN = ("The oven would ruin the boots; they belong on the doormat.\nCorrected Answer:\n{\n"
             "Boots are left at the door.\nThe answer is (B).\n}")


def test_a_path_without_steps_is_written_anew_and_becomes_an_example(tmp_path):
    wrong = dataclasses.replace(path(BOOTS, "x"), id="", text="An oven dries boots.\nThe answer is (A).")
    rows = {"name": "x", "task": {"name": "rows", "train": "t.jsonl", "answers": "letter",
                                  "columns": {"choices": "choices"}}}
    desk = context(tmp_path, correct, **rows)
    desk._models["teacher"] = Says(REWRITTEN)
    (row,) = correct(desk, CorrectConfig(model="teacher", prompt="csqa/correct"), [BOOTS], [wrong])
    assert (row.step, row.steps[-1]) == (None, "The answer is (B).")
    (kept,) = verify(context(tmp_path, verify, **rows), VerifyConfig(), [BOOTS], [wrong], [row])
    assert (kept.verified, kept.answer) == (True, "B")
    settings = AssembleConfig(arm="a", base=None, rounds=("",), take=(Take(kind="correction"), Take(kind="step")))
    (example,) = assemble(context(tmp_path, assemble, **rows), settings, (), ([BOOTS], [wrong], [kept], ()))
    assert example.prompt.endswith("{\nAn oven dries boots.\nThe answer is (A).\n}\nMistakes:")
    assert example.completion == f" {REWRITTEN}"


def test_corrections_of_one_mistake_stay_together_and_are_counted_as_replies():
    from lema.report.funnels import funnel, parents

    graded = [path(LEO, *WRONG)]
    rows = [Correction(question=LEO.id, path=graded[0].id, model="m", reply=f"{n}", index=n, verified=n == 1,
                       rejected="" if n == 1 else "wrong final answer") for n in range(3)]
    stages = {stage.name: stage for stage in funnel("x", [LEO], graded, rows, parents([])).stages}
    assert (stages["corrected"].count, stages["replies"].count, stages["verified"].count) == (1, 3, 1)


def test_rounds_without_corrections_have_funnels_too_and_unwritten_questions_are_counted():
    from lema.config import ReportOneConfig
    from lema.report.funnels import parents
    from lema.stages.report import funnels

    settings = ReportOneConfig(examined=(), title="x", base="b", headline=None, control=None, about={},
                               rounds=("", "more"), seeds={"more": 5})
    graded = [path(LEO, *WRONG)]
    first, more = funnels(settings, ([LEO], []), (graded, []), (), parents(()), (), ())
    assert [stage.count for stage in first.stages] == [1, 1, 1, 0, 0, 0]
    assert (more.stages[0].count, more.stages[0].losses[0].count) == (0, 5)


def test_wrong_paths_are_corrected_repeated_or_left_out_and_never_fewer_than_none():
    from lema.report.funnels import funnel, parents

    graded = [path(LEO, *WRONG, index=index) for index in range(3)]
    graded += [path(LEO, "Leo has 3.", "The answer is 3.", index=index) for index in (3, 4)]

    def corrected(*indexes: int) -> dict[str, object]:
        rows = [Correction(question=LEO.id, path=graded[index].id, model="m", reply=f"{index}", verified=True)
                for index in indexes]
        return {stage.name: stage for stage in funnel("x", [LEO], graded, rows, parents([])).stages}

    def lost(stages: dict) -> list[tuple[str, int]]:
        return sorted((loss.reason.split(" (")[0], loss.count) for loss in stages["corrected"].losses)

    assert lost(corrected(0)) == [("not asked for", 1), ("the same mistake again", 3)]
    assert lost(corrected(0, 3)) == [("the same mistake again", 3)]
    assert lost(corrected(0, 1, 2)) == [("not asked for", 1), ("the same mistake again", 1)]
    assert corrected(0, 1, 2, 3, 4)["corrected"].count == 5
