"""Multiple choice: what is stated is read, nothing is guessed."""

import pytest

from lema.grading import grade, read, same

PLACES = ("bank", "library", "department store", "mall", "new york")


@pytest.mark.parametrize(("text", "answer"), [
    ("The answer is (B).", "B"), ("The answer is B.", "B"), ("So the answer is **C**", "C"),
    ("It closes early. The answer is: library", "library"), ("Answer: (D) mall", "D"), ("#### E", "E"),
    ("The answer is a department store.", "a department store"), ("\\boxed{\\text{(A)}}", "A"),
    ("D. it cannot be A", "D"),
    ("I rule out the mall. Therefore it is C", "C"), ("The answer is the library, not the mall", "the library"),
    ("mall", "mall"), ("Option A is too far. Therefore option C is correct.", "C"), ("Option A is wrong.", None),
        ("Solution: Choice_D", "D"), ("The correct option is B.", "B"), ("Correct option: B", "B"), ("**B**", "B"),
        ("B is the correct answer.", "B"), ("Both A and B could be right, but A is the best answer.", "A"),
        ("A and B are wrong. C is the correct answer.", "C"), ("Option B is incorrect.", None),
        ("The answer is b.", "B"),
        ("The answer is option b.", "B"), ("\\boxed{\\text{B}}", "B"), ("The answer is $\\mathbf{B}$.", "B"),
        ("The answer is either (A) or (B).", None), ("The answer is (A), (B), or (C).", None),
        ("The answer is not (A) but (B).", "B"), ("The answer is (B), not (A).", "B"),
        ("The answer is not B.", None),
        ("The answer is (B) bank.", None), ("The answer is (B) since (A) is too small.", "B"),
        ("(A) bank: no books.\n(B) library: books.\n(C) department store: no.", None),
        ("I would go with option B.", "B"),
        ("The best answer is B because books are there.", "B"), ("The answer is I think B.", "B"),
        ("None of the above.", None),
        ("It is most likely D, in a row.", "D"), ("(D) mall\n\nBecause (A) is for books.", "D"),
        ("The answer is C. (A) would be for money. (B) would be for books.", "C"), ("\"answer\": \"B\"}", "B"),
])
def test_a_choice_is_read_as_it_is_stated(text, answer):
    assert read(text, task="csqa", choices=PLACES).answer == answer


@pytest.mark.parametrize("text", [
    "The answer is a school.", "The answer is the bank or the mall.", "They all fit.", "The answer is (G).",
    "A bank is a place.", ""])
def test_no_candidate_is_taken_because_it_is_near(text):
    assert grade(text, "A", task="csqa", choices=PLACES).verdict == "no_answer"


@pytest.mark.parametrize(("text", "gold"), [
    ("The answer is (A).", "bank"), ("The answer is bank.", "A"), ("The answer is the Bank.", "bank"),
    ("The answer is (A) bank.", "A"), ("The answer is (A).", "(A) bank"), ("The answer is: New York", "E"),
    ("The answer is in new york", "E"),
])
def test_letters_and_candidates_are_one(text, gold):
    assert grade(text, gold, task="csqa", choices=PLACES).verdict == "right"
    assert grade(text, "library", task="csqa", choices=PLACES).verdict == "wrong"


def test_without_candidates_letters_are_compared_with_letters_and_words_with_words():
    assert grade("The answer is (B).", "B", task="aqua").verdict == "right"
    assert grade("The answer is library.", "Library", task="csqa").verdict == "right"
    assert grade("The answer is library.", "mall", task="csqa").verdict == "wrong"


def test_a_longer_candidate_hides_the_shorter_one_in_it():
    assert read("The answer is the dark red one.", task="csqa", choices=("red", "dark red")).answer == "dark red"


def test_a_letter_that_is_no_choice_is_the_same_as_none():
    assert not same("é", "B", task="choice") and not same("G", "B", task="choice", choices=PLACES)
