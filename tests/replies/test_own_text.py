"""What of a path may be trained on: the model's own text up to its answer, the whole text where it states more."""

import pytest

from lema.grading import grade
from lema.prompting import correction_values, critique_values
from lema.records import Question
from lema.replies import own_text, parse_correction, split_steps

PATH = "Step 1: Ida has 2 * 5 = 10 nuts.\nStep 2: The answer is 10."
STEPS = ("Ida has 2 * 5 = 10 nuts.", "The answer is 10.")
BEHIND = [
    "\n\nProblem: Tom has 7 apples and eats 2.\nStep 1: Tom has 7 - 2 = 5.\nStep 2: The answer is 5.",
    "\nQuestion: Tom has 7 apples.\nSolution:\nStep 1: The answer is 7.", "\n\nQ: Tom?\nA: 7", "\nHuman: thanks",
    "<|im_end|>\n<|im_start|>user\nMore", "\nI hope this helps!", " I hope this helps!",
    "\n\nLet me know if you want more.", "\nNote: he could also count them.",
    "\n\n---\nVerification: 5 + 5 = 10 nuts.", " Problem: Tom has 7 apples."]


@pytest.mark.parametrize("behind", BEHIND)
def test_steps_hold_nothing_that_stands_behind_the_answer(behind):
    assert split_steps(PATH + behind) == STEPS
    assert split_steps("<think>The answer is 3.</think>\n" + PATH + behind) == STEPS
    for text in (PATH + behind, own_text(PATH + behind)):
        assert grade(text, "10", task="gsm8k").verdict == "right"


@pytest.mark.parametrize("behind", BEHIND)
def test_correctors_and_critics_are_shown_the_same(behind):
    question = Question(text="How many?", answer="10")
    for cue in ("Incorrect Step:", "Mistakes:"):
        assert correction_values(question, PATH + behind, cue)["steps"] == PATH
    assert critique_values(question, PATH + behind)["path"] == PATH


@pytest.mark.parametrize("behind", BEHIND)
def test_corrected_steps_hold_nothing_that_stands_behind_the_answer(behind):
    parsed = parse_correction(f" Step 1.\nExplanation: It adds.\nCorrect Solution:\n{PATH}{behind}")
    assert parsed.steps == STEPS


@pytest.mark.parametrize(("text", "steps"), [
    ("2 * 5 = 10\nSo 10 nuts.\nI hope this helps!", ("2 * 5 = 10", "So 10 nuts.")),
    ("2 * 5 = 10\n#### 10\nHope that helps.", ("2 * 5 = 10", "The answer is 10.")),
    ("So $x = \\boxed{10}$.\nFeel free to ask.", ("So $x = \\boxed{10}$.",)),
    ("Step 1: The answer is (B).\nThe others are food.", ("The answer is (B).",))])
def test_paths_without_numbers_or_answer_sentence_lose_their_politeness_too(text, steps):
    assert split_steps(text) == steps


@pytest.mark.parametrize("text", [
    "The answer is 5.\nNo, wait. The answer is 6.", "The answer is below:\n\\boxed{5}", "The answer is $(1,\n2)$",
    "The answer is obtained by adding:\n3 + 4 = 7", "Step 1: The answer is 5.\nStep 2: Check: 2 + 3 = 5.",
    "If you need 3 eggs\nthen 5", "I hope this: x\n3 = 3", "The answer is\n5", "The answer is 5 +\n6", "",
    "So the answer is 3.\nSo the correct option is (B).", "Let me know x\nThe answer is 5."])
def test_what_a_verdict_may_stand_on_is_never_cut(text):
    assert own_text(text) == text
