"""Several test sets of one model: their average against scipy, their place in the run, and `lema examine`."""

import json

import numpy as np
import pytest
from scipy import stats

from lema.config import ScoreConfig, parse_config
from lema.errors import ConfigError, DataError
from lema.plugins import find
from lema.records import Question, ReasoningPath, read_rows
from lema.stages.analyse import analyse, analysing
from lema.stages.load import load_set
from lema.stages.score import compare
from lema.statistics import difference, holm
from lema.statistics.average import average_difference
from lema.statistics.scores import Comparison, Score
from tests.commanding import lema
from tests.stages.desk import context
from tests.toys import chatty


def _drawn(seed: int, questions: int, seeds: int, share: float = 0.6):
    draw = np.random.default_rng(seed)
    hard = draw.normal(0, 0.2, questions)
    return [(draw.random((seeds, questions)) < np.clip(mean + hard, 0, 1)).astype(float) for mean in (share, 0.5)]


def test_the_average_of_two_sets_is_welchs_test_over_questions():
    strata = [_drawn(1, 200, 1), _drawn(2, 57, 1)]
    found = average_difference(strata)
    first, second = (right[0] - other[0] for right, other in strata)
    expected = stats.ttest_ind(first, -second, equal_var=False)  # whose difference of means is the sum of both
    low, high = expected.confidence_interval(0.95)
    assert found.mean == pytest.approx((first.mean() + second.mean()) / 2)
    assert found.over_questions == pytest.approx((low / 2, high / 2), abs=1e-9)
    assert (found.p_value, found.freedom) == pytest.approx((expected.pvalue, expected.df))
    assert (found.crossed, found.over_seeds, found.questions) == (None, None, 257)


def test_the_average_with_seeds_takes_both_chances_together():
    strata = [_drawn(3, 300, 4), _drawn(4, 80, 4), _drawn(5, 40, 4)]
    found = average_difference(strata)
    per_seed = np.mean([(right - other).mean(axis=1) for right, other in strata], axis=0)
    assert found.over_seeds == pytest.approx(tuple(stats.t.interval(
        0.95, 3, per_seed.mean(), stats.sem(per_seed))), abs=1e-9)
    assert found.crossed.low <= found.over_questions.low and found.over_questions.high <= found.crossed.high
    of_questions = sum(((right - other).mean(axis=0).std(ddof=1) / 3) ** 2 / right.shape[1]
                       for right, other in strata)
    assert found.error**2 == pytest.approx(of_questions + stats.sem(per_seed) ** 2)


def test_the_average_of_one_set_twice_is_that_set_with_a_smaller_error():
    pair = _drawn(6, 200, 3)
    alone, twice = difference(*pair), average_difference([pair, pair])
    assert twice.mean == pytest.approx(alone.mean) and twice.over_seeds == pytest.approx(alone.over_seeds)
    assert np.ptp(twice.over_questions) == pytest.approx(np.ptp(alone.over_questions) / np.sqrt(2), rel=0.01)


def test_equal_arms_differ_on_the_average_in_one_table_of_twenty():
    draw, claimed = np.random.default_rng(7), 0
    for _ in range(600):
        luck = draw.normal(0, 0.02, (2, 3, 1))
        strata = [[draw.random((3, size)) < 0.5 + arm for arm in luck] for size in (60, 150)]
        claimed += average_difference(strata).p_value < 0.05
    assert claimed / 600 < 0.06


def _answers(model: str, right: str) -> list[ReasoningPath]:
    return [ReasoningPath(question=f"q{n}", model=model, text=f"{n}", verdict="right" if mark == "1" else "wrong")
            for n, mark in enumerate(right)]


def test_all_comparisons_on_all_sets_are_one_family(tmp_path):
    settings = ScoreConfig(examined=(("a-1", "a", 1), ("b-1", "b", 1), ("c-1", "c", 1)), baseline="a",
                           sets=("far",), average=True)
    near = [*_answers("a-1", "0011001100"), *_answers("b-1", "1111111111"), *_answers("c-1", "0011001101")]
    far = [*_answers("a-1", "01010101"), *_answers("b-1", "11111101"), *_answers("c-1", "01010101")]
    rows = list(compare(context(tmp_path, compare), settings, near, (far,)))
    assert [(row.arm, row.test_set) for row in rows] == [
        (arm, name) for name in ("", "far", "average") for arm in ("b", "c")]
    assert [row.p_holm for row in rows] == pytest.approx(holm([row.p_value for row in rows]))
    by_name = {(row.arm, row.test_set): row.mean for row in rows}
    assert by_name["b", "average"] == pytest.approx((by_name["b", ""] + by_name["b", "far"]) / 2)


TRAINING = {"arms": ["cot"], "train": {"base": "teacher"}}


def test_a_set_of_another_task_is_marked_as_out_of_distribution(tmp_path):
    config = parse_config({
        "name": "x", "task": {"name": "lab"}, "models": {"teacher": {"backend": "teacher"}},
        "sample": {"models": ["teacher"]}, **TRAINING, "evaluate": {"average": True, "sets": {
            "svamp": {"task": "svamp", "test": "s"}, "more": {"task": "lab"},
            "hard": {"task": "lab", "out_of_distribution": True}}}}, "x")
    settings = analysing(config, ScoreConfig(examined=(), baseline="cot", sets=tuple(config.evaluate.sets),
                                             average=True))
    assert settings.out_of_distribution == ("svamp", "hard")
    scores = [Score(arm="cot", seed=1, level=None, questions=10, right=right, texts=10) for right in (8, 2, 5, 1)]
    row = Comparison(arm="b", baseline="cot", test_set="svamp", mean=0.1, crossed=None, over_questions=(-0.1, 0.3),
                     over_seeds=None, seed_differences=(0.1,), questions=10, seeds=(1,), p_value=0.2, p_holm=0.4,
                     detectable=0.3, reading="no difference shown: +10.0 points")
    sets, differences, *_ = analyse(context(tmp_path, analyse), settings, scores[:1], [[s] for s in scores[1:]],
                                    [row])
    assert [head for head, _ in sets.columns] == ["arm", "lab", "svamp *", "more", "hard *", "average"]
    assert sets.rows == (("cot", 0.8, 0.2, 0.5, 0.1, pytest.approx(0.4)),)
    assert differences.rows == (("b − cot, svamp", 0.1, -0.1, 0.3, 0.3, 0.4, "none shown"),)


def test_a_set_needs_no_training_questions_but_test_questions(tmp_path):
    (tmp_path / "t.jsonl").write_text(json.dumps({"input": "1 and 2 ?", "target": 3.0}))
    module = find("tasks", "mawps", "Task")
    there = context(tmp_path, load_set, task={"name": "mawps", "test": str(tmp_path / "t.jsonl")})
    assert [row.answer for row in load_set(there, module.Settings(test="x"))] == ["3"]
    there = context(tmp_path, load_set, task={"name": "mawps", "train": str(tmp_path / "t.jsonl")})
    with pytest.raises(DataError, match="no test questions; name a file"):
        list(load_set(there, module.Settings(train="x")))


@pytest.mark.parametrize(("evaluate", "says"), [
    ({"average": True}, "average is over several test sets"),
    ({"models": ["teacher"]}, "say on which questions"),
    ({"models": ["teacher"], "sets": {"a": {"task": "lab"}}}, "leave them out, or"),
    ({"sets": {"a": {"split": "test"}}}, "evaluate.sets.a.task: Field required"),
    ({"paths": 4}, "set a temperature")])
def test_what_cannot_be_examined_is_refused(evaluate, says):
    with pytest.raises(ConfigError, match=says):
        parse_config({"name": "x", "task": {"name": "lab"}, "models": {"teacher": {"backend": "teacher"}},
                      "sample": {"models": ["teacher"]}, "evaluate": evaluate}, "x")


@pytest.fixture
def far(tmp_path):
    rows = [{"Body": f"Leo has {n} pens.", "Question": "How many has he?", "Answer": float(n)} for n in range(6)]
    (tmp_path / "far.jsonl").write_text("\n".join(map(json.dumps, rows)))
    rows = [{"question": f"What is {n} and 1?", "answer": f"It is {n + 1}.\n#### {n + 1}"} for n in range(4)]
    (tmp_path / "near.jsonl").write_text("\n".join(map(json.dumps, rows)))
    chatty(tmp_path / "anywhere")
    chatty(tmp_path / "other", width=32)
    return tmp_path


def test_checkpoints_from_anywhere_are_examined_resumed_and_shown(far):
    command = ("examine", "anywhere", "again=other", "--on", "gsm8k=near.jsonl", "--on", "far:svamp=far.jsonl",
               "--name", "two", "--set", "evaluate.max_tokens=3", "--set", "evaluate.average=true")
    first = lema(far, *command)
    assert first.returncode == 0, first.stderr
    assert "Test sets." in first.stdout and "4 of gsm8k, 6 of far" in first.stdout
    run = far / "runs" / "two"
    asked = list(read_rows(Question, run / "tests/far/questions/rows.jsonl"))
    assert [row.answer for row in asked] == [str(n) for n in range(6)]
    assert len(list(read_rows(ReasoningPath, run / "tests/far/answers/again/rows.jsonl"))) == 6
    assert [row.mean for row in read_rows(Comparison, run / "comparisons/rows.jsonl")] == [0, 0, 0]
    again = lema(far, *command)
    assert "✓" not in again.stderr and again.stdout == first.stdout
    shown = json.loads(lema(far, "show", "two", "--json").stdout)
    assert [table["name"] for table in shown["tables"]][:2] == ["Test sets", "Differences on the test sets"]


@pytest.mark.parametrize(("arguments", "says"), [
    (("anywhere", "--on", "nowhere"), "nowhere"),
    (("anywhere", "again=anywhere", "--on", "gsm8k=near.jsonl"), "anywhere and again are one checkpoint"),
    (("anywhere", "again=./anywhere/", "--on", "gsm8k=near.jsonl"), "are one checkpoint under two names"),
    (("anywhere", "anywhere", "--on", "gsm8k=near.jsonl"), "two models have the same name"),
    (("anywhere", "--on", "gsm8k=near.jsonl", "--on", "gsm8k=far.jsonl"), "two test sets are called 'gsm8k'"),
    (("anywhere", "--on", "gsm=near.jsonl"), "did you mean 'gsm8k'"),
    (("anywhere", "--on", "gsm8k=missing.jsonl"), "missing.jsonl: no such file; check [evaluate.sets.gsm8k]"),
    (("nowhere", "--on", "gsm8k=near.jsonl"), "nowhere")])
def test_an_examination_that_cannot_be_made_is_one_line(far, arguments, says):
    found = lema(far, "examine", *arguments)
    assert found.returncode == 2 and found.stderr.count("\n") == 1 and says in found.stderr, found.stderr
