"""Runs: a stage is remembered exactly as long as nothing that it depends on has changed."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from lema.config import Config, parse_config
from lema.errors import RunError
from lema.plugins import Settings
from lema.records import Question, read_rows, write_rows
from lema.runs.context import StageContext
from lema.runs.engine import Local, shared_out
from lema.runs.folder import held
from lema.runs.news import News
from lema.runs.run import Run, Stage
from tests.processes import ended

VERSION = 1


class Count(Settings):
    """How many questions a stage makes."""

    count: int = 2


def make(context: StageContext, settings: Count) -> Iterator[Question]:
    for number in range(settings.count):
        yield Question(text=f"question {number}", answer=str(number))


def double(context: StageContext, settings: None, questions: Iterable[Question]) -> Iterator[Question]:
    for question in questions:
        yield Question(text=question.text * 2, answer=question.answer, parent=question.id)


def fill_the_disk(context: StageContext, settings: None) -> Iterator[Question]:
    yield Question(text="first", answer="1")
    raise OSError(28, "No space left on device", str(context.folder))


def stop_halfway(context: StageContext, settings: None) -> Iterator[Question]:
    yield Question(text="first", answer="1")
    raise KeyboardInterrupt


def _config(workers: int = 1) -> Config:
    return parse_config({"name": "x", "task": {"name": "lab"}, "models": {"a": {"backend": "teacher"}},
                         "sample": {"models": ["a"]}, "machine": {"workers": workers}}, "x")


def _run(folder: Path, workers: int = 1) -> tuple[Run, list[News]]:
    folder.mkdir(exist_ok=True)
    news: list[News] = []
    config = _config(workers)
    return Run(folder, Local(folder, config, news.append), config), news


def test_rows_that_name_an_id_are_found_without_reading_the_others(tmp_path):
    rows = [Question(text=f"question {n}", answer="1", parent=f"p{n}") for n in range(3)]
    write_rows(tmp_path / "rows.jsonl", rows)
    written = (tmp_path / "rows.jsonl").read_text()
    (tmp_path / "rows.jsonl").write_text(f"{written}no row at all\n")
    assert list(read_rows(Question, tmp_path / "rows.jsonl", '"p1"')) == rows[1:2]


def test_a_stage_is_performed_once_and_then_remembered(tmp_path):
    for expected in ("finished", "remembered"):
        run, news = _run(tmp_path)
        stage = run.stage("questions", make, Count())
        run.engine.close()
        assert news[-1].state == expected
        assert [q.answer for q in stage] == ["0", "1"]
        assert stage.record()["rows"] == 2


def test_a_changed_setting_makes_exactly_its_descendants_stale_and_says_why(tmp_path):
    run, _ = _run(tmp_path)

    def stages(count: int) -> list[Stage]:
        made = run.planned("made", make, Count(count=count))
        other = run.planned("other", make, Count(count=9))
        return [made, other, run.planned("doubled", double, None, made)]

    for stage in stages(2):
        run.side_by_side([stage])
    run.engine.close()
    states = [stage.status() for stage in stages(3)]
    assert [status.state for status in states] == ["stale", "done", "stale"]
    assert states[0].why == "settings.count: 2 → 3"
    assert states[2].why == "made is another one now"


def test_stages_side_by_side_in_worker_processes_leave_the_same_bytes(tmp_path):
    found = []
    for workers in (1, 2):
        run, _ = _run(tmp_path / str(workers), workers)
        stages = run.side_by_side([run.planned(f"made/{n}", make, Count(count=n)) for n in (3, 4, 5)])
        run.engine.close()
        found.append([(stage.folder / "rows.jsonl").read_bytes() for stage in stages])
    assert found[0] == found[1]


def test_an_interrupted_stage_is_not_there_and_the_earlier_one_is_untouched(tmp_path):
    run, _ = _run(tmp_path)
    before = run.stage("kept", make, Count())
    with pytest.raises(KeyboardInterrupt):
        run.stage("broken", stop_halfway, None)
    run.engine.close()
    assert before.status().state == "done"
    assert run.planned("broken", stop_halfway, None).status().state == "missing"


def test_a_kill_between_the_record_and_the_rename_loses_nothing(tmp_path):
    run, _ = _run(tmp_path)
    stage = run.stage("made", make, Count())
    run.engine.close()
    stage.folder.rename(stage.part)
    assert stage.status().state == "missing"
    assert stage.adopt()
    assert stage.status().state == "done"


def test_a_damaged_record_means_the_stage_is_done_again(tmp_path):
    run, _ = _run(tmp_path)
    stage = run.stage("made", make, Count())
    (stage.folder / "record.json").write_text('{"finger')
    assert stage.status().state == "missing"
    run.side_by_side([stage])
    run.engine.close()
    assert stage.status().state == "done"


def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path):
    run, _ = _run(tmp_path)
    with pytest.raises(RunError, match="no space left on the disk; free some and run the same command again"):
        run.stage("made", fill_the_disk, None)
    run.engine.close()


def test_a_second_process_is_told_who_holds_the_run(tmp_path):
    code = f"from lema.runs.folder import held\nfrom pathlib import Path\nwith held(Path({str(tmp_path)!r})): pass"
    with held(tmp_path):
        second = ended([sys.executable, "-c", code])
    assert f"process {os.getpid()} is working on this run" in second.stderr
    assert second.returncode != 0
    assert ended([sys.executable, "-c", code]).returncode == 0


def test_the_record_names_what_was_done_with_what(tmp_path):
    run, _ = _run(tmp_path)
    stage = run.stage("made", make, Count())
    run.engine.close()
    record = json.loads((stage.folder / "record.json").read_text())
    assert record["facts"]["verb"] == "make"
    assert record["facts"]["settings"] == {"count": 2}
    assert record["versions"]["lema"]
    assert record["seconds"] >= 0


def test_worker_processes_share_out_what_a_model_may_be_asked_per_minute():
    limits = {"requests_per_minute": 100, "tokens_per_minute": 3}
    config = parse_config({"name": "x", "task": {"name": "lab"}, "sample": {"models": ["a"]}, "models": {
        "a": {"backend": "api", "model": "m", **limits}, "b": {"backend": "teacher"}}}, "x.toml")
    shared = shared_out(config, 4)
    assert shared.models["a"].own == {"model": "m", "requests_per_minute": 25, "tokens_per_minute": 1}
    assert shared.models["b"].own == {} and config.models["a"].own == {"model": "m", **limits}
