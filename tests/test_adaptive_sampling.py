"""Adaptive sampling's arithmetic: when a question has given enough, is too easy, too hard or exhausted."""

from lema.adaptive_sampling import Tally
from lema.config import AdaptiveConfig


def tally(paths: str, wanted: int = 0) -> Tally:
    """A tally of paths: r a right one, any other small letter a mistake of that name, ? one without a verdict."""
    counted = Tally(wanted)
    for letter in paths:
        verdict = {"r": "right", "R": "right", "?": "no_answer"}.get(letter, "wrong")
        counted.add(verdict, letter)
    return counted


def enough(paths: str, **rules) -> bool:
    return tally(paths, rules.get("right", 0)).enough(AdaptiveConfig(**{"idle": 99, "easy": 99, **rules}))


def test_a_question_leaves_with_its_quota_of_distinct_mistakes():
    assert not enough("abab", mistakes=3)
    assert enough("ababc", mistakes=3)


def test_right_paths_are_waited_for_where_they_are_wanted():
    assert not enough("abr", mistakes=2, right=2)
    assert not enough("abrr", mistakes=2, right=2)
    assert enough("abrR", mistakes=2, right=2)
    assert not enough("rr", easy=2, right=2)


def test_right_paths_alone_are_too_easy_and_every_mistake_buys_patience():
    assert not enough("r", easy=2)
    assert enough("rr", easy=2)
    assert not enough("rra", easy=2)
    assert enough("rrarr", easy=2)


def test_no_right_path_at_all_is_too_hard_only_where_that_is_asked():
    assert not enough("abcdef")
    assert enough("abcdef", hard=6)
    assert not enough("abcdefr", hard=6)


def test_a_question_that_gives_nothing_new_is_exhausted():
    assert not enough("aba", idle=2)
    assert enough("abab", idle=2)
    assert enough("a??", idle=2)
    assert not enough("ararR", idle=2, right=2)


def test_a_question_of_many_new_mistakes_promises_most():
    ordered = ["abcd", "abcc", "aaaa", "rrrr"]
    promises = [tally(paths).promise for paths in ordered]
    assert promises[0] > promises[1] > promises[2] == promises[3]
    assert tally("").promise == 0.5 > tally("r").promise
