"""Every form of file gives the same rows, and a row that has not got what it must keeps its place with the
reason."""

import gzip
import json
from pathlib import Path

import pytest

from lema.commands.import_ import import_file
from lema.commands.import_.forms import ImportColumns, read_foreign
from lema.errors import DataError, RunError
from lema.records import Correction, Question, ReasoningPath, read_rows
from lema.report.funnels import funnel
from lema.stages.verify import NO_MISTAKE

STEPS = ("Mend this.\nQuestion: Ann has 2 nuts and finds 3. How many?\nWrong Solution:\n{\n"
         "Step 1: 2 + 3 = 6.\nStep 2: The answer is 6.\n}\nIncorrect Step:",
         " Step 1.\nExplanation: 2 + 3 is 5.\nCorrect Solution:\n{\nStep 1: 2 + 3 = 5.\n"
         "Step 2: The answer is 5.\n}")
PROSE = ("Mend this.\nQuestion: Where are novels lent?\nCandidate Answers: bakery, library, stable.\n"
         "Original Answer:\n{\nA bakery lends bread.\nThe answer is bakery.\n}\nMistakes:",
         " A bakery sells bread.\nCorrected Answer:\n{\nA library lends novels.\nThe answer is library.\n}")
AS_FOUND = {STEPS: ("Ann has 2 nuts and finds 3. How many?", "Step 1: 2 + 3 = 6.\nStep 2: The answer is 6.",
                    f"Incorrect Step:{STEPS[1]}"),
            PROSE: ("Where are novels lent?\nCandidate Answers: bakery, library, stable.",
                    "A bakery lends bread.\nThe answer is bakery.", f"Mistakes:{PROSE[1]}")}
ROWS_CONFIG = """
name = "user"
arms = ["lema"]
task = { name = "rows", train = "questions.jsonl", answers = "letter", columns = { choices = "choices" } }
sample = { models = ["m"] }
[models.m]
backend = "recorded"
file = "none.jsonl"
"""


def _plain(prompt: str, completion: str) -> dict:
    return {"prompt": prompt, "completion": completion}


def _messages(prompt: str, completion: str) -> dict:
    return {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": prompt},
                         {"role": "assistant", "content": completion}]}


def _conversations(prompt: str, completion: str) -> dict:
    return {"conversations": [{"from": "human", "value": prompt}, {"from": "gpt", "value": completion}]}


def _chat(prompt: str, completion: str) -> dict:
    _, user, assistant = _messages(prompt, completion)["messages"]
    return {"prompt": [user], "completion": [assistant]}


def _crlf(prompt: str, completion: str) -> dict:
    return _plain(prompt.replace("\n", "\r\n"), completion)


def _write(path: Path, rows: list[dict], encoding: str = "utf-8") -> Path:
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", encoding=encoding) as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return path


@pytest.mark.parametrize("kind", [STEPS, PROSE], ids=["steps", "prose"])
@pytest.mark.parametrize(("form", "name", "encoding"), [
    (_plain, "a.jsonl", "utf-8"), (_plain, "a.jsonl", "utf-8-sig"), (_plain, "a.jsonl.gz", "utf-8"),
    (_plain, "a.parquet", "utf-8"), (_crlf, "a.jsonl", "utf-8"), (_messages, "a.jsonl", "utf-8"),
    (_messages, "a.parquet", "utf-8"), (_conversations, "a.jsonl", "utf-8"), (_chat, "a.jsonl", "utf-8")])
def test_a_correction_is_read_alike_from_every_form(tmp_path, kind, form, name, encoding):
    (found,) = read_foreign(_write(tmp_path / name, [form(*kind)], encoding), "corrections", None)
    assert (found.question, found.path, found.correction) == AS_FOUND[kind]
    assert (found.place, found.problem) == (f"{name}:1", "")


@pytest.mark.parametrize("form", [_plain, _messages])
def test_a_path_is_read_from_a_prompt_too(tmp_path, form):
    asked = form("Question: Ann has 2 nuts and finds 3. How many?\nSolution:\n", "Step 1: The answer is 5.")
    path, correction = read_foreign(_write(tmp_path / "a.jsonl", [asked, form(*STEPS)]), "paths", None)
    assert (path.question, path.path) == (AS_FOUND[STEPS][0], "Step 1: The answer is 5.")
    assert correction.problem == "a correction, no path: import it with --as corrections"


def test_a_row_without_what_it_must_have_says_so_and_the_others_are_read(tmp_path):
    file = _write(tmp_path / "a.jsonl", [_plain(*STEPS), _plain("Question: who?", "me"), {"prompt": "x"}])
    assert [found.problem.split(":")[0] for found in read_foreign(file, "corrections", None)] == [
        "", "no correction", "no prompt with a completion"]
    file = _write(tmp_path / "b.jsonl", [{"question": "a", "path": "b"}, {"question": "c", "path": 5}])
    rows = list(read_foreign(file, "paths", ImportColumns()))
    assert [row.problem for row in rows] == ["", "no text under 'path'"]


def test_a_file_that_is_not_what_its_name_says_is_one_line(tmp_path):
    packed = _write(tmp_path / "a.jsonl.gz", [_plain(*STEPS)]).read_bytes()
    for name, content, says in (("a.jsonl", packed, "not UTF-8 text"), ("cut.gz", packed[:60], "cannot be read"),
                                ("b.parquet", b"no table", "no Parquet file"), ("c.jsonl", b"\n", "empty; give"),
                                ("d.jsonl", b'{"prompt": \n', "d.jsonl:1: not JSON")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=says):
            list(read_foreign(tmp_path / name, "corrections", None))
    with pytest.raises(DataError, match="a folder; give a file in it"):
        read_foreign(tmp_path, "corrections", None)


@pytest.fixture
def config(tmp_path, monkeypatch) -> str:
    """A run of two questions with choices."""
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "questions.jsonl", [
        {"question": "Where are novels lent?", "choices": ["bakery", "library", "stable"], "answer": "B"},
        {"question": "Where do horses sleep?", "choices": ["bakery", "library", "stable"], "answer": "C"}])
    (tmp_path / "user.toml").write_text(ROWS_CONFIG)
    return str(tmp_path / "user.toml")


def test_an_answer_without_steps_finds_its_question_by_the_candidates_in_one_line(config, tmp_path):
    file = _write(tmp_path / "a.jsonl", [_messages(*PROSE)])
    import_file(config, file, "corrections", "a", (), tmp_path / "runs")
    (joined,) = read_rows(Correction, tmp_path / "runs/user/imports/a/corrections.jsonl")
    assert (joined.step, joined.explanation, joined.rejected) == (None, "A bakery sells bread.", "")
    assert joined.steps == ("A library lends novels.", "The answer is library.")


def test_what_is_left_out_or_cannot_be_trained_on_is_counted_by_reason(config, tmp_path):
    vague = (PROSE[0], " I cannot say.")
    file = _write(tmp_path / "a.jsonl", [_plain(*row) for row in (PROSE, PROSE, vague, STEPS)])
    said = import_file(config, file, "corrections", "a", (), tmp_path / "runs")
    for part in ("2 corrections joined", "2 left out", "1 the same correction of the same path as a row before",
                 "1 about no training question", "1 of the joined can only be counted", "unreadable"):
        assert part in said
    joined = tmp_path / "runs/user/imports/a"
    (path,) = read_rows(ReasoningPath, joined / "paths.jsonl")
    assert {row.path for row in read_rows(Correction, joined / "corrections.jsonl")} == {path.id}
    with pytest.raises(RunError, match="the same file is imported already"):
        import_file(config, file, "corrections", "b", (), tmp_path / "runs")


def test_the_funnel_counts_mistakes_once_that_came_with_several_corrections():
    question = Question(text="?", answer="1")
    paths = [ReasoningPath(question=question.id, model=model, text="Step 1: x", verdict=verdict, index=index)
             for index, (model, verdict) in enumerate([("a", "wrong"), ("b", "wrong"), ("b", "right"),
                                                       ("c", "wrong")])]
    rows = [Correction(question=question.id, path=path.id, model="t", reply="r", verified=False,
                       rejected=NO_MISTAKE) for path in paths[:3]]
    stages = funnel("", [question], paths, rows, []).stages
    assert [(stage.name, stage.count) for stage in stages[2:5]] == [("wrong", 3), ("corrected", 2), ("replies", 3)]
    assert all(loss.count > 0 for stage in stages for loss in stage.losses)


def test_the_real_corrections_without_steps_join_as_their_authors_meant_them(shared_data, tmp_path):
    rows = [json.loads(line) for line in (shared_data / "corrector_outputs/lema_real_corrections.jsonl").read_text(
        encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["task"] == "csqa"]
    _write(tmp_path / "q.jsonl", [{"prompt": f"Question: {row['question']}\nCandidate Answers: x.\nAnswer:\n",
                                   "answer": row["gold"]["final_answer"], "candidates": row["candidates"]}
                                  for row in rows])
    _write(tmp_path / "pairs.jsonl", [_plain(
        f"Question: {row['question']}\nCandidate Answers: {', '.join(row['candidates'])}.\nOriginal Answer:\n{{\n"
        f"{row['original_solution']}\n}}\nMistakes:", row["corrector_output"].removeprefix("Mistakes:"))
        for row in rows])
    (tmp_path / "user.toml").write_text(ROWS_CONFIG.replace(
        'name = "rows", train = "questions.jsonl", answers = "letter", columns = { choices = "choices" }',
        f'name = "csqa", train = "{tmp_path}/q.jsonl"'))
    runs = tmp_path / "runs"
    import_file(str(tmp_path / "user.toml"), tmp_path / "pairs.jsonl", "corrections", "real", (), runs)
    joined = list(read_rows(Correction, runs / "user/imports/real/corrections.jsonl"))
    assert [one.explanation for one in joined] == [row["gold"]["mistakes"] for row in rows]
    assert not any(one.rejected for one in joined)
