"""The compatibility mode: what the LeMa repository's scorer returns, oddities included."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.commands.score import official
from lema.commands.score.distance import distance
from lema.errors import ConfigError
from tests.patience import in_a_moment


@pytest.mark.parametrize(("text", "value"), [
    ("The answer is 18.", 18), ("The answer is: 18", 18), ("The answer is $1,234.50.", 1234.5),
    ("The answer is 3 1/2.", 15.5), ("The answer is 5 to 7.", 57), ("The answer is 1e3.", 13),
    ("The answer is 2 hours 5.", 25), ("The answer is 2+3=5.", 5), ("The answer is 2+3.", 5),
    ("The answer is <<4*2=8>>8.", 8), ("The answer is 20%.", 20), ("The answer is 20% off 5.", 0),
    ("The answer is 10%+5%.", 0), ("The answer is 11%+4%.", 3), ("The answer is 3:1.", 3),
    ("The answer is 6/.", 6),
    ("The answer is £5.", 5), ("The answer is 5..", 5), ("The answer is 7 Kg.", 7), ("The answer is .", 0),
    ("the answer is 5.", 0), ("The answer is\n5.", 0), ("It is 5.", 0), ("", 0), ("The answer is ten.", 0),
    ("The answer is 9**9**9.", 0), ("The answer is 1/0.", 0), ("The answer is 1.5.2", 0),
    ("The answer is 1_000.", 1000), ("The answer is (5).", 0), ("The answer is -(5).", -5),
    ("The answer is 3.\n\nQuestion: More?\nThe answer is 4.", 3),
    ("The answer is 3.\nQuestion: The answer is 4.", 4),
    ("The answer is 3. The answer is 4.", 4), ("The answer is __import__('os').getcwd()+1.", 0),
])
def test_a_number_is_read_as_the_scorer_reads_it(text, value):
    assert official.read(text, task="gsm8k") == value


@pytest.mark.parametrize(("text", "value"), [
    ("The answer is $\\dfrac12$.", "\\frac{1}{2}"), ("So \\boxed{\\tfrac{3}4}", "\\frac{3}4"),
    ("The answer is 3/4.", "\\frac{3}{4}"), ("The answer is 0.5.", "\\frac{1}{2}"),
    ("The answer is .5.", "\\frac{1}{2}"),
    ("The answer is 03/4.", "03/4"), ("The answer is x=5.", "5"), ("The answer is abc=5.", "abc=5"),
    ("The answer is 90^\\circ.", "90"), ("The answer is 5\\text{ cm}.", "5"),
    ("The answer is 5\\text{cm}.", "5\\text{cm}"),
    ("The answer is 1\\text{ m} 2\\text{ cm}.", ""), ("The answer is \\left(1, 2\\right).", "(1,2)"),
    ("The answer is \\sqrt3.", "\\sqrt{3}"), ("The answer is \\sqrt 3.", "\\sqrt{}3"),
    ("The answer is \\sqrt.", ""),
    ("The answer is 50\\%.", "50"), ("The answer is 50%.", "50%"), ("The answer is \\frac1.", "\\frac1"),
    ("The answer is \\frac.", ""), ("The answer is \\$40.", "\\40"), ("\\boxed{\\$40}", "40"),
    ("\\boxed{7} and \\fbox{8}", "7"), ("\\fbox{8}", ""), ("\\boxed 8", ""), ("\\boxed{8", ""), ("It is 8.", ""),
    ("The answer is \\boxed{8}.", "8"), ("\\boxed{1} \\boxed{2}", "2"), ("The answer is 3. Q: \\boxed{4}", "3"),
    ("The answer is .", ""),
])
def test_mathematics_is_read_as_the_scorer_reads_it(text, value):
    assert official.read(text, task="math") == value


@pytest.mark.parametrize(("text", "number", "maths"), [
    ("The answer is " + "9" * 1_000_000, float("inf"), "9" * 1_000_000),
    ("\\boxed{" + "{" * 1_000_000, 0, ""), ("\\boxed" * 200_000, 0, ""),
    ("The answer is " + "\\frac" * 200_000 + "1", 0, ""), ("The answer is 1+" + "(" * 1_000_000, 0, None),
    ("The answer is " + "-" * 1_000_000 + "1", 0, None), ("The answer is 9**9**9**9", 0, "9**9**9**9"),
    ("The answer is \0\ud800\u202e5", 0, "\0\ud800\u202e5"), ("The answer is " * 100_000, 0, ""),
])
def test_hostile_texts_have_a_value_too(text, number, maths):
    assert official.read(text, task="gsm8k") == number
    assert maths is None or official.read(text, task="math") == maths


def test_an_unreadable_answer_is_right_where_the_gold_answer_is_zero():
    assert official.grade("I do not know.", "0", task="asdiv").verdict == "right"
    assert official.grade("I do not know.", "5", task="asdiv").verdict == "wrong"


def test_two_decimals_count_in_svamp_asdiv_and_mawps_and_all_in_gsm8k():
    for task, verdict in (("svamp", "right"), ("asdiv", "right"), ("mawps", "right"), ("gsm8k", "wrong")):
        assert official.grade("The answer is 0.6666.", "0.67", task=task).verdict == verdict


def test_a_candidate_must_be_named_as_it_stands():
    assert official.grade("The answer is field of flowers.", "field of flowers", task="csqa").verdict == "right"
    assert official.grade("The answer is a field.", "field of flowers", task="csqa").verdict == "wrong"


CANDIDATES = ("painter's easel", "field of flowers", "florist", "bee hive", "mud")


@pytest.mark.parametrize(("text", "choice"), [
    ("The answer is florist.", "florist"), ("The answer is ..mud..", "mud"),
    ("So the answer is the field. The answer is a field of flower.", "field of flowers"),
    ("The answer is bees.", "mud"), ("The answer is: Mud", "mud"), ("The answer is BEE HIVE", "bee hive"),
    ("The answer is HIVE.", "mud"),  # case counts
    ("The answer is mud.\n\nQ: And this?\nThe answer is florist.", "mud"),
    ("The answer is mud.\n\nQuestion: And this?\nThe answer is florist.", "mud"), ("", "mud"),
])
def test_a_reply_is_the_candidate_of_the_least_edit_distance(text, choice):
    for gold in CANDIDATES:
        graded = official.grade(text, gold, task="csqa", candidates=CANDIDATES)
        assert graded.answer == choice and (graded.verdict == "right") == (gold == choice)


def test_of_equally_near_candidates_the_first_is_taken():
    assert official.grade("The answer is cat.", "bat", task="csqa", candidates=("bat", "hat",
        "cap")).answer == "bat"
    assert official.grade("The answer is cat.", "bat", task="csqa", candidates=("cap", "hat",
        "bat")).answer == "cap"


@given(st.text("ab .A", max_size=12), st.text("ab .A", max_size=12))
def test_the_edit_distance_is_that_of_the_plain_table(first, second):
    row = list(range(len(second) + 1))
    for at, character in enumerate(first, 1):
        before, row = row, [at]
        for place, other in enumerate(second, 1):
            row.append(min(before[place] + 1, row[-1] + 1, before[place - 1] + (character != other)))
    assert distance(first, second) == row[-1]


def test_the_nearest_candidate_of_a_hostile_reply_is_found_in_time():
    several = tuple("ab" * 30 + str(n) for n in range(26))
    with in_a_moment("a reply of a megabyte against 26 candidates"):
        assert official.grade("The answer is " + "ba" * 500_000, several[3], task="csqa",
            candidates=several).verdict


def test_a_task_that_the_repository_does_not_score_is_refused():
    with pytest.raises(ConfigError, match=r"no task 'aqua'; .*"):
        official.grade("x", "y", task="aqua")


def test_published_agreement_is_reached_on_real_outputs(shared_data):
    outputs = shared_data / "grading_outputs"
    for row in map(json.loads, (outputs / "gsm8k_example_model_solutions.jsonl").read_text("utf-8").splitlines()):
        gold = row["ground_truth"].rpartition("A: ")[2]
        said = f"{row['solution']}\nThe answer is {row['solution'].rpartition('A: ')[2].strip()}."
        assert (official.grade(said, gold).verdict == "right") == row["is_correct"]
    rows = [*map(json.loads, (outputs / "processbench_math.jsonl").read_text("utf-8").splitlines())]
    agreed = sum((official.grade("\n".join(row["steps"]), row["_gold_answer"], task="math").verdict == "right")
                 == row["final_answer_correct"] for row in rows)
    assert f"{agreed / len(rows):.1%}" == "92.7%"
