"""Ratings: rows that are only added to, two raters held against each other, and rejections that reach training."""

from pathlib import Path

import pytest

from lema.commands.export import export_run
from lema.commands.run import run_config
from lema.commands.run_folder import config_of, stages_of
from lema.commands.view.opened import Opened
from lema.commands.view.sampling import RatingSession, sample_of
from lema.errors import DataError
from lema.records import Correction, Example, read_rows
from lema.runs.ratings import (
    BY_HAND,
    add_rating,
    agreements,
    by_corrector,
    every_rating,
    new_rating,
    ratings_file,
    ratings_of,
)
from lema.statistics.agreement import cohen_kappa
from tests.commands.view.made import run_by_hand, small_run


def rate(run: Path, correction: str, rater: str, rating: str, **more: object) -> None:
    facts = {"question": "q", "stage": "verified", "corrector": "teacher"} | more
    add_rating(run, new_rating(correction=correction, rater=rater, rating=rating, **facts))


def states(run: Path) -> dict[str, str]:
    return {name: stage.status().state for name, stage in stages_of(run, config_of(run)).items()}


def test_the_last_word_of_a_rater_counts_and_an_undo_takes_it_back(tmp_path):
    for rating in ("good", "poor"):
        rate(tmp_path, "a", "ada", rating)
    rate(tmp_path, "b", "ada", "excellent", note="clear")
    rate(tmp_path, "a", "ben", "good")
    assert [(row.correction, row.rater, row.rating) for row in ratings_of(tmp_path)] == [
        ("a", "ada", "poor"), ("b", "ada", "excellent"), ("a", "ben", "good")]
    rate(tmp_path, "a", "ada", "")
    assert [(row.correction, row.rater) for row in ratings_of(tmp_path)] == [("b", "ada"), ("a", "ben")]
    assert len(list(every_rating(tmp_path))) == 5, "nothing is lost"


def test_half_a_row_that_a_kill_left_is_cut_off_by_the_next(tmp_path):
    rate(tmp_path, "a", "ada", "good")
    with ratings_file(tmp_path).open("a") as file:
        file.write('{"correction": "b", "rat')
    rate(tmp_path, "c", "ada", "poor")
    assert [row.correction for row in ratings_of(tmp_path)] == ["a", "c"]


def test_ratings_that_are_no_rows_are_one_line_and_a_link_is_not_followed(tmp_path):
    (tmp_path / "ratings").mkdir()
    ratings_file(tmp_path).write_text('{"no": "rating"}\n')
    with pytest.raises(DataError, match="not a Rating row .*mend or remove that line"):
        ratings_of(tmp_path)
    ratings_file(tmp_path).unlink()
    ratings_file(tmp_path).symlink_to("/etc/passwd")
    with pytest.raises(DataError, match="no plain file"):
        ratings_of(tmp_path)


def test_kappa_is_cohens():
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5), by hand
    assert cohen_kappa([("a", "b"), ("b", "a")]) == pytest.approx(-1)
    assert cohen_kappa([("a", "a"), ("b", "b"), ("c", "c")]) == 1
    assert cohen_kappa([]) is None and cohen_kappa([("a", "a")] * 5) is None


def test_the_table_counts_by_corrector_and_raters_are_held_against_each_other(tmp_path):
    for number, rating in enumerate(["excellent", "good", "good", "poor"]):
        rate(tmp_path, f"{number}", "ada", rating, corrector="t" if number else "s")
    for number, rating in enumerate(["excellent", "good", "poor"]):
        rate(tmp_path, f"{number}", "ben", rating)
    table = {(row.corrector, row.rater): (row.excellent, row.good, row.poor) for row in
             by_corrector(ratings_of(tmp_path))}
    assert table["t", "ada"] == (0, 2, 1) and table["s", "ada"] == (1, 0, 0)
    (both,) = agreements(ratings_of(tmp_path))
    assert (both.raters, both.both, both.same) == (("ada", "ben"), 3, 2)
    assert both.kappa == pytest.approx(0.5)  # (2/3 - 1/3) / (1 - 1/3)


def test_a_rejected_correction_makes_stale_what_depends_on_it_and_nothing_else(tmp_path):
    run = run_by_hand(tmp_path, questions=9)
    assert set(states(run).values()) == {"done"}
    kept = next(row for row in read_rows(Correction, run / "verified/rows.jsonl") if row.verified)
    rate(run, kept.id, "ada", "poor")
    stale = {name for name, state in states(run).items() if state != "done"}
    assert stale == {"report"}, "a rating alone changes what the report shows"
    rate(run, kept.id, "ada", "poor", rejected=True)
    stale = {name for name, state in states(run).items() if state != "done"}
    assert {"verified", "sets/lema", "models/lema-1", "answers/lema-2", "scores", "report"} <= stale
    assert not {name for name in stale if "cot" in name or name in ("corrections", "graded", "answers/student")}
    rate(run, kept.id, "ada", "poor")
    assert {name for name, state in states(run).items() if state != "done"} == {"report"}, "taken back"


def test_the_next_run_trains_on_no_rejected_correction_and_asks_nobody(tmp_path):
    run = small_run(tmp_path)
    kept = [row for row in read_rows(Correction, run / "verified/rows.jsonl") if row.verified]
    before = (run / "sets/cot/rows.jsonl").stat().st_mtime_ns, (run / "corrections/rows.jsonl").stat().st_mtime_ns
    rate(run, kept[0].id, "ada", "poor", rejected=True, stage="verified")
    run_config(str(run), [], tmp_path / "runs")
    rows = {row.id: row for row in read_rows(Correction, run / "verified/rows.jsonl")}
    assert (rows[kept[0].id].verified, rows[kept[0].id].rejected) == (False, BY_HAND)
    parents = {row.parent for row in read_rows(Example, run / "sets/lema/rows.jsonl")}
    assert kept[0].id not in parents and {row.id for row in kept[1:]} <= parents
    assert before == ((run / "sets/cot/rows.jsonl").stat().st_mtime_ns,
                      (run / "corrections/rows.jsonl").stat().st_mtime_ns)


def test_two_raters_get_the_same_sample_and_a_longer_one_begins_with_it(tmp_path):
    run = small_run(tmp_path)
    opened = Opened(run, lambda *news: None)
    with opened.index.read() as db:
        def drawn(**given: str) -> list[str]:
            return sample_of(db, RatingSession.of({"stage": "verified", "rater": "x"} | given))

        assert drawn(sample="8") == drawn(sample="30")[:8] == drawn(sample="8", rater="y")
        assert drawn(sample="8", draw="2") != drawn(sample="8")
        assert set(drawn(sample="900", verdict="kept")) < set(drawn(sample="900"))


def test_ratings_are_exported_with_the_sets(tmp_path):
    run = small_run(tmp_path)
    kept = next(row for row in read_rows(Correction, run / "verified/rows.jsonl") if row.verified)
    rate(run, kept.id, "ada", "good", note="clumsy")
    run_config(str(run), [], tmp_path / "runs")
    export_run(run, tmp_path / "out")
    (line,) = (tmp_path / "out/ratings.jsonl").read_text().splitlines()
    assert kept.id in line and "clumsy" in line
