"""Replies as families of models dress them: the same correction is read out of all, and what cannot be assigned
without doubt is a row with its reason."""

import json

import pytest

from lema.replies import Parsed, Rewrite, Unparsed, parse_correction, parse_rewrite

WHY = "Only the 12 full bunches are sold."
FIRST = "For these she takes 12 * 6 = $72."
FIXED = f"Step 2: {FIRST}\nStep 3: The answer is 72."
MEANT = (2, WHY, (FIRST, "The answer is 72."), 2)
HEAD = f"Incorrect Step: Step 2\nExplanation: {WHY}\n"
TAIL = f"Correct Solution:\n{FIXED}"
WHOLE = HEAD + TAIL

STYLES = {
    "headings": f"### Incorrect Step\nStep 2\n### Explanation\n{WHY}\n\n### Correct Solution\n{FIXED}",
    "numbered sections": f"1. **Incorrect Step:** Step 2\n2. **Explanation:** {WHY}\n3. **{TAIL}",
    "bullets": f"* **Incorrect Step:** Step 2\n* **Explanation:** {WHY}\n* **Corrected Solution:**\n  * "
               + FIXED.replace("\n", "\n    *   "),
    "verdicts on each step": "- Step 1: correct ✅\n- Step 2: incorrect ❌\n\n" + WHOLE,
    "is incorrect": f"Step 2 is incorrect.\n\n{WHY}\n\nCorrected solution from Step 2 on:\n{FIXED}",
    "the error is in": f"The error is in Step 2.\n{WHY}\n\nHere's the corrected solution:\n\n{FIXED}",
    "the first error occurs": f"Step 1 is fine. The first error occurs in Step 2.\n\n**Why it is wrong:** {WHY}\n"
                              f"**Corrected steps:**\n{FIXED}",
    "second step": f"The second step is wrong.\nReason: {WHY}\nMy correction:\n{FIXED}",
    "several steps": f"Incorrect Step: Steps 2 and 3\nExplanation: {WHY}\nCorrect Solution:\n{FIXED}",
    "no label for the solution": f"Incorrect Step: Step 2\nExplanation: {WHY}\n\n{FIXED}",
    "no label for the explanation": f"Incorrect Step: Step 2.\n{WHY}\nCorrect Solution:\n{{\n...\n{FIXED}\n}}",
    "explanation first": f"Explanation: {WHY}\nIncorrect Step: Step 2\nCorrect Solution:\n{FIXED}",
    "corrected step": f"**Step 2 is wrong.** {WHY}\n\n**Corrected Step 2:** {FIRST}\nStep 3: The answer is 72.",
    "the original beside it": f"**Incorrect Step:** Step 2\n**Original:** Step 2: It is 5.\n"
                              f"**Explanation:** {WHY}\n**Corrected:** {FIXED}",
    "thoughts": "<think>\nIncorrect Step: Step 9? Explanation: no.\nCorrect Solution:\nStep 9: No.\n</think>\n\n"
                + WHOLE,
    "thoughts that began before": "Incorrect Step: Step 7, I think.\n</think>\n" + WHOLE,
    "a second thought": "Incorrect Step: Step 3.\nWait, that only follows.\n\n" + WHOLE,
    "json": json.dumps({"incorrect_step": 2, "explanation": WHY, "correct_solution": FIXED}),
    "json of objects in a fence": "Here it is:\n```json\n" + json.dumps(
        {"wrongStep": "Step 2", "reason": WHY, "correctedSteps": [
            {"step": 2, "text": FIRST}, {"step": 3, "text": "The answer is 72."}]}) + "\n```",
    "yaml": f"incorrect_step: 2\nexplanation: {WHY}\ncorrect_solution: |\n  " + FIXED.replace("\n", "\n  "),
    "tags": f"<incorrect_step>2</incorrect_step>\n<explanation>{WHY}</explanation>\n<correct_solution>\n{FIXED}\n"
            "</correct_solution>",
    "a list": HEAD + f"Correct Solution:\n2. {FIRST}\n3. The answer is 72.",
    "lines behind dots": HEAD + f"Correct Solution:\n{{\n...\n{FIRST}\nThe answer is 72.\n}}",
    "one line": HEAD + "Correct Solution: " + FIXED.replace("\n", " "),
    "step headings": HEAD + f"Correct Solution:\n## Step 2\n{FIRST}\n## Step 3\nThe answer is 72.",
    "marked as corrected": HEAD + f"Correct Solution:\nStep 2 (corrected): {FIRST}\nStep 3: The answer is 72.",
    "hash signs": HEAD + f"Correct Solution:\nStep 2: {FIRST}\n#### 72",
    "a final answer": HEAD + f"Correct Solution:\nStep 2: {FIRST}\n\n**Final Answer:** $\\boxed{{72}}$",
    "a final answer below": HEAD + f"Correct Solution:\nStep 2: {FIRST}\n\n**Final Answer**\n\\boxed{{72}}",
    "chatter behind it": f"Sure!\n\n{WHOLE}\n\nThis sells full bunches only. Let me know!",
    "a rule and a remark": HEAD + f"\n---\n\n**Correct Solution:**\n{FIXED}\n\n---\n\nRead with care.",
    "a token at its end": HEAD + f"Correct Solution:\n{{\n...\n{FIXED}\n}}<|im_end|>",
    "kept steps in a word": HEAD + f"Correct Solution:\nStep 1: (unchanged)\n{FIXED}",
}


@pytest.mark.parametrize("style", STYLES)
def test_a_correction_is_read_in_whatever_dress(style):
    read = parse_correction(STYLES[style])
    assert isinstance(read, Parsed), read
    assert read[:4] == MEANT
    assert read.quote == ""


@pytest.mark.parametrize("naming", [
    'Step 2: "So she takes 12.5 * 6."', "Step 2: So she takes 12.5 * 6.", "Step 2 (“So she takes 12.5 * 6.”)",
    "Step 2\n> So she takes 12.5 * 6."])
def test_the_quoted_step_is_kept_apart(naming):
    read = parse_correction(f"**Incorrect Step:** {naming}\n\n**Explanation:** {WHY}\n\n**{TAIL}")
    assert read[:4] == MEANT
    assert read.quote.rstrip(".") == "So she takes 12.5 * 6"


def test_the_explanation_belongs_to_the_step_that_is_corrected():
    read = parse_correction(f"{HEAD}\nIncorrect Step: Step 4\nExplanation: A unit.\n\nCorrect Solution:\n{FIXED}")
    assert read[:4] == MEANT


def test_latex_in_json_is_no_form_feed():
    read = parse_correction(r'{"step": 1, "reason": "It is \frac{1}{2}.", "solution": "Step 1: $\frac{1}{2} \times'
                            r' 2$\nStep 2: So $\boxed{1}$."}')
    assert read.explanation == "It is \\frac{1}{2}."
    assert read.steps == ("$\\frac{1}{2} \\times 2$", "So $\\boxed{1}$.")


@pytest.mark.parametrize(("reply", "reason"), [
    ("I checked every step and found no mistakes.", "finds no mistake"),
    ('{"incorrect_step": null, "explanation": "Fine.", "correct_solution": ""}', "finds no mistake"),
    ("<think>\nIncorrect Step: Step 2\nExplanation: a\nCorrect Solution:\nStep 2: b", "no step named"),
    ("Step 1 is wrong: it adds. Step 3 is wrong too.\n\nCorrect Solution:\nStep 2: A.", "names several steps"),
    ("Step 2 is wrong: half.\n\nOriginal solution:\nStep 1: 3.\nStep 2: 5.", "no corrected solution"),
    (HEAD + f"Correct Solution:\n{FIRST}\nStep 3: The answer is 72.",
     "corrected steps without numbers before those with"),
    (HEAD + f"Correct Solution:\nStep 2: {FIRST}\nStep 3: (unchanged)", "leaves corrected steps out"),
    ("Step 2." * 100_000, "longer than a correction can be"),
])
def test_what_cannot_be_assigned_says_why(reply, reason):
    assert parse_correction(reply) == Unparsed(reason)


def test_a_solution_without_numbers_and_dots_is_taken_for_the_whole_one():
    read = parse_correction(f"{HEAD}Correct Solution:\nShe ties 12.\n{FIRST}\nThe answer is 72.")
    assert (read.first_number, read.steps[1]) == (1, FIRST)


ANEW = "A doormat lies at the door.\nThe answer is (B)."


@pytest.mark.parametrize("reply", [
    f"### Mistakes\n\n{WHY}\n\n### Corrected Answer\n\n{ANEW}",
    f"1. **Mistakes:** {WHY}\n2. **Corrected Answer:**\n{ANEW}",
    f"Certainly! Here is the correction.\n\n**Mistakes in the original answer:**\n{WHY}\n\nHere's the corrected "
    f"answer:\n{ANEW}",
    f"<think>\nMistakes: hm.\n</think>\n{WHY}\nCorrected Answer:\n{{\n{ANEW}\n}}\n\nQuestion: Where?",
    json.dumps({"mistakes": WHY, "corrected_answer": ANEW}),
    f"Mistakes: {WHY}\nRevised Answer:\nA doormat lies at the door.\n**Final Answer:** (B)\n\nI hope this helps!",
])
def test_an_answer_written_anew_is_read_in_whatever_dress(reply):
    assert parse_rewrite(reply) == Rewrite(WHY, ANEW)


def test_an_answer_without_mistakes_is_none_written_anew():
    assert parse_rewrite("Mistakes: None.\nCorrected Answer:\nThe answer is (D).") == Unparsed("finds no mistake")
