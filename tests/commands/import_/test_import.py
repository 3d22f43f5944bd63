"""Imports: a file of corrections or paths joins a run, is graded and verified like its own, and leads back to its
line."""

import json
from pathlib import Path

import pytest

from lema.commands.import_ import import_file
from lema.commands.plan import plan_config
from lema.commands.run import run_config
from lema.commands.show import life_of
from lema.errors import ConfigError, DataError, RunError
from lema.records import Correction, Example, Question, ReasoningPath, read_rows

MODELS = """
[models.student]
backend = "teacher"
slip = 0.7
[models.teacher]
backend = "teacher"
"""
LAB = """
task = { name = "lab", train = 30, worked = 5, dev = 0, test = 1, levels = [1, 2] }
sample = { models = ["student"] }
"""
MAKER = f'name = "maker"\ncorrect = {{ model = "teacher" }}\narms = ["cot", "lema"]\n{LAB}{MODELS}'
USER = f'name = "user"\narms = ["cot", "lema", "step"]\n{LAB}{MODELS}'.replace("0.7", "0.7\nseed = 5")


@pytest.fixture(scope="module")
def maker(tmp_path_factory) -> Path:
    """A run whose corrections others import."""
    folder = tmp_path_factory.mktemp("maker")
    (folder / "maker.toml").write_text(MAKER)
    return run_config(str(folder / "maker.toml"), [], folder / "runs")


def _user(tmp_path: Path, text: str = USER) -> str:
    (tmp_path / "user.toml").write_text(text)
    return str(tmp_path / "user.toml")


def _kept(run: Path) -> set[tuple]:
    return {(c.question, c.step, c.explanation, c.steps)
            for c in read_rows(Correction, run / "verified/rows.jsonl") if c.verified}


def _examples(run: Path, arm: str, kind: str) -> list[tuple[str, str]]:
    return [(e.prompt, e.completion) for e in read_rows(Example, run / f"sets/{arm}/rows.jsonl") if e.kind == kind]


def test_corrections_of_another_run_become_the_same_examples(maker, tmp_path):
    config = _user(tmp_path)
    said = import_file(config, maker / "verified/rows.jsonl", "corrections", "bought", (), tmp_path / "runs")
    assert "corrections joined" in said
    run = run_config(config, [], tmp_path / "runs")
    assert _kept(run) == _kept(maker)
    assert _examples(run, "lema", "correction") == _examples(maker, "lema", "correction")
    kept = next(c for c in read_rows(Correction, run / "verified/rows.jsonl") if c.verified)
    assert (kept.model, kept.prompt.split(":")[0]) == ("teacher", "imported rows.jsonl")
    assert "imported/bought/corrections" in life_of(run, kept.id, as_json=False)


def test_prompt_and_completion_as_the_paper_trains_come_back_as_corrections(maker, tmp_path):
    rows = [{"prompt": prompt, "completion": completion}
            for prompt, completion in _examples(maker, "lema", "correction")]
    (tmp_path / "official.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = _user(tmp_path)
    import_file(config, tmp_path / "official.jsonl", "corrections", "official", (), tmp_path / "runs")
    run = run_config(config, [], tmp_path / "runs")
    assert _kept(run) == _kept(maker)


def test_paths_join_the_pool_of_mistakes_under_their_own_name(maker, tmp_path):
    paths = list(read_rows(ReasoningPath, maker / "graded/rows.jsonl"))
    questions = {q.id: q.text for q in read_rows(Question, maker / "questions/rows.jsonl")}
    (tmp_path / "mine.csv").write_text("problem,answer\n" + "".join(
        f'"{questions[path.question]}","{path.text}"\n' for path in paths))
    config = _user(tmp_path, USER.replace('arms =', 'correct = { model = "teacher" }\narms ='))
    import_file(config, tmp_path / "mine.csv", "paths", "elsewhere", ["question=problem", "path=answer"],
                tmp_path / "runs")
    theirs = 'arms={theirs = {take = "lema", change = {correction = {models = ["elsewhere"]}}}}'
    run = run_config(config, [theirs], tmp_path / "runs")
    graded = [path for path in read_rows(ReasoningPath, run / "graded/rows.jsonl") if path.model == "elsewhere"]
    assert [path.verdict for path in graded] == [path.verdict for path in paths]
    corrected = {c.path for c in read_rows(Correction, run / "corrections/rows.jsonl")}
    assert corrected & {path.id for path in graded}
    made = [e for e in read_rows(Example, run / "sets/theirs/rows.jsonl") if e.kind == "correction"]
    models = {c.id: c.path for c in read_rows(Correction, run / "verified/rows.jsonl")}
    assert made and {models[example.parent] for example in made} <= {path.id for path in graded}


def test_real_corrections_are_read_by_naming_their_columns(shared_data, tmp_path):
    rows = [json.loads(line) for line in (shared_data / "corrector_outputs/lema_real_corrections.jsonl").read_text(
        encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["task"] == "gsm8k" and row["question"]]
    (tmp_path / "real.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "q.jsonl").write_text("".join(json.dumps({
        "question": row["question"], "answer": row["gold"]["final_answer"]}) + "\n" for row in rows))
    (tmp_path / "r.jsonl").write_text("".join(json.dumps({
        "question": row["question"], "text": "The answer is 1."}) + "\n" for row in rows))
    config = _user(tmp_path, 'name = "real"\ntask = { name = "rows", train = "Q" }\nsample = { models = ["m"] }\n'
                             'models = { m = { backend = "recorded", file = "R" } }\narms = ["lema"]\n'.replace(
                                 "Q", str(tmp_path / "q.jsonl")).replace("R", str(tmp_path / "r.jsonl")))
    import_file(config, tmp_path / "real.jsonl", "corrections", "real",
                ["question=question", "path=original_solution", "correction=corrector_output"], tmp_path / "runs")
    run = run_config(config, [], tmp_path / "runs")
    kept = {c.prompt: c for c in read_rows(Correction, run / "verified/rows.jsonl") if c.verified}
    assert len(kept) >= 3
    for number, row in enumerate(rows, 1):
        if found := kept.get(f"imported real.jsonl:{number}"):
            assert found.step == row["gold"]["incorrect_step"]


def test_rows_of_other_questions_are_kept_apart_with_the_reason(maker, tmp_path):
    lines = (maker / "graded/rows.jsonl").read_text().splitlines()[:3]
    strange = json.loads(lines[1]) | {"question": "nobody asked this"}
    (tmp_path / "some.jsonl").write_text("\n".join([lines[0], json.dumps(strange), lines[2]]) + "\n")
    said = import_file(_user(tmp_path), tmp_path / "some.jsonl", "paths", "some", (), tmp_path / "runs")
    assert "2 paths joined\n  1 left out, " in said and "1 about no training question of this run" in said
    (left,) = (tmp_path / "runs/user/imports/some/left_out.jsonl").read_text().splitlines()
    assert json.loads(left) == {"place": "some.jsonl:2", "reason": "about no training question of this run",
                                "question": "nobody asked this"}


def test_an_import_makes_what_depends_on_it_stale(maker, tmp_path):
    config = _user(tmp_path, USER.replace('arms =', 'correct = { model = "teacher" }\narms ='))
    run_config(config, [], tmp_path / "runs")
    import_file("user", maker / "graded/rows.jsonl", "paths", "more", (), tmp_path / "runs")
    plan = plan_config(config, [], tmp_path / "runs")
    states = {line[9:].split()[0]: line[:8].strip() for line in plan.splitlines()[:-1]}
    assert (states["questions"], states["imported/more/paths"]) == ("done", "to do")
    assert {states["graded"], states["verified"], states["sets/lema"]} == {"stale"}


def test_what_cannot_be_imported_is_one_line(maker, tmp_path):
    config, runs = _user(tmp_path), tmp_path / "runs"
    (tmp_path / "x.jsonl").write_text('{"a": "1"}\n')
    (tmp_path / "y.jsonl").write_text('{"question": "who?", "path": "Step 1: me."}\n')
    (tmp_path / "z.jsonl").write_text('{"prompt": "Question: who?\\nSolution:\\n", "completion": "Step 1: me."}\n')
    graded = maker / "graded/rows.jsonl"
    for file, what, columns, kind, says in (
            ("none.jsonl", "paths", (), DataError, "no such file"),
            ("x.jsonl", "paths", (), DataError, "name the columns"),
            ("x.jsonl", "corections", (), ConfigError, "did you mean 'corrections'"),
            ("x.jsonl", "paths", ["question"], ConfigError, "write it as field=column"),
            ("x.jsonl", "paths", ["pth=a"], ConfigError, "did you mean 'path'"),
            ("x.jsonl", "paths", ["question=b"], DataError, r"no column 'b' among a; name it with --column quest"),
            ("y.jsonl", "paths", ["question=question"], DataError, r"none of its 1 rows can join \(1 about no"),
            ("y.jsonl", "corrections", ["path=path"], DataError, "corrections need --column correction=NAME"),
            ("z.jsonl", "corrections", (), DataError, r"\(1 no correction: its prompt does not end in"),
            (graded, "corrections", (), DataError, "import them with --as paths")):
        with pytest.raises(kind, match=says):
            import_file(config, tmp_path / file, what, "it", columns, runs)
    with pytest.raises(ConfigError, match="cannot be a folder's name"):
        import_file(config, graded, "paths", "a/b", (), runs)
    import_file(config, graded, "paths", "it", (), runs)
    with pytest.raises(RunError, match="imported already"):
        import_file(config, graded, "paths", "it", (), runs)


def test_corrections_of_answers_without_steps_join_too(tmp_path):
    question = "Where does one borrow novels? (A) bakery (B) library"
    (tmp_path / "q.jsonl").write_text(json.dumps({"question": question, "answer": "B"}) + "\n")
    (tmp_path / "c.jsonl").write_text(json.dumps({
        "question": question, "path": "Bread is borrowed at the bakery. The answer is A.",
        "correction": "Mistakes: A bakery sells bread and lends no novels.\n"
                      "Corrected Answer: Novels are lent by a library. The answer is B."}) + "\n")
    text = ('name = "user"\narms = ["lema"]\n'
            f'task = {{ name = "rows", train = "{tmp_path}/q.jsonl", answers = "text" }}\n'
            'sample = { models = ["student"] }\n[models.student]\nbackend = "recorded"\nfile = "none.jsonl"\n')
    config = _user(tmp_path, text)
    columns = ("question=question", "path=path", "correction=correction")
    import_file(config, tmp_path / "c.jsonl", "corrections", "bought", columns, tmp_path / "runs")
    (joined,) = read_rows(Correction, tmp_path / "runs/user/imports/bought/corrections.jsonl")
    assert not joined.rejected and joined.step is None
    assert joined.explanation == "A bakery sells bread and lends no novels."
    assert "The answer is B." in joined.steps[-1]
