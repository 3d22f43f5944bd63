"""Steps: cut, numbered, corrected and read back, whatever a model writes around them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.replies import (
    Parsed,
    Rewrite,
    Unparsed,
    drop_calculator_marks,
    number_steps,
    parse_correction,
    parse_rewrite,
    rejoin,
    render_correction,
    split_steps,
)
from tests.patience import in_a_moment

STEPS = ("Two bags hold 2 * 5 = 10 nuts.", "The answer is 10.")


def test_numbered_text_is_cut_at_its_numbers():
    assert split_steps("Step 1: Two bags hold 2 * 5 = 10 nuts.\nStep 2: The answer is 10.") == STEPS


@pytest.mark.parametrize("text", [
    "**Step 1:** Two bags hold 2 * 5 = 10 nuts.\n**Step 2:** The answer is 10.",
    "### Step 1: Two bags hold 2 * 5 = 10 nuts.\n\n### Step 2: The answer is 10.",
    "**Step 1: Two bags hold 2 * 5 = 10 nuts.**\n**Step 2: The answer is 10.**",
    "step 1. Two bags hold\n  2 * 5 = 10 nuts.\nSTEP 2) The answer is 10.",
    "Let us think.\nStep 1: Two bags hold 2 * 5 = 10 nuts.\nThe answer is 10.",
    "Step 1:\nTwo bags hold 2 * 5 = 10 nuts.\n#### 10",
    "Two bags hold 2 * 5 = 10 nuts.\n\nThe answer is 10.\n",
    "Two bags hold 2 * 5 = 10 nuts.\n#### 10",
    "Two bags hold 2 * 5 = 10 nuts.\r\nA: 10",
])
def test_the_many_ways_of_writing_steps_give_the_same_steps(text):
    assert split_steps(text) == STEPS


def test_lines_before_a_text_that_begins_at_step_2_are_kept():
    assert split_steps("There are 5 nuts.\nStep 2: The answer is 5.") == ("There are 5 nuts.", "The answer is 5.")


def test_a_decimal_behind_the_word_step_is_no_number():
    assert split_steps("Step 2.5 is odd.") == ("Step 2.5 is odd.",)


def test_an_empty_text_has_no_steps():
    assert split_steps(" \n\n") == ()


def test_calculator_marks_go_and_comparisons_stay():
    assert drop_calculator_marks("He has 48/2=<<48/2=24>>24, and 1 << 2 < 3.") == "He has 48/2=24, and 1 << 2 < 3."


def test_numbering_starts_where_it_is_told():
    assert number_steps(STEPS, 3) == "Step 3: Two bags hold 2 * 5 = 10 nuts.\nStep 4: The answer is 10."


def test_a_correction_from_a_later_step_has_dots():
    assert render_correction(2, "Ten, not two.", STEPS[1:]) == (
        " Step 2.\nExplanation: Ten, not two.\nCorrect Solution:\n{\n...\nStep 2: The answer is 10.\n}")


def test_a_correction_from_step_1_has_no_dots():
    assert render_correction(1, "Ten, not two.", STEPS) == (
        " Step 1.\nExplanation: Ten, not two.\nCorrect Solution:\n{\n"
        "Step 1: Two bags hold 2 * 5 = 10 nuts.\nStep 2: The answer is 10.\n}")


LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1).map(lambda t: f"x{t}x")


@given(st.integers(1, 9), LINE, st.lists(LINE, min_size=1, max_size=6))
def test_what_is_rendered_is_read_back(step, explanation, steps):
    parsed = parse_correction(render_correction(step, explanation, steps))
    assert parsed == Parsed(step, explanation, tuple(steps), step, step > 1)


@given(st.lists(LINE, min_size=1))
def test_what_is_numbered_is_cut_again_as_it_was(steps):
    assert split_steps(number_steps(steps)) == tuple(steps)


GOOD = Parsed(2, "It is 2 * 5.", STEPS, 2, True)
BODY = "Step 2: Two bags hold 2 * 5 = 10 nuts.\nStep 3: The answer is 10."


@pytest.mark.parametrize("reply", [
    f" Step 2.\nExplanation: It is 2 * 5.\nCorrect Solution:\n{{\n...\n{BODY}\n}}",
    f"Incorrect Step: Step 2.\nExplanation: It is 2 * 5.\nCorrect Solution:\n{{\n...\n{BODY}\n}}",
    f"**Incorrect Step:** Step 2\n\n**Explanation:** It is 2 * 5.\n\n**Correct Solution:**\n{{\n...\n{BODY}\n}}",
    f"2\nExplanation: It is 2 * 5.\nCorrect Solution:\n...\n{BODY}",
    f"**Step 2**\nExplanation: It is 2 * 5.\nCorrected Solution:\n{{\n…\n{BODY}",
    f"The first wrong step is step 2.\nReason: It is 2 * 5.\nCorrect Solution: {{\n...\n{BODY}}}",
    f"Step 2. Explanation: It is 2 * 5.\nCorrect Solution:\n```\n{{ ...\n{BODY}\n}}\n```\nQuestion: And now?",
    f" Step 2.\r\nExplanation: It is 2 * 5.\r\nCorrect Solution:\r\n...\n{BODY}\nQuestion: And?\nStep 1: Hm.",
    f"Step 1 is so. Incorrect Step: Step 2: 25\nExplanation: It is 2 * 5.\nCorrect Solution:\n{{...\n{BODY}\n}}",
])
def test_the_many_ways_of_writing_a_correction_are_read_alike(reply):
    assert parse_correction(reply) == GOOD


def test_latex_braces_do_not_end_a_solution():
    reply = "Step 1.\nReason: Half.\nCorrect Solution:\n{\nStep 1: \\frac{1}{2}\nStep 2: \\boxed{\\frac{1}{2}}\n}"
    assert parse_correction(reply).steps == ("\\frac{1}{2}", "\\boxed{\\frac{1}{2}}")


def test_a_solution_that_starts_elsewhere_says_where():
    parsed = parse_correction("Step 3.\nExplanation: No.\nCorrect Solution:\nStep 1: A.\nStep 2: B.")
    assert (parsed.step, parsed.first_number, parsed.has_dots) == (3, 1, False)


def test_several_lines_of_explanation_stay_together():
    parsed = parse_correction(
        "Step 1.\nExplanation: First.\nThe correct solution: add.\nCorrect Solution:\nStep 1: A.")
    assert parsed.explanation == "First.\nThe correct solution: add."


@pytest.mark.parametrize(("reply", "reason"), [
    ("", "no step named"),
    ("All steps are correct.", "finds no mistake"),
    ("All steps are correct. Step 4 is it.\nReason: Fine.\nCorrect Solution:\nStep 1: A.", "finds no mistake"),
    ("Incorrect Step: None.\nExplanation: Fine.\nCorrect Solution:\nStep 1: A.", "finds no mistake"),
    ("There is no incorrect step; step 3 is it.\nReason: x.\nCorrect Solution:\nStep 1: A.", "finds no mistake"),
    ("Step 0.\nExplanation: Fine.\nCorrect Solution:\nStep 1: A.", "no step named"),
    ("Incorrect Step: 2x = 4\nExplanation: Fine.\nCorrect Solution:\nStep 1: A.", "no step named"),
    ("Step 2.\nCorrect Solution:\nStep 2: A.", "no explanation"),
    ("Step 2.\nExplanation:\nCorrect Solution:\nStep 2: A.", "no explanation"),
    ("Step 2.\nExplanation: Wrong sum.", "no corrected solution"),
    ("Step 2.\nExplanation: Wrong sum.\nCorrect Solution:\n{\n...\n}", "no corrected steps"),
])
def test_what_is_no_correction_says_why(reply, reason):
    assert parse_correction(reply) == Unparsed(reason)


def test_a_rewrite_of_a_path_without_steps_is_read():
    reply = "Mistakes: A boat is rowed.\nCorrected Answer:\n{\nOars belong to boats.\nThe answer is boat.\n}"
    assert parse_rewrite(reply) == Rewrite("A boat is rowed.", "Oars belong to boats.\nThe answer is boat.")
    assert parse_rewrite("Mistakes: none") == Unparsed("no corrected answer")
    assert parse_rewrite("Corrected Answer: boat") == Unparsed("no mistake named")


def test_every_real_correction_is_read_to_its_gold_fields(shared_data):
    lines = (shared_data / "corrector_outputs/lema_real_corrections.jsonl").read_text("utf-8").strip().split("\n")
    assert len(lines) == 15
    for row in map(json.loads, lines):
        gold, reply = row["gold"], row["corrector_output"]
        if "mistakes" in gold:
            assert parse_rewrite(reply) == (gold["mistakes"], gold["corrected_answer"])
            continue
        parsed = parse_correction(reply)
        assert parsed.step == gold["incorrect_step"]
        assert gold["final_answer"] in parsed.steps[-1]
        if "explanation" in gold:
            steps = gold["correct_steps"]
            assert parsed == Parsed(gold["incorrect_step"], gold["explanation"], tuple(s["text"] for s in steps),
                                    steps[0]["n"], gold["has_ellipsis"])
            assert f"Incorrect Step:{render_correction(parsed.step, parsed.explanation, parsed.steps)}" == reply


def test_a_corrected_path_keeps_the_steps_before():
    assert rejoin(("a", "wrong", "c"), 2, ("b", "c", "d")) == ("a", "b", "c", "d")
    assert rejoin(("wrong",), 1, ("a",)) == ("a",)


@pytest.mark.parametrize("step", [0, 5, -1])
def test_no_path_is_rejoined_at_a_step_that_it_has_not(step):
    with pytest.raises(ValueError, match="of a path of 3"):
        rejoin(("a", "b", "c"), step, ("d",))


@pytest.mark.parametrize("bait", [
    "<<", "*", "step ", "Step 1: a\n", "explanation:", "{", "correct solution:", "incorrect step: ", "\n", " ",
    "#", "1", "\0", "\ud800", "Correct Solution:\n{", "Step 1.\nExplanation: a\n",
])
def test_a_megabyte_of_bait_is_read_in_a_moment(bait):
    text = bait * (1_000_000 // len(bait))
    with in_a_moment(f"a megabyte of {bait!r}"):
        for read in (split_steps, parse_correction, parse_rewrite, drop_calculator_marks):
            read(text)
