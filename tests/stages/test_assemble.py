"""Training sets: every kind of example is exactly the text that its format says."""

import dataclasses

import pytest

from lema.config import AssembleConfig, CorrectConfig, VerifyConfig
from lema.errors import DataError
from lema.examples.take import Take
from lema.replies import number_steps
from lema.stages.assemble import assemble
from lema.stages.correct import correct
from lema.stages.verify import verify
from lema.tasks import find_task
from lema.training.fresh import Shape, build
from tests.stages.desk import EARLY, LEO, RIGHT, WRONG, context, path

TASK = find_task("lab", {})
SHAPE = Shape(width=16, layers=1, heads=1, feed_forward=16)


@pytest.fixture
def first(tmp_path):
    """A round with two wrong paths, their verified corrections, and right paths of two models."""
    graded = [path(LEO, *WRONG), path(LEO, *EARLY, model="early"), path(LEO, *RIGHT, verdict="right"),
              path(LEO, *RIGHT, verdict="right", index=1), path(LEO, *RIGHT, verdict="right", model="early")]
    corrections = list(correct(context(tmp_path, correct), CorrectConfig(model="teacher"), [LEO], graded))
    return [LEO], graded, list(verify(context(tmp_path, verify), VerifyConfig(), [LEO], graded, corrections))


def _set(folder, first, *takes, teacher=()):
    settings = AssembleConfig(arm="arm", take=tuple(Take(**take) for take in takes), base=None, rounds=("",),
                              purchases=("random",) if teacher else ())
    changes = {"train": None}
    return list(assemble(context(folder, assemble, **changes), settings, teacher, (*first, ())))


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


def test_right_paths_may_be_told_apart_by_their_calculations_and_capped(tmp_path):
    ways = (("Sam has 15 * 2 = 30.", "Ida has 30 + 9 = 39."), ("So Sam gets **15*2 = 30**.", "And Ida 30+9 = 39."),
            ("Sam has 15 + 15 = 30.", "Ida has 30 + 9 = 39."), ("He has thirty.", "She has nine more."),
            ("Sam has thirty.", "Ida has more."))
    graded = [path(LEO, *steps, "The answer is 39.", verdict="right", index=n) for n, steps in enumerate(ways)]
    take = {"kind": "cot", "source": "sampled"}
    offered = ([LEO], graded, [])
    assert len(_set(tmp_path, offered, take)) == 5
    kept = {example.parent for example in _set(tmp_path, offered, take | {"distinct": "equations"})}
    assert kept == {graded[place].id for place in (0, 2, 3, 4)}, "a path that calculates nothing is not compared"
    assert len(_set(tmp_path, offered, take | {"distinct": "equations", "per_question": 2})) == 2


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


def test_a_limit_in_trained_tokens_is_never_passed_and_nests(tmp_path):
    base = build(SHAPE, TASK.vocabulary(), tmp_path / "base", seed=0)
    questions = [dataclasses.replace(LEO, text=LEO.text.replace("15", str(n)), id="", solution=number_steps(RIGHT))
                 for n in range(20, 40)]
    made = {}
    for tokens in (150, 400):
        here = context(tmp_path, assemble, base={"path": str(base)})
        settings = AssembleConfig(arm="arm", take=(Take(kind="cot", tokens=tokens),), base="base", rounds=("",))
        made[tokens] = list(assemble(here, settings, (), (questions, [], [], ())))
        assert tokens - 60 < sum(example.tokens for example in made[tokens]) <= tokens
    assert made[400][:len(made[150])] == made[150]


def test_so_many_teacher_tokens_buy_the_first_replies_only(tmp_path, first):
    questions, graded, verified = first
    first_reply, second = verified
    sizes = {}
    for tokens in (0, 1, first_reply.tokens, first_reply.tokens + 1):
        settings = AssembleConfig(arm="arm", take=(Take(kind="cot", source="sampled"), Take(kind="correction")),
                                  base=None, rounds=("",), teacher_tokens=tokens or None)
        made = list(assemble(context(tmp_path, assemble), settings, (), (questions, graded, verified, ())))
        sizes[tokens] = {example.parent for example in made if example.kind == "correction"}
    assert sizes[0] == {first_reply.id, second.id}
    assert sizes[1] == sizes[first_reply.tokens] == {first_reply.id}
    assert sizes[first_reply.tokens + 1] == sizes[0]


def test_an_arm_may_join_kinds_and_nothing_stands_twice(tmp_path, first):
    made = _set(tmp_path, first, {"kind": "correction"}, {"kind": "correction", "limit": 1}, {"kind": "critique"})
    assert [example.kind for example in made].count("correction") == 2
    assert len({example.id for example in made}) == len(made)


def test_a_set_of_many_rows_leaves_nothing_but_its_rows_behind(tmp_path, first):
    _set(tmp_path, first, {"kind": "correction"})
    assert not list(tmp_path.glob("shelf*"))


def test_a_bill_in_money_counts_prompts_too(tmp_path, first):
    questions, graded, verified = first
    paid = [dataclasses.replace(c, prompt_tokens=1000, tokens=100) for c in verified]
    for money, kept in ((0.0001, 1), (0.0021, 2), (1.0, 2)):  # a reply costs 1000 * 1 + 100 * 10 millionths
        settings = AssembleConfig(arm="arm", take=(Take(kind="correction"),), base=None, rounds=("",), money=money,
                                  prices={"teacher": (1.0, 10.0)})
        made = list(assemble(context(tmp_path, assemble), settings, (), (questions, graded, paid, ())))
        assert len(made) == kept


@pytest.mark.parametrize("split", ["dev", "test"])
@pytest.mark.parametrize("take", [{"kind": "correction"}, {"kind": "step"}, {"kind": "cot", "source": "sampled"},
                                  {"kind": "cot", "source": "corrected"}, {"kind": "marked"}])
def test_nothing_about_an_examined_question_is_trained_on(tmp_path, first, split, take):
    _, graded, verified = first
    examined = [dataclasses.replace(LEO, split=split)]
    with pytest.raises(DataError, match=rf"is a {split} question; nothing about it may be trained on"):
        _set(tmp_path, (examined, graded, verified), take)
