"""Tables beside the comparison, each against a count by hand."""

from types import SimpleNamespace

import pytest

from lema.config import AnalyseConfig
from lema.records import Account, Checkpoint, Correction
from lema.report.analyses.budgets import budget_tables, warnings
from lema.report.analyses.corrections import amount_table, correction_tables
from lema.report.analyses.paths import JudgedAnswer, _mistakes, open_questions, path_tables
from lema.report.tables import Table, all_in_text, in_text
from lema.statistics.scores import Score
from lema.tasks import fault_in, find_task
from tests.stages.desk import EARLY, LEO, RIGHT, WRONG, path, question

LAB = find_task("lab", {})
BY_LUCK = ("Sam = Leo * 2 = 15 * 2 = 31.", "Ida = Sam + 9 = 30 + 9 = 39.", "The answer is 39.")
SETTINGS = AnalyseConfig(examined=(("a-1", "a", 1), ("a-2", "a", 2), ("b-1", "b", 1), ("b-2", "b", 2)),
                         base="base", baseline="a", headline="b", own="lab")
OTHER = question("What is 3 + 4?", "7", level=2)


def _table(tables, name: str) -> Table:
    return next(table for table in tables if table.name == name)


def _examined():
    """LEO: a is wrong, then right by luck; b is right twice. OTHER: a right twice; b right once."""
    made = [("base", LEO, WRONG, "wrong"), ("a-1", LEO, WRONG, "wrong"), ("a-2", LEO, BY_LUCK, "right"),
            ("b-1", LEO, RIGHT, "right"), ("b-2", LEO, RIGHT, "right")]
    plain = [("base", (), "no_answer"), ("a-1", ("3 + 4 = 7.",), "right"), ("a-2", ("3 + 4 = 7.",), "right"),
             ("b-1", ("3 + 4 = 8.",), "wrong"), ("b-2", ("3 + 4 = 7.",), "right")]
    return ([path(of, *steps, model=model, verdict=verdict) for model, of, steps, verdict in made]
            + [path(OTHER, *steps, model=model, verdict=verdict) for model, steps, verdict in plain])


@pytest.fixture
def tables(tmp_path):
    with open_questions(tmp_path, [LEO, OTHER]) as questions:
        return list(path_tables(SETTINGS, LAB, questions, _examined()))


def test_the_lab_names_what_is_wrong_with_a_path_and_other_tasks_a_false_equation(tmp_path):
    assert fault_in(LAB, LEO, RIGHT) == "" and fault_in(LAB, LEO, WRONG) == "sign"
    assert fault_in(LAB, LEO, BY_LUCK) == "reckoning"
    plain = find_task("rows", {"test": "x"})
    assert fault_in(plain, OTHER, ("So 3 + 4 = 8.",)) == "false equation"
    assert fault_in(plain, OTHER, ("So 3 + 4 = 7.",)) == ""


def test_right_answers_on_a_wrong_path_are_counted_beside_accuracy(tables):
    rows = {row[0]: row[1:] for row in _table(tables, "Right answers on a wrong path").rows}
    assert rows["a"][:3] == pytest.approx((3 / 4, 1 / 3, 2 / 4))
    assert rows["b"][:3] == pytest.approx((3 / 4, 0, 3 / 4))
    assert rows["b"][3] == pytest.approx(1 / 4) and rows["a"][3] is None
    assert rows["(before)"][:3] == (0, None, 0)


def test_flips_are_questions_that_a_majority_of_answers_turned(tables):
    assert _table(tables, "Flips").rows == (("b − a", 1, 1, 0, 0),)


def test_flips_come_with_the_texts_of_both_arms(tables):
    rows = _table(tables, "Flips: b − a").rows
    assert [(row[0], row[1], row[3]) for row in rows] == [(LEO.id, 0.5, "39"), (OTHER.id, -0.5, "7")]
    assert "21" in rows[0][4] and "39" in rows[0][5] and rows[1][5] == "Step 1: 3 + 4 = 8."


def test_mistakes_are_counted_by_kind_and_by_what_became_of_them(tables):
    assert _table(tables, "Mistakes by kind").rows[0] == ("sign", 1 / 2, 1 / 4, 0)
    mended = {row[0]: row[1:] for row in _table(tables, "Mistakes mended and made: b − a").rows}
    assert mended["sign"] == (1, 1, 0)
    assert sum(row[2] for row in mended.values()) == 1, "b-1 is wrong where a-1 is right"


def _correction(of, kept: bool, model: str = "teacher", **more) -> Correction:
    return Correction(question=of.question, path=of.id, model=model, reply=f"{model} {kept}", verified=kept,
                      rejected="" if kept else "answer", **{"tokens": 10, **more})


def test_corrections_are_counted_by_whose_mistake_level_and_corrector(tmp_path):
    leo = [path(LEO, *WRONG, model="early"), path(LEO, *EARLY, model="late"), path(LEO, *RIGHT, verdict="right")]
    other = path(OTHER, "3 + 4 = 9.", model="late")
    verified = [_correction(leo[0], True), _correction(leo[1], False), _correction(other, True),
                _correction(other, True, index=1), _correction(leo[0], False, "second"),
                _correction(other, True, "second", tokens=4)]
    with open_questions(tmp_path, [LEO, OTHER]) as questions:
        found = list(correction_tables(questions, [*leo, other], verified))
    by_student = {row[0]: row[1:5] for row in _table(found, "Corrections by whose mistake").rows}
    assert by_student == {"early": (1, 1, 1, 1.0), "late": (2, 2, 1, 0.5)}
    by_level = {row[0]: row[1:5] for row in _table(found, "Corrections by level").rows}
    assert by_level == {"None": (2, 2, 1, 0.5), "2": (1, 1, 1, 1.0)}
    same = _table(found, "Correctors on the same mistakes")
    assert "2 mistakes that all were asked about" in same.about
    assert [row[:5] for row in same.rows] == [
        ("teacher", 3, 1.0, 20, None), ("second", 2, 0.5, 14, pytest.approx(-0.5))]


def _account(arm: str, examples: int, kinds: dict) -> Account:
    return Account(arm=arm, examples=examples, questions=examples, prompt_tokens=1, tokens=1, teacher_tokens=5,
                   teacher_replies=1, teachers={"t": (7, 5)}, student_tokens=3, kinds=kinds, epochs=2.0)


def test_amount_and_ratio_stand_beside_accuracy():
    scores = [Score(arm="b", seed=seed, level=None, questions=10, right=right) for seed, right in ((1, 4), (2, 6))]
    kinds = {"cot worked": 30, "step corrections": 8, "correction x": 2}
    (table,) = amount_table([_account("b", 40, kinds)], scores)
    assert table.rows == (("b", 30, 10, 0.25, 2.0, 0.5),)


def _checkpoint(name: str, steps: int, examples: int) -> Checkpoint:
    return Checkpoint(name=name, steps=steps, examples=examples, tokens=1_000, all_tokens=2_000, loss=1.0,
                      weights="")


def test_budgets_show_all_sides_and_warn_where_they_are_unequal():
    trained = [[_checkpoint(name, steps, seen)] for name, steps, seen in (
        ("a-1", 100, 2_100), ("a-2", 100, 2_100), ("b-1", 150, 900), ("b-2", 152, 900))]
    (table,) = budget_tables(SETTINGS, [_account("a", 100, {}), _account("b", 300, {})], trained)
    assert table.rows == (("a", 100, 100, 1_000, 21.0, 5, 7, 3), ("b", 300, 151, 1_000, 3.0, 5, 7, 3))
    assert table.remarks == ("The arms differ in steps: a was trained for 100, b for 151.",
                             "a sees each of its 100 examples 21 times: what it lacks may be examples.")
    assert list(warnings({"a": 100, "b": 105}, {"a": 3.0, "b": 2.0}, {"a": 1, "b": 1})) == []


def test_a_wide_table_goes_on_below_itself_within_80_columns(tables):
    for table in tables:
        assert max(map(len, in_text(table))) <= 80, table.name
    wide = Table(name="wide", columns=(("arm", "text"), *((f"column {n}", "percent") for n in range(20))),
                 rows=(("a" * 60, *(n / 20 for n in range(20))),))
    lines = in_text(wide)
    assert max(map(len, lines)) <= 80 and sum("column" in line for line in lines) >= 3
    text = " ".join(lines)
    assert all(f" {n / 20 * 100:.1f}" in text for n in range(20))
    assert all_in_text([]) == []


@pytest.mark.parametrize(("explanation", "kind"), [
    ("21 - 3 is 18, not 12.", "calculation"), ("The sum was calculated wrongly.", "calculation"),
    ("Leo has three times as many, so 3 must be multiplied, not divided.", "operation"),
    ("It adds instead of subtracting.", "operation"), ("so Ida is needed, not Leo.", "wrong value"),
    ("The number of Mia is known before this step.", "order, or a step left out"),
    ("The story does not tell of Leo.", "question misread"), ("Minutes were not converted.", "unit"),
    ("", "else")])
def test_explanations_are_sorted_by_their_words(explanation, kind):
    from lema.report.analyses.corrections import kind_of

    assert kind_of(explanation) == kind


def test_mistakes_are_counted_by_step_and_by_what_they_were_called():
    from lema.records import Correction
    from lema.report.analyses.corrections import places_table

    rows = [Correction(question="q", path=str(n), model="t", reply="", step=step, explanation=text, verified=kept)
            for n, (step, text, kept) in enumerate([(1, "2 is 3, not 4", True), (1, "", False), (9, "", True)])]
    where, called = places_table([*rows, Correction(question="q", path="x", model="t", reply="unread")])
    assert where.rows == (("1", 2, 2 / 3, 1), ("6 or later", 1, 1 / 3, 1))
    assert called.rows == (("else", 2, 2 / 3, 1), ("calculation", 1, 1 / 3, 1))
    assert not list(places_table([]))


def test_no_mistake_stands_in_no_row_however_many_kinds_there_are():
    answers = [JudgedAnswer("before", str(n), False, f"kind {n}") for n in range(14)]
    answers += [JudgedAnswer("after", str(n), n % 2 == 0, f"kind {n}") for n in range(14)]
    settings = SimpleNamespace(headline="after", baseline="before", pairs=())
    by_kind, mended = _mistakes(settings, {"before": {1: "before"}, "after": {1: "after"}}, answers)
    assert [round(sum(column), 9) for column in list(zip(*by_kind.rows, strict=True))[1:]] == [1, 0.5]
    assert [sum(column) for column in list(zip(*mended.rows, strict=True))[1:]] == [14, 7, 0]
