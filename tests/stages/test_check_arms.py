"""What arms cannot do without: critiques are bought where an arm takes them, and nowhere else."""

import json
import shutil

import pytest

from lema.commands.run_folder import stages_of
from lema.config import parse_config
from lema.errors import ConfigError
from lema.records import Account, Critique, Example, read_rows
from tests import paying, toys
from tests.paying import PRICES, lay_out, lema
from tests.personas import Vllm
from tests.server import Server, last_message

CONFIG = {"name": "x", "task": {"name": "lab"}, "sample": {"models": ["a"]},
          "models": {"a": {"backend": "teacher"}, "b": {"backend": "teacher"}},
          "correct": {"model": "b", "tokens": 9}, "evolve": {"grown": {"model": "b", "seeds": 3}}}


def _planned(folder, **changes):
    return stages_of(folder, parse_config(CONFIG | changes, "x"))


def test_critiques_are_bought_where_an_arm_takes_them_and_change_no_other_stage(tmp_path):
    without, with_ = _planned(tmp_path, arms=["cot", "lema"]), _planned(tmp_path, arms=["cot", "lema", "cft"])
    assert set(with_) - set(without) == {"critiques/right", "critiques/wrong", "sets/cft"}
    changed = {name for name, stage in without.items() if stage.fingerprint != with_[name].fingerprint}
    assert changed == {"accounts"}
    arms = {"a": {"take": [{"kind": "critique", "of": ["right"], "round": "grown"}]}}
    assert {name for name in _planned(tmp_path, arms=arms) if "critiques" in name} == {"grown/critiques/right"}
    assert not any("critiques" in name for name in _planned(tmp_path, critique={"model": "b"}, arms=["cot"]))


def test_the_corrector_judges_with_its_own_budget_unless_a_table_says_otherwise(tmp_path):
    lent = _planned(tmp_path, arms=["cft"])["critiques/wrong"]
    assert (lent.settings.model, lent.settings.tokens, lent.settings.of) == ("b", 9, "wrong")
    own = _planned(tmp_path, arms=["cft"], critique={"model": "a", "per_question": 3})["critiques/wrong"]
    assert (own.settings.model, own.settings.tokens, own.settings.per_question) == ("a", None, 3)
    with pytest.raises(ConfigError, match=r"critique.model = 'c' is no \[models.X\]"):
        _planned(tmp_path, critique={"model": "c"})
    with pytest.raises(ConfigError, match=r"arms.cft.take: kind 'critique' needs a \[critique\] table, or"):
        _planned(tmp_path, correct=None, evolve={}, arms=["cft"])


def answer(body: dict, choice: int) -> str:
    """As tests.paying; the critic is wrong about number 4, never comes to an end about 5, and right otherwise."""
    reply_text = last_message(body)
    if not reply_text.endswith("Critique:"):
        return paying.answer(body, choice)
    question_text = reply_text.rpartition("Question: ")[2]
    number = int(question_text.split()[2])
    if number == 5:
        return "Step 1: Let me see."
    right = f"The answer is {2 * number}." in question_text and number != 4
    reply_text = "It holds.\nConclusion: right" if right else "It fails.\nConclusion: wrong\nIncorrect Step: 2"
    return f"Step 1: {reply_text}"


def test_a_run_over_http_buys_trains_on_counts_and_exports_critiques_without_any_correction(tmp_path):
    base = toys.reader(tmp_path / "base")
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=12, more=f"""
{PRICES}
[critique]
model = "corrector"
max_tokens = 60
[arms.own]
take = [{{ kind = "cot", source = "sampled" }}]
[arms.cft]
[arms.agreeing]
take = [{{ kind = "critique", of = ["right"], filter = "agreeing" }}]
[train]
base = "{base}"
seeds = [1]
budget = {{ steps = 1 }}
max_length = 4096
[evaluate]
split = "train"
limit = 1
max_tokens = 4
""")
        config = (tmp_path / "x.toml").read_text()
        correct = '[correct]\nmodel = "corrector"\nmax_tokens = 60\n'
        assert correct in config
        (tmp_path / "x.toml").write_text(config.replace(correct, ""))
        guess = json.loads(lema(tmp_path, "estimate", "x.toml", "--questions", "6", "--json").stdout)
        ran = lema(tmp_path, "run", "x.toml")
        assert ran.returncode == 0, ran.stderr
        requests = len(server.seen)
        shutil.rmtree(tmp_path / "runs/x/critiques/wrong")
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        assert len(server.seen) == requests, "the journal has every critique"
    run = tmp_path / "runs/x"
    rows = {of: list(read_rows(Critique, run / f"critiques/{of}/rows.jsonl")) for of in ("right", "wrong")}
    assert {of: (len(some), sum(row.said == of for row in some)) for of, some in rows.items()} == {
        "right": (6, 5), "wrong": (6, 5)}
    assert [row.rejected for row in rows["wrong"] if row.said is None] == ["unreadable: no conclusion"]
    made = {arm: list(read_rows(Example, run / f"sets/{arm}/rows.jsonl")) for arm in ("cft", "agreeing")}
    assert {arm: len(some) for arm, some in made.items()} == {"cft": 11, "agreeing": 5}
    bills = {row.arm: row.teacher_tokens for row in read_rows(Account, run / "accounts/rows.jsonl")}
    cost = {of: sum(row.tokens for row in some) for of, some in rows.items()}
    assert bills == {"own": 0, "cft": cost["right"] + cost["wrong"], "agreeing": cost["right"]}
    assert {row["stage"]: row["replies"] for row in guess} == {
        "paths/student": 24, "critiques/right": 6, "critiques/wrong": 6}
    given = ("--prompt-tokens", "9", "--tokens", "9", "--wrong", "0.25", "--json")
    counted = json.loads(lema(tmp_path, "estimate", "x.toml", *given).stdout)
    by_stage = {row["stage"]: row["replies"] for row in counted}
    assert (by_stage["critiques/right"], by_stage["critiques/wrong"]) == (12, 6), "one of a question at most"
    _shown(tmp_path, rows, made["cft"][0])


def _shown(home, rows, example):
    shown = json.loads(lema(home, "show", "x", "--json").stdout)
    bill = {row["stage"]: row for row in shown["cost"]["stages"]}
    assert all(bill[f"critiques/{of}"]["tokens"] == sum(row.tokens for row in some) and
               bill[f"critiques/{of}"]["dollars"] > 0 for of, some in rows.items())
    funnels = {row["name"]: [(stage["count"], [loss["reason"] for loss in stage["losses"]])
                             for stage in row["stages"]] for row in shown["funnels"]}
    assert funnels["The questions of the task: critiques of wrong paths"] == [
        (12, []), (6, ["not asked for (limit, budget, or another model's)"]), (5, ["unreadable: no conclusion"]),
        (5, [])]
    page = (home / "runs/x/report/report.html").read_text()
    assert "critiques of right paths" in page and "5 of them agreeing with the grader" in page
    life = json.loads(lema(home, "show", "x", example.id, "--json").stdout)
    assert example.parent in [row["id"] for name in life if name.startswith("critiques/") for row in life[name]]
    lema(home, "export", "x", "--out", "out", "--arm", "cft")
    from pyarrow import parquet

    rows = parquet.read_table(home / "out/cft/train.parquet").to_pylist()
    (row,) = (row for row in rows if row["id"] == example.id)
    assert (row["writer"], row["judged_model"], row["mistake"]) == ("corrector", "student", None)
    assert row["judged_verdict"] == example.source
    assert "| corrector | api large | critiques | not stated |" in (home / "out/README.md").read_text()
