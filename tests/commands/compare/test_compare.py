"""`lema compare`: answers of several tools aligned by question, judged as they were or anew, and their export."""

import json
import os
import zipfile

import numpy as np
import pytest
import zstandard

from lema.commands.export.logs import inspect_log, lm_eval_rows
from lema.records import Question, ReasoningPath
from lema.statistics import difference
from lema.tasks import find_task
from tests.commanding import in_process, lema
from tests.interop.opt_in import REASON
from tests.processes import ended
from tests.toys import chatty

COUNT = 12


def _words(number: int) -> str:
    return f"Mia has {number} pens and buys 8. How many?"


def _inspect(right: str, first: int = 0) -> dict:
    samples = [{"id": n, "epoch": 1, "input": _words(first + n), "target": str(first + n + 8),
                "output": {"choices": [{"message": {"content": f"The answer is {first + n + 8}."}}]},
                "scores": {"match": {"value": "C" if mark == "1" else "I"}}} for n, mark in enumerate(right)]
    return {"version": 2, "eval": {"model": "m"}, "samples": samples}


def _lm_eval(right: str) -> list[dict]:
    return [{"doc_id": n, "doc": {"question": f" {_words(n).upper()} "}, "target": f"It is so.\n#### {n + 8}",
             "resps": [[f"The answer is {n + 8 + (mark == '0')}."]], "filter": which, "metrics": ["exact_match"],
             "exact_match": float(mark == "1") if which == "strict" else 0.0}
            for which in ("strict", "flexible") for n, mark in enumerate(right)]


def _rows(right: str) -> list[dict]:
    return [{"question": _words(n), "text": f"So the answer is {n + 8 + (mark == '0')}.", "gold": str(n + 8)}
            for n, mark in enumerate(right)]


def _write(folder, name, rows):
    (folder / name).write_text(json.dumps(rows) if isinstance(rows, dict) else "\n".join(map(json.dumps, rows)))
    return name


@pytest.fixture
def files(tmp_path):
    _write(tmp_path, "a.json", _inspect("111111110000"))
    _write(tmp_path, "b.jsonl", _lm_eval("000000001111"))
    _write(tmp_path, "c.jsonl", _rows("111111111111"))
    _write(tmp_path, "later.json", _inspect("111111111111", first=6))
    return tmp_path


def _facts(folder, *arguments):
    found = in_process(folder, "compare", *arguments, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_tools_are_aligned_by_the_words_of_their_questions(files):
    facts = _facts(files, "a=a.json", "b=b.jsonl")
    assert facts["questions"] == COUNT
    (row,) = facts["comparisons"]
    a, b = (np.array([[mark == "1" for mark in right]]) for right in ("111111110000", "000000001111"))
    expected = difference(b, a)
    assert row["mean"] == pytest.approx(expected.mean) and row["p_value"] == pytest.approx(expected.p_value)
    assert [each["judges"] for each in facts["systems"]] == [["inspect match"], ["lm-eval exact_match (strict)"]]
    text = in_process(files, "compare", "a=a.json", "b=b.jsonl").stdout
    assert "judged by different graders" in text and max(map(len, text.splitlines())) <= 80


def test_what_is_not_common_is_counted_and_left_out(files):
    facts = _facts(files, "a=a.json", "later=later.json")
    assert facts["questions"] == 6
    assert [each["not_common"] for each in facts["systems"]] == [6, 6]
    assert facts["systems"][0]["accuracy"] == pytest.approx(2 / 6)


def test_all_texts_are_judged_anew_where_a_task_is_named(files):
    facts = _facts(files, "a=a.json", "b=b.jsonl", "c=c.jsonl", "--task", "gsm8k")
    assert [each["accuracy"] for each in facts["systems"]] == pytest.approx([1, 4 / 12, 1])
    assert {judge for each in facts["systems"] for judge in each["judges"]} == {"lema as gsm8k"}
    assert [row["arm"] for row in facts["comparisons"]] == ["b", "c"]


def test_a_file_for_each_seed_is_paired_by_seed(files):
    _write(files, "a2.json", _inspect("101111110000"))
    _write(files, "b2.jsonl", _lm_eval("000000001101"))
    facts = _facts(files, "a=a.json,a2.json", "b=b.jsonl,b2.jsonl")
    (row,) = facts["comparisons"]
    assert row["seed_differences"] == pytest.approx([4 / 12 - 8 / 12, 3 / 12 - 7 / 12]) and row["crossed"]


def test_a_checkpoint_that_was_examined_twice_is_one_result(files):
    right = "110" * 12
    _write(files, "one.jsonl", _rows(right))
    _write(files, "copied.jsonl", list(reversed(_rows(right))))
    _write(files, "base.jsonl", _rows("011" * 12))
    facts = _facts(files, "base=base.jsonl", "one=one.jsonl", "copied=copied.jsonl", "--task", "gsm8k")
    assert facts["same_answers"] == {"copied": "one"} and [row["arm"] for row in facts["comparisons"]] == ["one"]
    alone = _facts(files, "base=base.jsonl", "one=one.jsonl", "--task", "gsm8k")
    assert facts["comparisons"] == alone["comparisons"], "no correction for a comparison that is none"
    text = in_process(files, "compare", "base=base.jsonl", "one=one.jsonl", "copied=copied.jsonl", "--task",
                      "gsm8k")
    assert "copied gave the answers of one, word for word" in " ".join(text.stdout.split())
    twice = in_process(files, "compare", "base=base.jsonl,base.jsonl", "one=one.jsonl,copied.jsonl", "--task",
                       "gsm8k")
    assert twice.returncode == 2 and "one checkpoint examined twice is one result; give it once" in twice.stderr


def test_few_or_short_answers_that_agree_are_two_results(files):
    short = [{"question": _words(n), "text": str(n + 8), "gold": str(n + 8)} for n in range(30)]
    _write(files, "short.jsonl", short)
    _write(files, "few.jsonl", _rows("1" * 12))
    assert len(_facts(files, "a=short.jsonl", "b=short.jsonl", "--task", "gsm8k")["comparisons"]) == 1
    assert len(_facts(files, "a=few.jsonl", "b=c.jsonl", "--task", "gsm8k")["comparisons"]) == 1


def test_the_same_words_with_other_gold_answers_are_counted_and_left_out(files):
    rows = _rows("1111")
    _write(files, "d.jsonl", [*rows, {**rows[0], "gold": "99"}])
    facts = _facts(files, "d=d.jsonl", "c=c.jsonl", "--task", "number")
    assert facts["questions"] == 3 and facts["systems"][0]["unclear"] == 1


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_log_that_is_an_archive_is_read(files, packed):
    with zipfile.ZipFile(files / "a.eval", "w", packed) as archive:
        archive.writestr("header.json", "{}")
        for sample in _inspect("111111110000")["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
    assert _facts(files, "z=a.eval", "a=a.json")["comparisons"][0]["mean"] == 0


def test_a_damaged_archive_is_refused(files):
    (files / "a.eval").write_bytes(b"PK\3\4 nothing")
    found = in_process(files, "compare", "z=a.eval", "a=a.json")
    assert found.returncode == 2 and "a.eval: not an inspect log that can be read" in found.stderr


@pytest.mark.parametrize("how", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, "zstd"])
def test_an_archive_that_unpacks_without_end_is_refused(files, how, monkeypatch):
    monkeypatch.setattr("lema.commands.compare.sources.SAMPLE_BYTES", 1 << 20)
    sample = b'{"id": "' + b"x" * (3 << 20) + b'"}'
    if how == "zstd":
        zstd_archive(files / "a.eval", {"samples/1.json": sample})
    else:
        with zipfile.ZipFile(files / "a.eval", "w", how) as archive:
            archive.writestr("samples/1.json", sample)
    found = in_process(files, "compare", "z=a.eval", "a=a.json")
    assert found.returncode == 2 and "a sample of over 1 MB" in found.stderr


@pytest.mark.parametrize("sample", [3, None, "x", [], {"scores": 3}, {"output": {"choices": [4]}}, {"input": [5]},
                                    {"scores": {"m": {"value": 7}}}, {"scores": {"m": {"value": 10**400}}},
                                    {"output": 3, "scores": []}, {"input": [{"role": "user", "content": [6]}]}])
def test_a_log_whose_samples_are_something_else_is_read_or_refused_in_one_line(files, sample):
    log = _inspect("11")
    log["samples"][1] = sample if not isinstance(sample, dict) else log["samples"][1] | sample
    _write(files, "odd.json", log)
    for task in ((), ("--task", "number")):
        found = in_process(files, "compare", "odd=odd.json", "a=a.json", *task)
        assert found.returncode == 0 or found.stderr.count("\n") == 1


@pytest.mark.parametrize(("arguments", "says"), [
    (("a.json", "nowhere"), "nowhere: neither a file nor RUN:ARM"),
    (("a=a.json", "a=b.jsonl"), "two have the same name"),
    (("a=a.json", "c=c.jsonl"), "nothing says whether it is right; name with --task"),
    (("a=a.json,a.json", "e=e.json"), "e.json"),
    (("a=a.json", "e=other.jsonl", "--task", "number"), "no question is common")])
def test_what_cannot_be_compared_is_one_line(files, arguments, says):
    _write(files, "other.jsonl", [{"question": "What else is there?", "text": "1", "gold": "1"}])
    found = in_process(files, "compare", *arguments)
    assert found.returncode == 2 and says in found.stderr and found.stderr.count("\n") == 1


def _answers() -> tuple[list[Question], list[ReasoningPath]]:
    questions = [Question(text=_words(n), answer=str(n + 8), split="test") for n in range(4)]
    paths = [ReasoningPath(question=question.id, model="m", index=index, prompt_tokens=9,
                           text=f"The answer is {number + 8 + index}.", tokens=5,
                           verdict="wrong" if index else "right",
                           answer=str(number + 8 + index), how="stated", finish="length" if index else "stop")
             for number, question in enumerate(questions) for index in range(2)]
    return questions, paths


def test_exported_answers_are_compared_with_themselves_without_a_difference(tmp_path):
    from lema.commands.export.logs import _samples

    questions, paths = _answers()
    by_id = {question.id: question for question in questions}
    task = find_task("lab", {})
    log = inspect_log("m", "lab", "2026-11-21T18:00:00Z", _samples(task, paths, by_id.get))
    assert log["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 0.5
    assert [each["epoch"] for each in log["samples"]] == [1, 2] * 4
    _write(tmp_path, "log.json", log)
    rows = list(lm_eval_rows(task, paths, by_id.get))
    assert [row["exact_match"] for row in rows] == [0.5] * 4
    _write(tmp_path, "rows.jsonl", rows)
    facts = _facts(tmp_path, "a=log.json", "b=rows.jsonl")
    assert facts["questions"] == 4 and facts["comparisons"][0]["mean"] == 0
    assert [each["accuracy"] for each in facts["systems"]] == [0.5, 0.5]


def test_a_runs_answers_go_out_and_come_back_the_same(files):
    chatty(files / "anywhere")
    chatty(files / "other", width=32)
    made = lema(files, "examine", "one=anywhere", "two=other", "--on", "rows=own.csv", "--name", "x", "--set",
                "evaluate.max_tokens=3")
    assert made.returncode == 2 and "own.csv" in made.stderr
    (files / "own.csv").write_text("question,answer\nWhat is 1?,1\nWhat is 2?,2\n")
    assert lema(files, "examine", "one=anywhere", "two=other", "--on", "rows=own.csv", "--name", "x", "--set",
                "evaluate.max_tokens=3").returncode == 0
    assert "rows_one.json  2 answers" in lema(files, "export", "x", "--as", "inspect", "--out", "logs").stdout
    assert lema(files, "export", "x", "--as", "lm-eval", "--out", "samples").returncode == 0
    facts = _facts(files, "run=x@rows:one", "log=logs/rows_one.json", "samples=samples/samples_rows_one.jsonl")
    assert facts["questions"] == 2 and [row["mean"] for row in facts["comparisons"]] == [0, 0]
    again = lema(files, "export", "x", "--as", "inspect", "--out", "logs")
    assert again.returncode == 2 and "logs: already there" in again.stderr
    wrong = lema(files, "export", "x", "--as", "inspct", "--out", "more")
    assert wrong.returncode == 2 and "no use 'inspct'" in wrong.stderr


READS = """
import sys
from inspect_ai.log import read_eval_log, write_eval_log
log = read_eval_log(sys.argv[1])
write_eval_log(log, sys.argv[2])
accuracy = log.results.scores[0].metrics["accuracy"].value
print(log.status, len(log.samples), accuracy, log.samples[1].scores["lema"].value)
"""


def test_inspect_opens_an_exported_log_and_what_it_writes_is_read_here(tmp_path):
    from lema.commands.export.logs import _samples

    python = os.environ.get("LEMA_INTEROP_INSPECT")
    if not python:
        pytest.skip(REASON)
    questions, paths = _answers()
    by_id = {question.id: question for question in questions}
    log = inspect_log("m", "lab", "2026-11-21T18:00:00Z", _samples(find_task("lab", {}), paths, by_id.get))
    _write(tmp_path, "log.json", log)
    out = ended([python, "-c", READS, str(tmp_path / "log.json"), str(tmp_path / "theirs.eval")], check=True)
    assert out.stdout.split() == ["success", "8", "0.5", "I"]
    facts = _facts(tmp_path, "ours=log.json", "theirs=theirs.eval")
    assert facts["questions"] == 4 and facts["comparisons"][0]["mean"] == 0


def zstd_archive(file, members):
    """An archive as inspect packs it, which Python's own module cannot write."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, zstandard.compress(content))
    packed = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            packed[info.header_offset + 8] = 93  # the method, in the header of the file
    at = -1
    while (at := packed.find(b"PK\1\2", at + 1)) >= 0:
        packed[at + 10] = 93  # and in the directory
    file.write_bytes(packed)


def test_an_archive_packed_with_zstandard_is_read(files):
    samples = _inspect("111111110000")["samples"]
    zstd_archive(files / "z.eval", {f"samples/{sample['id']}_epoch_1.json": json.dumps(sample).encode()
                                    for sample in samples})
    assert _facts(files, "z=z.eval", "a=a.json")["comparisons"][0]["mean"] == 0
