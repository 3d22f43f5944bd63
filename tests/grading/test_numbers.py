"""Numbers as people write them, read exactly and boundedly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.grading import read_value


@pytest.mark.parametrize(("text", "value"), [
    ("7", 7), ("-7", -7), ("+7", 7), ("\u22127", -7), ("007", 7), ("7.", 7), ("7.0", 7), (".5", "1/2"),
    ("-.5", "-1/2"), ("1{,}200", 1200), ("5\\,cm", 5), ("5\\;cm", 5),
    ("0.1", "1/10"), ("2,000,000", 2_000_000), ("1,00,000", 100_000), ("1 000 000", 1_000_000),
    ("12\u202f500", 12_500), ("3/4", "3/4"), ("-3 / 4", "-3/4"), ("3 1/2", "7/2"), ("3\\frac{1}{2}", "7/2"),
    ("\\dfrac{3}{4}", "3/4"), ("$5.50", "11/2"), ("\\$1,200", 1200), ("-$5", -5), ("$-5", -5), ("€7", 7),
    ("7 €", 7),
    ("$7$", 7), ("\\(7\\)", 7), ("**7**", 7), ("x = 7", 7), ("about 7", 7), ("20%", 20), ("20\\%", 20),
    ("20 percent", 20), ("5 km", 5), ("5km", 5), ("5m", 5), ("60 miles/hour", 60), ("5 apples and pears", 5),
    ("5 p.m.", 5), ("90°", 90), ("5 \\text{ cm}", 5), ("2 million", 2_000_000), ("1.5 thousand dollars", 1500),
    ("5 and a half", "11/2"), ("1e3", 1000), ("1.5E-2", "3/200"), ("3 \\times 10^{4}", 30_000),
    ("3 x 10^4", 30_000),
    ("\u202e5", 5), ("5 a day", 5), ("9 (apples)", 9),
    ("٥", 5), ("१२", 12), ("１２", 12), ("½", "1/2"), ("3½", "7/2"), ("2 ¾ cups", "11/4"), ("12\u2009500", 12_500),
    ("1'000'000", 1_000_000), ("1.234,56", "1234.56"), ("1.000.000", 1_000_000), ("0,5", "1/2"), ("1,234", 1234),
    ("five", 5), ("Twenty-one", 21), ("three hundred and five apples", 305), ("two and a half", "5/2"),
    ("one thousand two hundred", 1200), ("a dozen eggs", 12), ("half", "1/2"), ("minus seven", -7),
    ("a hundred thousand", 100_000),
])
def test_a_number_is_read_exactly(text, value):
    assert read_value(text) == Fraction(value)


@pytest.mark.parametrize("text", [
    "", "-", "$", ".", "many", "5x", "5 x", "2k", "1/0", "3 0/0", "\\frac{1}{0}", "5 to 7", "5-7", "5 + 2",
    "5 + 2 cm", "3*4", "3**4",
    "10:30", "1,2", "(2, 3)", "1.2.3", "5 of 8", "1e99999", "9**9", "9^9", "5 and 6", "one of them", "5²", "1'23",
    "1" * 201, "__import__('os')", "\0", "\ud800",
])
def test_what_is_not_one_plain_number_is_none(text):
    assert read_value(text) is None


@given(st.fractions())
def test_every_fraction_is_read_as_itself(value):
    if len(str(value)) <= 200:
        assert read_value(str(value)) == value


@given(st.integers(-10**60, 10**60))
def test_thousands_separators_change_nothing(value):
    assert read_value(f"{value:,}") == read_value(str(value)) == value
