"""One-step corrections as correctors write them: the number, the step, where wanted a reason, whatever else."""

import pytest

from lema.replies import Unparsed, parse_step, render_step

STEP = "Ida = Sam - 9 = 30 - 9 = 21."
DRESSES = [
    f" 2\nCorrected Step: {STEP}",
    f" Step 2.\nCorrected Step: Step 2: {STEP}",
    f"Incorrect Step: 2\nCorrected Step 2: {STEP}",
    f"**Incorrect Step:** Step 2\n\n**Corrected Step:** {STEP}",
    f"2.\n\nCorrected Step:\n{STEP}\n\nLet me know if you need more!",
    f"<think>Step 1 is fine. Step 3 follows.</think>\nStep 2\nCorrected step: {STEP}",
    f'{{"incorrect_step": 2, "corrected_step": "{STEP}"}}',
    f" 2\nCorrected Step: {STEP}\nStep 3: The answer is 21.",
    f" Step 2.\nStep 2: {STEP}",
    f" 2\nCorrected Solution:\n{{\n...\nStep 2: {STEP}\nStep 3: The answer is 21.\n}}",
    f" Step 2.\nCorrected Step:\nStep 1: Sam = 30.\nStep 2: {STEP}",
]


@pytest.mark.parametrize("reply", DRESSES)
def test_number_and_step_are_read_in_whatever_dress_they_come(reply):
    parsed = parse_step(reply, reason=False)
    assert (parsed.step, parsed.steps, parsed.first_number, parsed.explanation) == (2, (STEP,), 2, "")


@pytest.mark.parametrize("label", ["Reason", "Explanation", "**Why**"])
def test_a_reason_is_read_where_one_was_asked_for(label):
    reply = f" 2\n{label}: Ida has 9 fewer.\nCorrected Step: {STEP}"
    assert parse_step(reply, reason=True).explanation == "Ida has 9 fewer."
    assert parse_step(reply, reason=False).explanation == ""


@pytest.mark.parametrize(("reply", "why"), [
    ("All steps are correct.", "finds no mistake"),
    ("Incorrect Step: none", "finds no mistake"),
    (f"Corrected Step: {STEP}", "no step named"),
    (" 2", "no corrected step"),
    (" 2\nCorrected Step:", "no corrected step"),
    (f"Step 1 is wrong. Step 3 is wrong.\nCorrected Step: {STEP}", "names several steps"),
    (" 2\nCorrected Step: Step 2: (unchanged)", "leaves corrected steps out"),
    ("x" * 300_000, "longer than a correction can be"),
])
def test_what_cannot_be_assigned_is_unparsed_with_its_reason(reply, why):
    assert parse_step(reply, reason=False) == Unparsed(why)


def test_a_reply_without_the_wanted_reason_is_unparsed():
    assert parse_step(f" 2\nCorrected Step: {STEP}", reason=True) == Unparsed("no explanation")


def test_a_step_of_another_number_keeps_that_number_for_the_check():
    assert parse_step(f" 2\nCorrected Step: Step 3: {STEP}", reason=False).first_number == 3


@pytest.mark.parametrize("reason", ["", "Ida has 9 fewer."])
def test_what_is_rendered_is_read_back(reason):
    parsed = parse_step(render_step(2, STEP, reason), reason=bool(reason))
    assert (parsed.step, parsed.steps, parsed.explanation) == (2, (STEP,), reason)
