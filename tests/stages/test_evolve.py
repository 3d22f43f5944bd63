"""New questions: whose seeds they grow from, what their votes decide, and why one may not be used."""

import dataclasses
from collections import Counter

import pytest

from lema.config import EvolveConfig
from lema.messages import Completion
from lema.records import Correction
from lema.stages.evolve import draft_in, evolve, settle
from tests.answering import Echo
from tests.stages.desk import LEO, RIGHT, context, path, question

MIA = question("Mia has 4 coins. Dan has 6 more coins than Mia. How many coins does Dan have?", "10")
TESTED = question("Mia has 5 coins. Dan has 2 more coins than Mia. How many coins does Dan have?", "7",
                  split="test")


def _kept(of, count):
    return [Correction(question=of.id, path=f"p{n}", model="teacher", reply="", verified=n < count, index=n)
            for n in range(count + 3)]


def _drafts(folder, **settings):
    corrections = _kept(LEO, 9) + _kept(MIA, 1)
    seeds = () if settings.get("seeds_from") == "questions" else (corrections,)
    table = EvolveConfig(model="teacher", **settings)
    return list(evolve(context(folder, evolve), table, [LEO, MIA, TESTED], *seeds))


def test_correction_centric_seeds_come_as_often_as_their_questions_were_corrected(tmp_path):
    parents = Counter(draft.parent for draft in _drafts(tmp_path, seeds=200))
    assert set(parents) == {LEO.id, MIA.id}
    assert 0.8 < parents[LEO.id] / 200 < 0.98


def test_general_seeds_come_from_all_training_questions_alike_and_never_from_test(tmp_path):
    parents = Counter(draft.parent for draft in _drafts(tmp_path, seeds=200, seeds_from="questions"))
    assert set(parents) == {LEO.id, MIA.id}
    assert 0.35 < parents[LEO.id] / 200 < 0.65


def test_a_draft_that_stands_somewhere_already_is_rejected_with_the_place(tmp_path):
    drafts = _drafts(tmp_path, seeds=60)
    again = [draft for draft in drafts if draft.rejected]
    texts = [draft.text for draft in drafts if not draft.rejected]
    assert len(set(texts)) == len(texts)
    assert not {MIA.text, LEO.text, TESTED.text} & set(texts)
    reasons = ("already there", "nearly the same is there (evolved")  # the lab's questions differ in their names
    assert all(draft.rejected.startswith(reasons) for draft in again)


def test_a_draft_like_an_examination_question_is_rejected_with_the_way_and_the_place(tmp_path):
    everything = _drafts(tmp_path, seeds=200)
    held = [dataclasses.replace(draft, id="", answer="1", split="test")
            for draft in everything if not draft.rejected]
    settings = EvolveConfig(model="teacher", seeds=200, deduplicate=["exact"], decontaminate=["minhash"])
    rows = list(evolve(context(tmp_path, evolve), settings, [LEO, MIA, *held], _kept(LEO, 9) + _kept(MIA, 1)))
    reasons = Counter(row.rejected for row in rows)
    assert reasons["nearly the same is there (test)"] >= len(held)
    assert "13 words in a row as there (test)" not in reasons


def test_a_later_round_draws_the_same_seeds_and_asks_for_other_questions(tmp_path):
    first = _drafts(tmp_path, seeds=30, deduplicate=["exact"])
    table = EvolveConfig(model="teacher", seeds=30, after="one", deduplicate=["exact"])
    corrections = _kept(LEO, 9) + _kept(MIA, 1)
    second = list(evolve(context(tmp_path, evolve), table, [LEO, MIA, TESTED], corrections, first))
    assert [draft.parent for draft in first] == [draft.parent for draft in second]
    assert [draft.text for draft in first] != [draft.text for draft in second]
    kept_texts = {draft.text for draft in first if not draft.rejected}
    assert all(draft.rejected for draft in second if draft.text in kept_texts)


class Says(Echo):
    def answer(self, request) -> Completion:
        return Completion("Where does a boat float?\n(A) on a lake\n(B) in the air" if request.index else "Where?")


def test_a_question_with_choices_grows_one_with_choices_of_its_own(tmp_path):
    seed = question("Where do boots go?\n(A) the oven\n(B) the mat", "B", choices=("the oven", "the mat"))
    desk = context(tmp_path, evolve)
    desk._models["teacher"] = Says()
    settings = EvolveConfig(model="teacher", seeds=2, seeds_from="questions", prompt="csqa/evolve")
    bare, whole = evolve(desk, settings, [seed])
    assert bare.rejected == "no choices"
    assert (whole.rejected, whole.choices) == ("", ("on a lake", "in the air"))


def test_too_little_agreement_is_a_reason(tmp_path):
    draft = dataclasses.replace(LEO, answer="", id="")
    votes = [path(draft, RIGHT[0], f"The answer is {answer}.", index=n) for n, answer in enumerate((39, 39, 12))]
    settings = EvolveConfig(model="teacher", seeds=1, agreement=0.9)
    (settled,) = settle(context(tmp_path, settle), settings, [draft], votes)
    assert (settled.rejected, settled.agreement) == ("too few votes agree", pytest.approx(2 / 3))


@pytest.mark.parametrize(("answers", "gold", "agreement", "rejected"), [
    (("39", "39", "12"), "39", 2 / 3, ""),
    (("39", "39", "39"), "39", 1.0, ""),
    (("39", "12", "7"), "39", 1 / 3, "all votes differ"),
    ((None, None, None), "", 0.0, "no vote states an answer"),
    ((None, "12", "12"), "12", 2 / 3, ""),
])
def test_the_majority_of_the_votes_is_the_gold_answer(tmp_path, answers, gold, agreement, rejected):
    draft = dataclasses.replace(LEO, answer="", tokens=20, id="")
    votes = [path(draft, RIGHT[0], f"The answer is {answer}." if answer else "Hm.", index=n, tokens=30)
             for n, answer in enumerate(answers)]
    (settled,) = settle(context(tmp_path, settle), EvolveConfig(model="teacher", seeds=1), [draft], votes)
    assert (settled.answer, settled.rejected) == (gold, rejected)
    assert settled.agreement == pytest.approx(agreement)
    assert settled.tokens == 110


@pytest.mark.parametrize("reply", [
    "Ida has 3 nuts. How many?", "New Question: Ida has 3 nuts. How many?\n\nQuestion: Tom has 7. How many?",
    "Question: Ida has 3 nuts. How many?\nNew Question: Tom?",
    "Ida has 3 nuts. How many?\nSolution: 3\nThe answer is 3.",
    "**New Question:** Ida has 3 nuts. How many?\n\nI hope this helps!",
    "Ida has 3 nuts. How many?<|im_end|>\nTom"])
def test_a_draft_ends_where_the_next_question_or_a_solution_begins(reply):
    assert draft_in(reply) == "Ida has 3 nuts. How many?"


def test_drafts_and_votes_may_be_given_a_stop():
    table = EvolveConfig(model="teacher", seeds=1, stop=["\nQuestion:"])
    assert table.sampling.stop == table.voting.sampling.stop == ("\nQuestion:",)
