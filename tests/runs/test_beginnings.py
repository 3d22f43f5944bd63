"""What a run was to be about, and how often its test questions were looked at: said as it was written down."""

import pytest

from lema.config import parse_config
from lema.runs.beginnings import BEGINNING, LOOKS, begin, look, looks, said_of_looks, since_the_beginning

TABLE = {"name": "x", "task": {"name": "lab"}, "models": {"t": {"backend": "teacher"}},
         "sample": {"models": ["t"]}, "arms": ["cot", "rft", "lema"]}


def _config(**report):
    return parse_config(TABLE | {"report": report}, "x")


def test_the_plan_of_the_first_start_stays_and_is_confirmed(tmp_path):
    begin(tmp_path, _config(headline="lema", control="rft"))
    begin(tmp_path, _config(headline="rft"))
    named, said = since_the_beginning(tmp_path, _config(headline="lema", control="rft"))
    assert named
    assert said == "The headline, its control and all planned pairs are those of the first start of this run."


@pytest.mark.parametrize(("now", "says"), [
    ({"headline": "rft", "control": "rft"}, "the headline arm was lema and is rft"),
    ({"headline": "lema"}, "the control was rft and is none"),
    ({"headline": "lema", "control": "rft", "baseline": "rft"}, "the baseline was cot and is rft"),
    ({"headline": "lema", "control": "rft", "pairs": [["lema", "rft"]]},
     "the further pairs was none and is lema − rft")])
def test_a_changed_plan_is_said(tmp_path, now, says):
    begin(tmp_path, _config(headline="lema", control="rft"))
    named, said = since_the_beginning(tmp_path, _config(**now))
    assert not named and said == f"Changed since the first start: {says}."


def test_an_arm_that_is_added_changes_no_plan_but_the_last_of_them_as_headline_does(tmp_path):
    begin(tmp_path, _config(headline="lema"))
    more = parse_config(TABLE | {"arms": ["cot", "rft", "lema", "cft"], "report": {"headline": "lema"},
                                 "critique": {"model": "t"}}, "x")
    assert since_the_beginning(tmp_path, more)[0]
    assert "the headline arm was lema and is cft" in since_the_beginning(
        tmp_path, more.model_copy(update={"report": _config().report}))[1]


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_what_was_not_recorded_is_not_confirmed(tmp_path, content):
    if content is not None:
        (tmp_path / BEGINNING).write_text(content)
    named, said = since_the_beginning(tmp_path, _config())
    assert not named and "was not recorded at its first start" in said


def test_a_run_that_was_begun_earlier_gets_no_plan_afterwards(tmp_path):
    (tmp_path / "config.toml").write_text("")
    begin(tmp_path, _config())
    assert not since_the_beginning(tmp_path, _config())[0]


def test_the_same_answers_looked_at_again_are_one_look(tmp_path):
    assert [look(tmp_path, name) for name in ("a", "a", "b", "a", "c")] == [1, 1, 2, 2, 3]
    with (tmp_path / LOOKS).open("a") as out:
        out.write('{"exam')  # cut off
    assert looks(tmp_path) == ["a", "b", "c"]


def test_a_first_look_is_called_so_only_where_the_run_was_watched_from_its_start(tmp_path):
    begin(tmp_path, _config())
    first = said_of_looks(tmp_path, look(tmp_path, "a"))
    assert "for the first time" in first and "elsewhere" in first, "of other runs it can assure nothing"
    assert "2 times" in said_of_looks(tmp_path, look(tmp_path, "b"))
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    (earlier / "config.toml").write_text("")
    begin(earlier, _config())
    assert said_of_looks(earlier, look(earlier, "a")).endswith("was not recorded.")
