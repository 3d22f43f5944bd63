"""Large files are graded by worker processes: the same rows, in the same order, in the same bytes."""

import json

from lema.commands.score import abreast
from lema.commands.score.predictions import (
    Judge,
    Prediction,
    PredictionOptions,
    judge_named,
    judge_of,
    open_predictions,
)
from lema.tasks import find_task


def rows(count: int) -> list[dict]:
    texts = ("The answer is {}.", "No idea", "so \\boxed{{x^2+{}}}", "<think>{}", "{}")
    return [{"text": texts[n % 5].format(n % 7), "gold": "x^2+2" if n % 5 == 2 else str(n % 3),
             "finish": "length" if n % 11 == 0 else "stop"} for n in range(count)]


def test_a_large_file_has_the_same_rows_either_way(tmp_path):
    file = tmp_path / "p.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(2 * abreast.FIRST + 500)), "utf-8")
    for asked in (PredictionOptions("math"), PredictionOptions("gsm8k", conventions={"decimals": 2})):
        judge, here = open_predictions(file, asked)
        _, there = open_predictions(file, asked)
        found = [*abreast.judged(judge, there, 10**9, sending_s=0.0, worth_s=0.0)]
        assert found == [(one, judge.grade(one)) for one in here]


def test_a_tasks_own_judge_grades_the_same_elsewhere(tmp_path):
    (tmp_path / "test.jsonl").write_text(json.dumps({"question": "How many?", "answer": "#### 7"}) + "\n", "utf-8")
    judge = judge_of(find_task("gsm8k", {"test": str(tmp_path / "test.jsonl")}))
    some = [Prediction("row", "", text, "7") for text in ("The answer is 7.", "7", "", "so 8 of 9")]
    assert [*judge.elsewhere(some)] == [judge.grade(one) for one in some]


def test_a_small_file_starts_no_worker_and_a_judge_of_ones_own_none_at_all():
    known = judge_named("number")
    alone = Judge("mine", "", known.grade)
    some = [Prediction(f"row {n}", "", f"#### {n}", str(n)) for n in range(abreast.FIRST + 1)]
    for judge, few in ((known._replace(elsewhere=None), some), (alone, some), (known, some[:10])):
        found = [*abreast.judged(judge, few, 10**12)]
        assert [one for one, _ in found] == few
        assert all(grade.verdict == "right" for _, grade in found)
