"""Overlap: each way of being like a known question finds what it is for and nothing else."""

import pytest

from lema.decontamination import Overlap, normal

KNOWN = ("A bakery fills trays of 12 rolls. On Saturday it filled 9 trays and had 5 rolls left over. By noon "
         "80 rolls were sold. How many rolls remained at noon?")
OTHER = "In a choir of 40 singers, 15% sing bass and twice as many sing tenor. How many singers sing tenor?"


def _found(way, text):
    return Overlap([way]).learn("test", [OTHER, KNOWN]).reason(text)


@pytest.mark.parametrize(("way", "text", "reason"), [
    ("exact", KNOWN.upper().replace(".", " "), "already there (test)"),
    ("masked", KNOWN.replace("12", "1,400").replace("80", "7"), "already there with other numbers (test)"),
    ("13-gram", f"Tom likes this: {KNOWN[:90]} And what then?", "13 words in a row as there (test)"),
    ("8-gram", f"{KNOWN[:-30]} How much is that?", "half of its 8-grams are there (test)"),
    ("minhash", KNOWN.replace("A bakery", "The bakery"), "nearly the same is there (test)"),
])
def test_each_way_finds_what_it_is_for(way, text, reason):
    assert _found(way, text) == reason


def test_a_way_that_is_off_finds_nothing():
    assert not Overlap(["masked"]).learn("test", [KNOWN]).reason("Another text of 3 words.")
    assert not Overlap([]).learn("test", [KNOWN]).reason(KNOWN)


@pytest.mark.parametrize("way", ["exact", "masked", "13-gram", "8-gram", "minhash"])
def test_a_question_of_its_own_is_found_by_none(way):
    assert not _found(way, "A gym costs 36 euros a month, students pay a quarter less. What do two pay?")
    assert not _found(way, "How many rolls remained at noon?")


def test_the_surest_reason_comes_first_and_says_where():
    everything = Overlap(("exact", "masked", "13-gram", "8-gram", "minhash"))
    everything.learn("dev", [KNOWN]).learn("test", [OTHER])
    assert everything.reason(KNOWN) == "already there (dev)"
    assert everything.reason(OTHER) == "already there (test)"


def test_numbers_and_words_are_compared_without_their_dress():
    assert normal("It's $1,200.50 -- SAM's!") == ["it", "s", "1200.50", "sam", "s"]


@pytest.mark.parametrize(("way", "text"), [
    ("exact", "What is $x y + 2^{3}$?"), ("exact", "What is \\(xy + 2^3\\)?"), ("exact", "Ｗhat is $xy+2^3$?"),
    ("masked", "What is $xy + 11^4$?"),
    ("8-gram", "Now for sums. " * 5 + "How many marbles did Mia lose when nine of her jars broke? And why so?"),
])
def test_formulas_other_letters_and_a_short_question_inside_a_long_one_are_seen_through(way, text):
    known = ("What is $xy + 2^3$?", "How many marbles did Mia lose when nine of her jars broke?")
    assert Overlap([way]).learn("test", known).reason(text)


def test_another_name_makes_no_other_question_and_another_sign_does():
    sold = "In April Mia sold 48 pens, and in May she sold half as many. How many did Mia sell in both months?"
    other = sold.replace("Mia", "Tom").replace("she", "he")
    assert Overlap(["minhash"]).learn("test", [sold]).reason(other) == "nearly the same is there (test)"
    assert not Overlap(["exact"]).learn("test", ["What is $2+2$?"]).reason("What is $2-2$?")


def test_sums_of_money_are_no_formula():
    assert normal("It costs $6 a day, and $5 more.") == ["it", "costs", "6", "a", "day", "and", "5", "more"]
