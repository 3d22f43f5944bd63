"""The final answer of a free text: the last statement wins, and the form is named."""

import pytest

from lema.grading import read_letter, read_number, read_text


@pytest.mark.parametrize(("text", "answer", "how"), [
    ("He has 3 + 4 = 7.\nThe answer is 7.", "7", "answer sentence"),
    ("So the final answer is: **1,200**", "1,200", "answer sentence"),
    ("Answer: $5.50", "$5.50", "answer sentence"),
    ("The answer is\n\n12 apples.", "12 apples", "answer sentence"),
    ("The answer to the question is 4 kg. Good luck with the rest of the 9 tasks!", "4 kg", "answer sentence"),
    ("The answer is 3 * 4 = 12.", "12", "answer sentence"),
    ("The answer is that Bob keeps 5 apples.", "5", "answer sentence"),
    ("The answer is 12, since 3 rows of 4 make 12.", "12", "answer sentence"),
    ("The answer is 12 (3 * 4).", "12", "answer sentence"),
    ("The answer is -3.", "-3", "answer sentence"),
    ("The answer is 3 1/2.", "3 1/2", "answer sentence"),
    ("The answer is .5.", ".5", "answer sentence"),
    ("The answer is $\\frac{3}{4}$.", "$\\frac{3}{4}$", "answer sentence"),
    ("The answer is $\\boxed{42}$.", "42", "boxed"),
    ("\\boxed{\\frac{1}{2}} is it", "\\frac{1}{2}", "boxed"),
    ("Take \\fbox{ 8 }", "8", "boxed"),
    ("6 / 2 = <<6/2=3>>3 each.\n#### 3", "3", "####"),
    ("6 / 2 = 3 each.\nA: 3", "3", "A:"),
    ("First 4, then 10 - 6 = 4 and so 15", "15", "last value"),
    ("Down to 10-6", "6", "last value"),
    ("It fell to -6 degrees", "-6", "last value"),
    ("It costs $1,250.", "$1,250", "last value"),
    ("He has 7 nuts.\nStep 2: nothing more", "7", "last value"),
    ("It is 5 <<2+7=9>> in all", "5", "last value"),
])
def test_a_number_is_read_with_its_form(text, answer, how):
    assert read_number(text) == (answer, how)


@pytest.mark.parametrize("text", [
    "", "No idea.", "The answer is unknown.", "\\boxed{}", "####", "Step 3: I give up"])
def test_a_text_without_a_number_states_none(text):
    assert read_number(text) == (None, "none")


@pytest.mark.parametrize(("text", "answer"), [
    ("The answer is 5. No, the answer is 6.", "6"),
    ("\\boxed{5}\nThe answer is 6.", "6"),
    ("The answer is 5.\n#### 6", "6"),
    ("#### 5\nA: 6", "6"),
    ("The answer is 6. I hope this answer is helpful.", "6"),
    ("The answer is 6, while 7 would be wrong", "6"),
    ("The answer is 6. The answer is not 7.", "6"),
])
def test_the_last_statement_wins(text, answer):
    assert read_number(text).answer == answer


@pytest.mark.parametrize("read", [read_number, read_letter, read_text])
def test_what_follows_a_new_question_is_ignored(read):
    own = "Step 1: So it is.\nThe answer is (B) 6.\n\n"
    assert read(f"{own}Question: How many are 2 and 3?\nThe answer is (C) 5.") == read(own)


def test_a_question_repeated_at_the_start_is_no_end():
    assert read_number("Question: What is 2 + 3?\nThe answer is 5.").answer == "5"


def test_an_expression_is_not_cut_down_to_its_digits():
    for expression in ("5x", "(2, 3)", "10:30", "x^2 + 1"):
        assert read_number(f"The answer is {expression}.").answer == expression


@pytest.mark.parametrize(("text", "letter"), [
    ("The answer is (B).", "B"), ("The answer is B.", "B"), ("Answer: option C", "C"), ("\\boxed{D}", "D"),
    ("The answer is A) the bank", "A"), ("First (A), but then the answer is (C).", "C"),
    ("I take (D), surely", "D"),
])
def test_a_letter_is_read(text, letter):
    assert read_letter(text).answer == letter


@pytest.mark.parametrize("text", ["The answer is a bank.", "Because it floats.", "The answer is Bank."])
def test_a_word_is_no_letter(text):
    assert read_letter(text).answer is None


def test_a_text_answer_is_read_in_its_own_words():
    assert read_text("Oars are for rowing. The answer is \"rowing boat\".") == ("rowing boat", "answer sentence")
    assert read_text("It is a boat.") == (None, "none")
