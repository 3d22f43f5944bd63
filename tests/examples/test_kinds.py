"""Kinds of examples: each is exactly the text that its page in docs/arms.md says."""

import dataclasses
from collections import Counter

import pytest

from lema.chains import StepCorrection
from lema.errors import ConfigError
from lema.examples import Corrected, find_kind
from lema.examples.take import Take
from lema.prompting import find_prompt
from lema.replies import number_steps
from lema.tasks.lab.words import tokens
from tests.examples.case import (
    APPROVED,
    ASKED,
    BLAMED,
    BOUGHT,
    CASE,
    KEPT,
    LEO,
    MISSED,
    RIGHT,
    RIGHT_TEXT,
    TASK,
    WHY,
    WORDS,
    WRONG,
    WRONG_PATH,
    WRONG_TEXT,
    made,
)
from tests.stages.desk import (
    path,
)

BEFORE = f"Question: {LEO.text}\nWrong Solution:\n{{\n{WRONG_TEXT}\n}}\n"
SOLUTION = f"Correct Solution:\n{{\n...\n{number_steps(RIGHT[1:], 2)}\n}}"


def _told(example):
    return example.prompt.split(".\n", 1)[1], example.completion


def test_a_correction_has_the_papers_three_parts():
    (one,) = made(kind="correction")
    assert _told(one) == (f"{BEFORE}Incorrect Step:", f" Step 2.\nExplanation: {WHY}\n{SOLUTION}")
    assert (one.parent, one.teacher_tokens) == (KEPT.id, KEPT.tokens)


@pytest.mark.parametrize(("parts", "cue", "completion"), [
    (["explanation", "solution"], "Explanation:", f" {WHY}\n{SOLUTION}"),
    (["step", "solution"], "Incorrect Step:", f" Step 2.\n{SOLUTION}"),
    (["explanation", "step"], "Incorrect Step:", f" Step 2.\nExplanation: {WHY}"),
    (["solution"], "Correct Solution:", SOLUTION.removeprefix("Correct Solution:")),
    (["step"], "Incorrect Step:", " Step 2."),
])
def test_a_part_that_is_left_out_changes_nothing_else(parts, cue, completion):
    (one,) = made(kind="correction", parts=parts)
    assert _told(one) == (BEFORE + cue, completion)


def test_the_whole_form_begins_at_the_first_step_without_dots():
    (one,) = made(kind="correction", form="whole", parts=["solution"])
    assert one.completion == f"\n{{\n{RIGHT_TEXT}\n}}"


def test_a_corrected_path_as_cot_is_the_kept_steps_and_the_corrected_ones():
    (one,) = made(kind="cot", source="corrected")
    assert (one.prompt, one.completion, one.parent) == (ASKED, RIGHT_TEXT, KEPT.id)


@pytest.mark.parametrize("source", ["teacher", "teacher-failed"])
def test_bought_solutions_are_right_ones_and_carry_their_cost(source):
    (one,) = made(kind="cot", source=source)
    assert (one.completion, one.parent, one.teacher_tokens) == (RIGHT_TEXT, BOUGHT.id, 44)


def test_own_paths_are_the_bases_right_ones():
    (one,) = made(kind="cot", source="own")
    assert one.completion == RIGHT_TEXT
    assert not made(CASE.of(("early",)), kind="cot", source="own")


def _bridged(one):
    """A forward text as the path up to its wrong step, which is the second, its bridge, and the rest."""
    lines = one.completion.split("\n")
    return "\n".join(lines[:2]), lines[2], "\n".join(lines[3:])


def test_a_forward_text_goes_wrong_says_why_and_mends_the_step():
    (one,) = made(kind="forward", way="fix")
    wrong = number_steps(WRONG[:2])
    assert one.prompt == ASKED
    before, bridge, behind = _bridged(one)
    assert (before, behind) == (wrong, number_steps(RIGHT[1:], 2)) and WHY in bridge
    (masked,) = made(kind="forward", way="fix", loss="bridge")
    assert (masked.prefix + masked.completion, masked.prefix) == (one.completion, f"{wrong}\n")


def test_a_forward_text_may_start_afresh_or_only_step_back():
    (afresh,), (back,) = made(kind="forward", way="restart"), made(kind="forward", way="back")
    before, bridge, behind = _bridged(afresh)
    assert (before, behind) == (number_steps(WRONG[:2]), RIGHT_TEXT) and WHY in bridge
    assert back.completion == f"{number_steps(WRONG[:2])}\nThis step is wrong.\n{number_steps(RIGHT[1:], 2)}"
    (own,) = made(kind="forward", bridge="Wait with {step}: {explanation}")
    assert f"\nWait with 2: {WHY}\nStep 2: " in own.completion


@pytest.mark.parametrize("task", ["lab", "gsm8k"])
@pytest.mark.parametrize("way", ["fix", "restart"])
def test_bridges_are_worded_in_several_ways_each_for_its_share_of_the_corrections(task, way):
    many = [dataclasses.replace(KEPT, reply=str(n), id="") for n in range(400)]
    case = dataclasses.replace(CASE, corrections=tuple(Corrected(one, WRONG_PATH) for one in many))
    kind, words = find_kind(Take(kind="forward", way=way), "take"), WORDS._replace(
        prompt=lambda name: find_prompt(name, task))
    found = Counter(one.completion for one in kind.make(case, words))
    wordings = find_prompt(f"bridge_{way}", task).text.strip().split("\n")
    assert len(found) == len(wordings) == len(set(wordings)) >= 6
    assert all("{explanation}" in one for one in wordings)
    assert task != "lab" or {piece for text in found for piece in tokens(text)} <= set(TASK.vocabulary())
    assert min(found.values()) > 400 / len(wordings) / 2
    assert [one.completion for one in kind.make(case, words)] == [one.completion for one in kind.make(case, words)]


def test_a_critique_is_trained_on_as_it_was_written_whatever_it_concludes():
    approved, blamed, missed = made(kind="critique")
    assert (approved.completion, approved.source, approved.parent) == (APPROVED.text, "right", APPROVED.id)
    assert (blamed.completion, blamed.source, blamed.teacher_tokens) == (BLAMED.text, "wrong", BLAMED.tokens)
    assert (missed.completion, missed.source) == (MISSED.text, "wrong")
    assert approved.prompt.endswith(f"Solution:\n{{\n{RIGHT_TEXT}\n}}\n")
    assert blamed.prompt == missed.prompt and blamed.prompt.endswith(f"Solution:\n{{\n{WRONG_TEXT}\n}}\n")


def test_an_arm_may_take_critiques_of_one_sort_those_that_agree_with_the_grader_or_of_one_models_paths():
    assert [one.parent for one in made(kind="critique", of=["right"])] == [APPROVED.id]
    assert [one.parent for one in made(kind="critique", filter="agreeing")] == [APPROVED.id, BLAMED.id]
    assert [one.parent for one in made(CASE.of(("early",)), kind="critique")] == [BLAMED.id, MISSED.id]
    (told,) = made(kind="critique", of=["right"], prompt="csqa/train_critique")
    assert told.prompt.endswith(f"Answer:\n{{\n{RIGHT_TEXT}\n}}\n")


def test_marked_paths_differ_in_their_prompt():
    right, wrong = made(kind="marked")
    assert (right.prompt, right.completion) == (ASKED, RIGHT_TEXT)
    assert (wrong.prompt, wrong.completion) == (f"Question: {LEO.text}\nWrong Solution:\n", WRONG_TEXT)


def test_a_question_without_worked_solution_gives_everything_but_a_worked_example():
    kinds = ({"kind": "correction"}, {"kind": "step"}, {"kind": "forward"}, {"kind": "critique"},
             {"kind": "marked"}, {"kind": "cot", "source": "own"}, {"kind": "cot", "source": "corrected"})
    assert LEO.solution is None
    assert all(made(**take) for take in kinds)
    assert not made(kind="cot")
    solved = dataclasses.replace(CASE, question=dataclasses.replace(LEO, solution=RIGHT_TEXT))
    assert [one.completion for one in made(solved, kind="cot")] == [RIGHT_TEXT]


def test_an_unknown_key_of_a_line_names_the_near_miss():
    with pytest.raises(ConfigError, match=r"take.prats: unknown key; did you mean 'parts'"):
        made(kind="correction", prats=["step"])
    with pytest.raises(ConfigError, match="take.way"):
        made(kind="forward", way="fx")


@pytest.mark.parametrize(("step", "first", "begins"), [(2, 1, 1), (2, 3, 2), (9, 9, 4), (2, None, 2)])
def test_a_correction_that_begins_elsewhere_is_put_where_it_begins(step, first, begins):
    """Only the paper's rule, which asks for nothing but the answer, lets such ones through."""
    odd = dataclasses.replace(KEPT, step=step, first_number=first, steps=RIGHT)
    case = dataclasses.replace(CASE, corrections=(Corrected(odd, CASE.corrections[0].mistake),))
    solution = ("" if begins == 1 else "...\n") + number_steps(RIGHT, begins)
    (one,), (cot,), (prefixed,) = made(case, kind="correction"), made(case, kind="cot", source="corrected"), made(
        case, kind="step")
    assert one.completion.endswith(f" Step {step}.\nExplanation: {WHY}\nCorrect Solution:\n{{\n{solution}\n}}")
    assert cot.completion == number_steps((*WRONG[:begins - 1], *RIGHT))
    assert prefixed.prefix + prefixed.completion == cot.completion
    assert made(case, kind="forward")


def test_an_answer_written_anew_is_a_worked_example_too():
    anew = dataclasses.replace(KEPT, step=None, steps=RIGHT)
    case = dataclasses.replace(CASE, corrections=(Corrected(anew, CASE.corrections[0].mistake),))
    (one,) = made(case, kind="cot", source="corrected")
    assert (one.completion, one.parent) == (RIGHT_TEXT, anew.id)


ROW = StepCorrection(question=LEO.id, path=WRONG_PATH.id, corrects="a", student="early", model="teacher",
                     reply="2", mistake=WRONG, attempt=2, tokens=16, step=2, first=1, text=RIGHT[1], kept="c",
                     steps=RIGHT)
BEFORE_IT = dataclasses.replace(ROW, attempt=1, tokens=14, step=1, kept="", steps=(), rejected="no", id="before")
CONTINUED = dataclasses.replace(CASE, continued=(BEFORE_IT, ROW))


@pytest.mark.parametrize(("loss", "begins"), [("from_first", 1), ("last", 2), ("whole", 1)])
def test_a_one_step_correction_is_the_students_path_with_loss_from_a_corrected_step_on(loss, begins):
    (example,) = made(CONTINUED, kind="step", source="continued", loss=loss)
    assert example.prompt == ASKED
    assert example.prefix == (number_steps(RIGHT[:begins - 1]) + "\n" if begins > 1 else "")
    assert example.completion == number_steps(RIGHT[begins - 1:], begins)
    assert (example.parent, example.source, example.teacher_tokens) == (ROW.id, "continued", 30)
    assert example.prefix + example.completion == RIGHT_TEXT


def test_the_step_that_was_corrected_first_is_where_loss_begins_unless_the_key_says_otherwise():
    row = dataclasses.replace(ROW, first=2, step=3, attempt=1, id="")
    later = dataclasses.replace(CONTINUED, continued=(row,))
    assert made(later, kind="step", source="continued")[0].completion == number_steps(RIGHT[1:], 2)
    assert made(later, kind="step", source="continued", loss="last")[0].completion == number_steps(RIGHT[2:], 3)
    assert made(later, kind="step", source="continued", loss="whole")[0].prefix == ""


def test_one_step_corrections_are_taken_by_whose_mistake_they_mend_and_by_no_other_source():
    assert [example.source for example in made(CONTINUED, kind="step")] == ["corrections"]
    assert not made(CONTINUED.of(("student",)), kind="step", source="continued")
    assert made(CONTINUED.of(("early",)), kind="step", source="continued")
    with pytest.raises(ConfigError, match='loss = "last" is for source = "continued"'):
        made(kind="step", loss="last")


@pytest.mark.parametrize(("agree", "kept"), [(1, 2), (2, 2), (3, 0)])
def test_own_right_paths_of_a_question_are_taken_where_enough_of_them_agree(agree, kept):
    roundabout = path(LEO, RIGHT[0], "Ida = Sam + 9 + 0 = 30 + 9 + 0 = 39.", RIGHT[2], verdict="right", index=1)
    case = dataclasses.replace(CASE, paths=(*CASE.paths, roundabout))
    assert len(made(case, kind="cot", source="own", agree=agree, distinct="equations")) == kept


def test_right_paths_of_other_models_do_not_vouch_for_a_students_own():
    other = path(LEO, *RIGHT, verdict="right", model="early")
    case = dataclasses.replace(CASE, paths=(*CASE.paths, other))
    assert not made(case, kind="cot", source="sampled", agree=2)
    with pytest.raises(ConfigError, match='agree is for source = "own" or "sampled"'):
        made(kind="cot", source="worked", agree=2)
