"""lema from Python: the runs of the command line, as records, frames and data sets; typed; in a notebook."""

import json
import sys
from pathlib import Path

import pytest

import lema
from lema.errors import ConfigError, RunError
from lema.records import Correction, Example, Question, ReasoningPath
from tests.commands.view.made import LAB, run_by_hand, small_run
from tests.processes import ended

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return lema.open(small_run(tmp_path_factory.mktemp("small")))


def test_rows_are_records_of_their_kind_and_know_how_many_they_are(run):
    kinds = {"questions": Question, "paths": ReasoningPath, "corrections": Correction}
    for name, kind in kinds.items():
        rows = getattr(run, name)
        every = list(rows)
        assert len(every) == len(rows) > 10 and {type(row) for row in every} == {kind}, name
    assert set(run.sets) == {"cot", "lema", "step"}
    assert all(isinstance(row, Example) for row in run.sets["lema"])
    assert {row.id for row in run.rows("graded")} == {row.id for row in run.paths}
    assert len(run.scores) == 0 and not run.ratings and [account.arm for account in run.accounts] == list(run.sets)


def test_rows_become_a_frame_and_a_data_set_with_the_same_values(run):
    frame, data = run.corrections.to_pandas(), run.corrections.to_dataset()
    ids = [row.id for row in run.corrections]
    assert list(frame["id"]) == ids == data["id"]
    assert frame["steps"].map(list).tolist() == [list(row.steps) for row in run.corrections]


def test_a_run_with_training_has_scores_and_comparisons(tmp_path):
    opened = lema.open("byhand", runs=run_by_hand(tmp_path).parent)
    assert opened.config.name == "byhand" and "models/lema-2" in opened.done
    assert len(opened.comparisons) == 0 and len(opened.sets["lema"]) == len(list(opened.sets["lema"]))


def test_a_dictionary_runs_like_its_file(tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    import tomllib
    again = lema.run(tomllib.loads(LAB))
    assert again.folder == Path("runs/small")
    assert [row.id for row in again.corrections] == [row.id for row in run.corrections]
    assert lema.run("runs/small").done == again.done
    less = lema.run(tomllib.loads(LAB), overrides=["name=less", "sample.paths=1"])
    assert len(less.paths) == 40


def test_what_cannot_be_done_is_one_line(tmp_path, run):
    with pytest.raises(RunError, match="no run here"):
        lema.open("nowhere", runs=tmp_path)
    with pytest.raises(RunError, match="no finished stage 'verifed'"):
        run.rows("verifed")
    with pytest.raises(ConfigError, match="needs a name"):
        lema.run({"task": {"name": "lab"}})


def test_texts_are_graded():
    assert lema.grade("So it is 2/4.", "0.5", task="number").verdict == "right"
    assert lema.grade("It is 7.", "8").verdict == "wrong"
    with pytest.raises(ConfigError):
        lema.grade("1", "1", task="nothing")


def test_the_public_face_is_typed():
    pytest.importorskip("mypy", reason="mypy is not installed")
    done = ended([sys.executable, "-m", "mypy", "--no-incremental"], cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_notebook_runs_from_first_to_last(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    notebook = nbformat.read(ROOT / "docs" / "python.ipynb", 4)
    nbformat.validate(notebook)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert "['right', 'wrong', 'no_answer']" in json.dumps(outputs)
