"""A run that trains nothing, and one that fails half way, has its report too; `lema.compare` says what the
command says."""

import json

import pytest

import lema
from lema.commands.compare import compare_sources
from lema.commands.show import closing_words, summary_of
from lema.errors import DataError, LemaError
from lema.records import Correction, read_rows
from tests.commands.view.made import small_run
from tests.report.elements import Elements


def test_a_run_without_training_ends_in_a_report_with_its_funnel_and_corrections(tmp_path):
    run = small_run(tmp_path)
    page = (run / "report.html").read_text()
    text = Elements(page).text
    assert "trains no model" in text and "paths sampled" in text and "The training sets" in text
    assert "Where mistakes sit" in text and "What it cost" in text
    kept = [row for row in read_rows(Correction, run / "verified/rows.jsonl") if row.verified]
    assert any(row.explanation and row.explanation in text for row in kept), "the gallery"
    assert "The comparison" not in text and "nothing yet" not in text
    assert f"report: {run / 'report.html'}" in closing_words(run)


def test_a_run_that_fails_half_way_has_a_report_that_says_where_and_why(tmp_path, capsys):
    with pytest.raises(LemaError) as error:
        small_run(tmp_path, "correct.max_tokens=64", "models.teacher={backend='api', model='x', "
                  "base_url='http://127.0.0.1:9/v1', patience=0.1}")
    run = tmp_path / "runs/small"
    text = Elements((run / "report.html").read_text()).text
    assert "The run ended early, with 3 of 9 stages done" in text and error.value.lines[0][:40] in text
    assert "paths sampled" in text
    assert f"as far as it came: {run / 'report.html'}" in capsys.readouterr().err
    assert f"report: {run / 'report.html'}" in summary_of(run, as_json=False)


def test_python_compares_as_the_command_does(tmp_path):
    for name, wrong in (("a", 3), ("b", 2)):
        rows = [{"question": f"{n}?", "text": f"It is {n + (n % wrong == 0)}.", "gold": str(n)} for n in range(40)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    sources, runs = (f"a={tmp_path / 'a.jsonl'}", f"b={tmp_path / 'b.jsonl'}"), tmp_path / "runs"
    result = lema.compare(*sources, runs=runs, task="number")
    facts = json.loads(compare_sources(sources, runs, "number", as_json=True))
    assert result.questions == facts["questions"] == 40
    assert [each.accuracy for each in result.systems] == [each["accuracy"] for each in facts["systems"]]
    (pair,) = result.comparisons
    assert (pair.name, pair.baseline) == ("b", "a") and pair.reading == facts["comparisons"][0]["reading"]
    assert pair.interval[0] < pair.mean < pair.interval[1]
    with pytest.raises(DataError, match="neither a file nor RUN:ARM"):
        lema.compare("nobody", *sources, runs=runs)
