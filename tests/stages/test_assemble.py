"""Training sets: every kind of example is exactly the text that its format says."""

import dataclasses

import pytest

from lema.errors import DataError
from lema.stages.assemble import assemble
from lema.stages.correct import correct
from lema.stages.verify import verify
from lema.steps import number_steps
from lema.tables import AssembleConfig, CorrectConfig, Take, VerifyConfig
from tests.stages.desk import EARLY, LEO, RIGHT, WRONG, path, tools


@pytest.fixture
def first(tmp_path):
    """A round with two wrong paths, their verified corrections, and right paths of two models."""
    graded = [path(LEO, *WRONG), path(LEO, *EARLY, model="early"), path(LEO, *RIGHT, verdict="right"),
              path(LEO, *RIGHT, verdict="right", index=1), path(LEO, *RIGHT, verdict="right", model="early")]
    corrections = list(correct(tools(tmp_path, correct), CorrectConfig(model="teacher"), [LEO], graded))
    return [LEO], graded, list(verify(tools(tmp_path, verify), VerifyConfig(), [LEO], graded, corrections))


def _set(folder, first, *takes, teacher=()):
    settings = AssembleConfig(arm="arm", take=tuple(Take(**take) for take in takes), base=None, rounds=("",))
    changes = {"train": None}
    return list(assemble(tools(folder, assemble, **changes), settings, teacher, first))


def test_the_papers_form_is_wrong_path_in_and_step_explanation_correction_out(tmp_path, first):
    made = {example.parent: example for example in _set(tmp_path, first, {"kind": "correction"})}
    late, early = (next(made[c.id] for c in first[2] if c.step == step) for step in (2, 1))
    assert late.prompt.endswith("{\n" + number_steps(WRONG) + "\n}\nIncorrect Step:")
    assert late.completion.startswith(" Step 2.\nExplanation: ")
    assert late.completion.endswith(f"Correct Solution:\n{{\n...\n{number_steps(RIGHT[1:], 2)}\n}}")
    assert early.completion.startswith(" Step 1.\n")
    assert "..." not in early.completion


def test_the_step_form_is_right_prefix_in_and_corrected_steps_out_without_the_wrong_text(tmp_path, first):
    made = {example.parent: example for example in _set(tmp_path, first, {"kind": "step"})}
    late = next(made[c.id] for c in first[2] if c.step == 2)
    assert late.prefix == f"Step 1: {RIGHT[0]}\n"
    assert late.completion == number_steps(RIGHT[1:], 2)
    assert WRONG[1] not in late.prompt + late.prefix + late.completion
    early = next(made[c.id] for c in first[2] if c.step == 1)
    assert (early.prefix, early.completion) == ("", number_steps(RIGHT))


def test_own_right_paths_are_the_bases_and_each_different_one_stands_once(tmp_path, first):
    made = _set(tmp_path, first, {"kind": "cot", "source": "sampled"})
    assert [example.completion for example in made] == [number_steps(RIGHT)]


def test_a_question_without_a_worked_solution_gives_no_worked_example(tmp_path, first):
    with pytest.raises(DataError, match=r"arm arm: no training example is left"):
        _set(tmp_path, first, {"kind": "cot", "source": "worked"})
    solved = dataclasses.replace(LEO, solution=number_steps(RIGHT), id="")
    (made,) = _set(tmp_path, ([solved], [], []), {"kind": "cot", "source": "worked"})
    assert (made.prompt, made.completion) == (f"Question: {LEO.text}\nSolution:\n", number_steps(RIGHT))


def test_rejected_corrections_are_never_trained_on(tmp_path, first):
    questions, graded, verified = first
    refused = [dataclasses.replace(c, verified=False, rejected="wrong final answer") for c in verified]
    with pytest.raises(DataError):
        _set(tmp_path, (questions, graded, refused), {"kind": "correction"})


def test_a_bigger_set_contains_the_smaller(tmp_path):
    questions = [dataclasses.replace(LEO, text=f"{LEO.text} {n}", id="", solution=number_steps(RIGHT))
                 for n in range(30)]
    sizes = [{e.id for e in _set(tmp_path, (questions, [], []), {"kind": "cot", "limit": n})} for n in (5, 12, 25)]
    assert [len(size) for size in sizes] == [5, 12, 25]
    assert sizes[0] < sizes[1] < sizes[2]


def test_bought_solutions_carry_what_they_cost(tmp_path, first):
    bought = [path(LEO, *RIGHT, verdict="right", model="teacher", tokens=44),
              path(LEO, *WRONG, verdict="wrong", model="teacher", tokens=44)]
    (made,) = _set(tmp_path, first, {"kind": "cot", "source": "teacher"}, teacher=(bought,))
    assert (made.source, made.teacher_tokens) == ("teacher", 44)
