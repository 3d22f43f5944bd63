"""Which number a sentence says, and where it leaves two to choose from."""

import pytest

from lema.grading import grade
from lema.grading.prose import is_two, last_sentence, number_said


@pytest.mark.parametrize(("sentence", "number"), [
    ("So there are 12 - 9 = 3 ounces left when he drinks 1 ounce", "3"),
    ("Harry paid $6 + $2 = $8 for 14 balloons", "$8"), ("It takes 2 + 3 = 5 hours for 4 people", "5"),
    ("So 5 * 3 = 15, which leaves her 85 dollars", "85"), ("Tom has 5 apples", "5"),
    ("She used 5 ounces of oil for her 20-ounce batch", "5"), ("Jane gets 1 slice out of the 39 left", "1"),
    ("At 60 mph for 3 hours, the train covers 180 miles", "180"), ("The train covers 180 miles in 3 hours", "180"),
    ("In 14 days, he can paint 7 houses", "7"), ("It would take 14 days to paint 7 houses", "14"),
    ("She needs 7 more to have 20", "7"), ("After paying, she is left with $7", "$7"),
    ("He is 7 years older than Tim, who is 12", "7"), ("The price rose from 5 to 8", "8"),
    ("So she gets 2 pens and 1 cap, for a total of 3 things", "3"), ("Out of a total of 30, she has 12", "12"),
    ("He must score at least 15 on the last of 5 tests", "15"), ("The volume is 24 cm^3", "24"),
    ("The total is 15 dollars and 20 cents", "15 dollars and 20 cents"), ("15 of the 40 play chess", "15"),
    ("He has 12 more, since there are 5 in a row", "12"), ("Thus 3 * 4 = 12 and the rest is 8", "8"),
    ("In total she has 5", "5"), ("Step 2 is done", None),
])
def test_a_sentence_says_one_of_its_numbers(sentence, number):
    assert number_said(sentence) == number
    if number:
        gold = "15.2" if "dollars and" in number else number.strip("$")
        assert grade(f"First 99.\n{sentence}.", gold, task="gsm8k").verdict == "right"


@pytest.mark.parametrize("value", [
    "6 or 7", "either 6 or 7", "between 5 and 7", "5 to 7", "from 5 to 7 days", "7 and 8", "2 cats and 3 dogs",
    "$5 or $6"])
def test_two_numbers_to_choose_from_are_no_answer(value):
    assert is_two(value)
    for number in "25678":
        assert grade(f"The answer is {value}.", number, task="gsm8k").verdict == "wrong"


@pytest.mark.parametrize("value",
["5 or 5.0", "1 and 3/4", "0.5 hours, or 30 minutes", "12 of the 30 students", "7"])
def test_one_number_said_twice_is_one(value):
    assert not is_two(value)


def test_the_last_sentence_is_the_last_one_with_a_number():
    text = "He has 3. Then Mr. Fox, who is 40, takes 2.\n\nGood luck!"
    assert last_sentence(text) == " Then Mr. Fox, who is 40, takes 2"
    assert last_sentence("Nothing at all.") == ""


@pytest.mark.parametrize(("text", "verdict"), [
    ("The answer cannot be 6.", "no_answer"), ("The answer isn't 6.", "no_answer"),
    ("The answer isn't 6. It's 7.", "right"), ("The answer is not 6 but 7.", "right"),
    ("The answer is 7, not 6.", "right"), ("The answer is 7 because it is 3 more than 4.", "right"),
    ("The answer is 7, but 3 of them are broken.", "right"), ("The answer could be 7.", "right"),
    ("The answer can be found by 7.", "right"),
    ("The answer cannot be determined from the 7 facts.", "no_answer"),
    ("The answer is 7.\n\nNote: a month has 30 days.", "right"),
    ("So it is 7.\n\n**Verification:** 7 * 2 = 14.", "right"),
])
def test_what_is_denied_or_only_checked_is_not_the_answer(text, verdict):
    assert grade(text, "7", task="gsm8k").verdict == verdict


@pytest.mark.parametrize(("text", "gold", "verdict"), [
    ("She sees two hundred and six.", "206", "right"), ("So there are twenty-four left over.", "24", "right"),
    ("Two of them go. Hence five remain.", "5", "right"), ("There are two or three.", "3", "no_answer"),
    ("No one knows.", "1", "no_answer"), ("He has 5. So there are twenty.", "5", "right"),
    ("A wrong answer costs 6 points, and she ends with 28 points.", "28", "right"),
    ("It is written in ISBN 424-75-X.", "424", "no_answer"),
    ("The answer is Henry the Eighth.", "8", "no_answer")])
def test_a_text_without_digits_says_its_number_in_words_and_a_code_says_none(text, gold, verdict):
    assert grade(text, gold, task="gsm8k").verdict == verdict
