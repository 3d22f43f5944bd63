"""Judgements: what evaluators really write, read to what they mean."""

import json

import pytest

from lema.replies import Unparsed
from lema.replies.judgements import Judgement, ParsedCritique, parse_critique, parse_judgement


@pytest.mark.parametrize(("reply", "meant"), [
    ("Step 1 is fine.\nFinal Judgement: wrong\nFirst Error Step: 2\nError Analysis: It adds.",
     Judgement(False, 2, "It adds.")),
    ("**Final Judgement:** Incorrect\n\n**First Error Step:** Step 4\n\n**Error Analysis:** No.",
     Judgement(False, 4, "No.")),
    ("Final Judgement: correct\nFirst Error Step: N/A", Judgement(True, None)),
    ("Verdict: the solution is wrong", Judgement(False, None)),
    (" Step 2.\nExplanation: It adds.\nCorrect Solution:\n{\n...\nStep 2: Take 3.\n}",
     Judgement(False, 2, "It adds.")),
    ("All steps are correct.", Judgement(True, None)),
    ("I find no mistakes in it.", Judgement(True, None)),
    ("Incorrect Step: None", Judgement(True, None)),
    ("The incorrect step is 3, because it adds.", Judgement(False, 3)),
    ("Step 5", Judgement(False, 5)),
    ("It is hard to say.", Unparsed("no step named")),
    ("", Unparsed("no step named")),
])
def test_a_judgement_is_read_whatever_form_it_has(reply, meant):
    assert parse_judgement(reply) == meant


NOTES = "Step 1: Right.\nStep 2 is wrong: it adds.\nConclusion: wrong\nIncorrect Step: Step 2"
PRAISED = "There are no errors in step 1.\nIncorrect Step: Step 2."


@pytest.mark.parametrize(("reply", "text", "meant"), [
    (f" {NOTES}\n", NOTES, Judgement(False, 2)),
    ("**Critique:** It holds.\n\n**Conclusion: right** [END]", "It holds.\n\n**Conclusion: right** [END]",
     Judgement(True, None)),
    ("It holds.\nConclusion: right\n\nQuestion: More?\nCritique: No.\nConclusion: wrong",
     "It holds.\nConclusion: right", Judgement(True, None)),
    ("Step 1: It holds.\r\nNothing is wrong.", "Step 1: It holds.\nNothing is wrong.", Judgement(True, None)),
    (PRAISED, PRAISED, Judgement(False, 2)),
    ("It rests on a mistake.\nVerdict: incorrect", "It rests on a mistake.\nVerdict: incorrect",
     Judgement(False, None)),
])
def test_a_critique_is_its_whole_text_and_the_judgement_that_it_ends_in(reply, text, meant):
    assert parse_critique(reply) == ParsedCritique(text, meant)


@pytest.mark.parametrize(("reply", "reason"), [
    (" ", "no critique"), ("Critique:", "no critique"),
    ("I see no errors in step 1.\nBut step 2 adds.", "no conclusion"),
    ("Step 1: Right.\nConclusion: hard to say", "no conclusion"),
    ("It adds.\nStep 2: Let me see.", "no conclusion"),
])
def test_a_reply_without_a_conclusion_is_no_critique(reply, reason):
    assert parse_critique(reply) == Unparsed(reason)


DISAGREEMENTS: dict[str, str] = {}
"""Rows whose judgement is read otherwise than upstream reads it, with what a person says of each. None is."""

OTHER_TAILS = 3
"""Reasons whose last line of hash signs upstream cuts elsewhere; the words are the same."""


def test_the_judgements_of_real_evaluators_are_read_as_upstream_reads_them(shared_data):
    lines = (shared_data / "corrector_outputs/mr_gsm8k_evaluator_outputs.jsonl").read_text("utf-8").splitlines()
    apart, reasons = {}, 0
    for row in map(json.loads, lines):
        upstream, ours = row["upstream_parse"], parse_judgement(row["raw_output"])
        theirs = (upstream["correctness_pred"].lower() in ("correct", "right"),
                  int(upstream["error_step_pred"].lower().removeprefix("step")))
        if (ours.right, ours.step) != theirs:
            apart[row["id"]] = (ours, theirs)
        reasons += ours.reason == upstream["error_reason"].strip()
    assert len(lines) == 433
    assert set(apart) == set(DISAGREEMENTS), apart
    assert reasons >= len(lines) - OTHER_TAILS


def test_a_correction_that_goes_on_with_another_example_is_judged_by_its_own_step():
    reply = (" Step 3.\nExplanation: It adds.\nCorrect Solution:\n{\n...\nStep 3: Take 3.\n}\n\nQuestion: And?\n"
             "Wrong Step: Step 1.\nExplanation: No.\nCorrect Solution:\n{\nStep 1: Two.\n}")
    assert parse_judgement(reply) == Judgement(False, 3, "It adds.")
