"""How numbers are written."""

from lema.figures import count, deviation, p_value, percent, tokens, unbroken


def test_tokens_are_short_and_never_1000_0k():
    assert [tokens(n) for n in (0, 999, 1_000, 12_345, 999_949, 999_950, 4_000_000)] == [
        "0", "999", "1.0k", "12.3k", "999.9k", "1.0M", "4.0M"]


def test_counts_have_thin_separators_and_percent_one_decimal():
    assert count(1_234_567) == "1\u202f234\u202f567" and count(12) == "12"
    assert [percent(x) for x in (0, 0.62849, 1)] == ["0.0", "62.8", "100.0"]


def test_what_is_not_known_is_a_dash():
    assert deviation(None) == "–" and deviation(0.0123) == "1.2"


def test_a_tiny_p_value_is_not_zero():
    assert [p_value(p) for p in (0.0, 0.0009, 0.0341, 1)] == ["<0.001", "<0.001", "0.034", "1.000"]


def test_an_interval_is_kept_on_one_line():
    assert unbroken("by [−1.2, +3.4] over") == "by [−1.2,\xa0+3.4] over"
