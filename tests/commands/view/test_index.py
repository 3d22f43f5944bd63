"""The viewer's index: what a page shows is what the rows are, and every figure of a funnel leads to its rows."""

import json
from collections import Counter
from contextlib import closing
from urllib.parse import parse_qsl

import pytest

from lema.commands.run_folder import config_of, finished, stages_of
from lema.commands.show import funnels
from lema.commands.view.flips import flips_of
from lema.commands.view.funnel_links import linked_funnels
from lema.commands.view.index import FILE, Index
from lema.commands.view.life import life_of, question_of
from lema.commands.view.query import Query, choices_of, number_of, page_of
from lema.commands.view.side_by_side import beside
from lema.records import Correction, ReasoningPath, read_rows
from tests.commands.view.made import run_by_hand, small_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    return run_by_hand(tmp_path_factory.mktemp("hand"), questions=30)


def indexed(folder) -> Index:
    index = Index(folder)
    index.bring_up(finished(stages_of(folder, config_of(folder))), lambda stage, done, total: None)
    return index


def shown(folder, query: Query):
    with closing(indexed(folder).read()) as db:
        return page_of(db, folder, query)


def test_every_link_of_a_funnel_shows_as_many_rows_as_its_figure_says(run):
    config = config_of(run)
    done = finished(stages_of(run, config))
    linked, plain = linked_funnels(run, config, done), list(funnels(run, config, done))
    assert [[stage["count"] for stage in each["stages"]] for each in linked] == \
        [[stage.count for stage in each.stages] for each in plain]
    checked = 0
    for stage in (stage for each in linked for stage in each["stages"]):
        for figure in (stage, *stage["losses"]):
            if figure["address"]:
                page = shown(run, Query.of(dict(parse_qsl(figure["address"]))))
                assert page.total == figure["count"], figure
                checked += 1
    assert checked > 8


def test_a_loss_leads_to_its_own_rows(run):
    rows = list(read_rows(Correction, run / "verified/rows.jsonl"))
    reason, count = Counter(row.rejected for row in rows if row.rejected).most_common(1)[0]
    page = shown(run, Query("verified", {"reason": reason}, size=200))
    assert page.total == count
    assert {row["id"] for _, row in page.rows} == {row.id for row in rows if row.rejected == reason}


def test_pages_hold_every_row_once_in_the_order_of_the_file(run):
    ids = []
    for page in range(1, 5):
        ids += [row["id"] for _, row in shown(run, Query("graded", page=page, size=25)).rows]
    assert ids == [path.id for path in read_rows(ReasoningPath, run / "graded/rows.jsonl")]


def test_filters_narrow_each_other_and_sort_goes_both_ways(by_hand):
    wrong = shown(by_hand, Query("examined", {"arm": "lema", "seed": "2", "verdict": "wrong"}, sort="-tokens"))
    assert wrong.total == sum(number % 2 == 1 and number % 3 == 2 for number in range(30))
    tokens = [row["tokens"] for _, row in wrong.rows]
    assert tokens == sorted(tokens, reverse=True) and len(set(tokens)) > 1
    levels = {columns["level"] for columns, _ in shown(by_hand, Query("examined", {"level": "2"})).rows}
    assert levels == {2}


def test_rows_are_searched_by_all_their_words_and_the_beginning_of_the_last(run):
    some = next(read_rows(ReasoningPath, run / "graded/rows.jsonl"))
    words = some.text.split()[2:5]
    page = shown(run, Query("graded", text=" ".join(words)))
    assert some.id in {row["id"] for _, row in page.rows}
    assert shown(run, Query("graded", text="Step answ")).total == 80
    assert shown(run, Query("graded", text="zebra")).total == 0
    assert shown(run, Query("graded", text='") OR 1 --')).total == 0


def test_an_address_is_the_whole_state():
    query = Query("verified", {"model": "a&b", "level": "2"}, "two words", "-tokens", 3, 100)
    assert Query.of(dict(parse_qsl(query.address(page=3)))) == query
    assert Query.of({"stage": "x", "sort": "drop table", "page": "-1", "size": "9999"}) == Query("x")


def test_one_questions_life_holds_path_correction_examples_and_answers(by_hand):
    correction = next(read_rows(Correction, by_hand / "verified/rows.jsonl"))
    with closing(indexed(by_hand).read()) as db:
        assert question_of(db, correction.id) == question_of(db, correction.id[:9]) == correction.question
        life = life_of(db, by_hand, correction.question)
    assert [each.path.row["id"] for each in life.paths if each.corrections] == [correction.path]
    assert life.paths[0].corrections[0].correction.row["id"] == correction.id
    assert life.paths[0].corrections[0].correction.stage == "verified"
    assert set(life.answers) == {"(before)", "cot", "lema"} and len(life.answers["lema"]) == 2
    assert set(life.examples) == {"cot", "lema"}


def test_flips_are_the_questions_that_one_arm_gets_right_and_the_other_does_not(by_hand):
    with closing(indexed(by_hand).read()) as db:
        flips = flips_of(db, number_of(db, "examined"), "lema", "cot", "gained", 1)
        assert flips_of(db, number_of(db, "examined"), "cot", "lema", "lost", 1).counts["lost"] == len(flips.rows)
    expected = [number for number in range(30) if number % 2 and number % 3 != 2]
    assert flips.counts == {"gained": len(expected), "lost": 0, "all": len(expected), "same": 30 - len(expected)}
    assert all((row["right"], row["other_right"], row["gain"]) == (2, 0, 1) for row in flips.rows)


def test_the_index_is_built_once_and_again_where_a_stage_changed(run):
    indexed(run)
    told = []
    index, stages = Index(run), finished(stages_of(run, config_of(run)))
    assert not index.bring_up(stages, lambda *news: told.append(news)) and not told
    less = {name: stage for name, stage in stages.items() if name != "verified"}
    assert index.bring_up(less, lambda *news: told.append(news)) and not told
    with closing(index.read()) as db:
        assert number_of(db, "verified") is None and number_of(db, "graded") is not None
    assert index.bring_up(stages, lambda *news: told.append(news[0])) and told == ["verified"]


def test_an_index_that_is_damaged_or_of_another_shape_is_made_anew(tmp_path):
    folder = run_by_hand(tmp_path)
    indexed(folder)
    (folder / FILE).write_bytes(b"no database" * 1000)
    for rest in folder.glob(f"{FILE}-*"):
        rest.unlink()
    assert shown(folder, Query("graded")).total == 3


def test_what_there_is_to_choose_from_is_counted(by_hand):
    with closing(indexed(by_hand).read()) as db:
        choices = choices_of(db, "verified")
    assert dict(choices["verdict"]) == {"kept": 5, "rejected": 10}
    assert choices["fate"] == [("trained on", 5)]


def test_a_row_that_is_gone_says_so_and_the_others_are_shown(tmp_path):
    folder = run_by_hand(tmp_path)
    index = indexed(folder)
    rows = folder / "graded/rows.jsonl"
    rows.write_bytes(b"\n" * rows.stat().st_size)
    with closing(index.read()) as db:
        assert all("damaged" in row for _, row in page_of(db, folder, Query("graded")).rows)


def test_changed_words_are_marked_and_kept_steps_stand_on_both_sides():
    pair = beside("Step 1: Leo has 15.\nStep 2: 15 * 3 = 45.\nStep 3: The answer is 45.", 2,
                  ["15 / 3 = 5.", "The answer is 5."])
    assert [step.state for step in pair.mistake] == ["same", "wrong", "after"]
    assert [step.state for step in pair.corrected] == ["same", "mended", "mended"]
    marked = [piece.text for piece in pair.corrected[1].runs if piece.changed]
    assert "".join(marked) == "/5" and "".join(piece.text for piece in pair.corrected[1].runs) == "15 / 3 = 5."


def test_texts_of_any_length_are_put_side_by_side():
    pair = beside("Step 1: " + "a b " * 50_000, 1, ["b a " * 50_000])
    assert pair.corrected[0].runs[0].changed and json.dumps(pair.corrected[0].state) == '"mended"'
