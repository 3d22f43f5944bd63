"""The check of the conclusion: an answer that contradicts the last kept values is refused, and no other."""

import pytest

from lema.checks import CHECK, Checked, failed
from lema.records import Correction, Question
from lema.tasks import answers_to, find_task

ASKED = "Ruth has 6 pens. Cora has 12 more pens than Ruth. How many pens does Cora have?"
KEPT = ("Ruth = 6.", "Cora = Ruth + 12 = 6 + 12 = 18.", "The answer is 20.")


def passes(*steps, kept=KEPT, step=3, question=ASKED, gold="15"):
    correction = Correction(question="q", path="p", model="m", reply="r", step=step, first_number=step,
                            steps=steps,
                            explanation="Cora has 12 more pens than Ruth.")
    answers = answers_to(find_task("gsm8k", {"train": "none.jsonl"}), ())
    checked = Checked.of(correction, kept, Question(text=question, answer=gold), answers)
    assert ("follows" in failed(checked)) == (not CHECK["follows"].passes(checked))
    return CHECK["follows"].passes(checked)


@pytest.mark.parametrize("steps", [
    ("The answer is 15.",), ("So the answer is 15.",), ("That makes 6 + 12 = 18 pens. The final answer is 15.",),
    ("The answer is $15.",), ("The answer is 6.",)])
def test_an_answer_that_contradicts_the_last_kept_values_is_refused(steps):
    assert not passes(*steps)


@pytest.mark.parametrize(("steps", "question"), [
    (("The answer is 18.",), ASKED), (("Cora has 18 - 3 = 15 pens.", "The answer is 15."), ASKED),
    (("Cora = 18 - 3 = 15.", "The answer is 15."), ASKED), (("The answer is 6 + 9 = 15.",), ASKED),
    (("The answer is 6.",), "Cora has 12 more pens than Ruth. How many pens does Ruth have?"),
    (("Half of the 0.15 is kept.", "The answer is 15."), ASKED), (("The answer is 1800.",), "How many percent?"),
    (("That is three dozen, so 18 = 18.", "The answer is 3."), "How many dozen?"),
    (("The answer is (B).",), ASKED),
    (("2.6 * 7 = 18.2", "The answer is 19."), "How many buses?"),
    (("She counts them.", "The answer is 15."), ASKED),
    (("The answer is unknown.",), ASKED)])
def test_an_answer_that_stands_in_the_steps_in_whatever_form_passes(steps, question):
    assert passes(*steps, question=question)


def test_an_answer_without_steps_passes():
    assert passes("She counts 18 pens.\nThe answer is 15.", step=None, kept=("The answer is 20.",))
