"""The bill: every figure is what the rows and the server say, and an unknown price is never a zero."""

import json
from dataclasses import replace

import pytest

from lema.figures import cost, money
from lema.report.costs import in_words
from lema.runs.bills import Bill, Kept, Line
from tests.batch_server import BatchServer
from tests.paying import PRICES, answer, lay_out, lema
from tests.personas import OpenAI, Vllm
from tests.server import Server


def rows(folder, stage: str) -> list[dict]:
    return [json.loads(row) for row in (folder / "runs/x" / stage / "rows.jsonl").read_text().splitlines()]


def dollars(found: list[dict], input_price: float, output_price: float) -> float:
    return sum(row["prompt_tokens"] * input_price + row["tokens"] * output_price for row in found) / 1e6


def test_the_account_by_stage_model_and_kept_correction_is_what_the_rows_say(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        done = lema(tmp_path, "run", "x.toml")
        assert "✓ corrections: 12 rows in" in done.stderr and ", $" in done.stderr
        found = json.loads(lema(tmp_path, "show", "x", "--json").stdout)["cost"]
    paths = dollars(rows(tmp_path, "paths/student"), 1, 2)
    corrections = dollars(rows(tmp_path, "corrections"), 10, 20)
    each = round(sum(row["tokens"] for row in rows(tmp_path, "corrections")) / 12)
    assert [(line["stage"], line["model"]) for line in found["stages"]] == [
        ("paths/student", "student"), ("corrections", "corrector")]
    assert [line["dollars"] for line in found["stages"]] == pytest.approx([paths, corrections])
    (kept,) = found["kept_corrections"]
    assert kept["kept"] == sum(row["verified"] for row in rows(tmp_path, "verified")) == 12
    assert kept["dollars_each"] == pytest.approx(corrections / 12)
    assert kept["whole_dollars_each"] == pytest.approx((paths + corrections) / 12)
    assert sum(line["dollars"] for line in found["paid"]) == pytest.approx(paths + corrections)
    words = lema(tmp_path, "show", "x").stdout
    assert f"12 kept corrections: {each} tokens of the corrector for each" in words
    assert f"paid in all, earlier settings, pilots and failures included: {money(paths + corrections)}" in words


def test_a_stage_that_is_made_again_from_the_journal_keeps_its_cost_and_pays_nothing(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        lema(tmp_path, "run", "x.toml")
        first = json.loads(lema(tmp_path, "show", "x", "--json").stdout)["cost"]
        done = lema(tmp_path, "run", "x.toml", "--yes", "--set", "verify.checks=['answer']", "--set",
                    "correct.tokens=9999")
    assert "✓ corrections" in done.stderr and "$" not in done.stderr
    again = json.loads(lema(tmp_path, "show", "x", "--json").stdout)["cost"]
    assert again["stages"] == first["stages"] and again["paid"] == first["paid"]


def test_the_last_rows_of_a_batch_run_are_asked_online_when_the_command_says_so(tmp_path):
    more = PRICES + "[models.student.extra]\n"
    with BatchServer(answer, persona=OpenAI()) as server:
        lay_out(tmp_path, server.url, more=more, backend="batch", questions=3)
        done = lema(tmp_path, "run", "x.toml", "--online-tail", "100")
        assert done.returncode == 0, done.stderr
    assert not server.batches and len(server.online) == 10
    assert "online_tail = 100" in (tmp_path / "runs/x/config.toml").read_text()


def test_a_run_is_shown_from_a_folder_that_may_only_be_read_and_without_its_journal(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url)
        lema(tmp_path, "run", "x.toml")
    before = sorted(path.name for path in (tmp_path / "runs/x").iterdir())
    assert "paid in all" in lema(tmp_path, "show", "x").stdout
    assert sorted(path.name for path in (tmp_path / "runs/x").iterdir()) == before, "looking leaves nothing behind"
    (tmp_path / "runs/x/journal.sqlite").write_bytes(b"no journal" * 999)
    assert "12 kept corrections" in lema(tmp_path, "show", "x").stdout


@pytest.mark.parametrize(("dollars", "text"), [
    (0.0, "$0.00"), (1234.5, "$1,234.50"), (0.0042, "$0.0042"), (0.00000031, "$3.1e-07")])
def test_money_is_never_rounded_to_nothing(dollars, text):
    assert money(dollars) == text


def test_unknown_and_nothing_are_words_of_their_own():
    unknown = Line("corrections", "m", 3, 0, 10, 20, None, 30, False)
    here = Line("paths/s", "s", 3, 0, 10, 20, 0.0, 0, True)
    assert (cost(unknown), cost(here)) == ("price unknown", "nothing")
    bill = Bill((here, unknown), (here, unknown), (Kept("", 2, unknown, unknown),), (unknown,), ())
    known = replace(unknown, dollars=1.5, unknown=0)
    assert cost(replace(bill, paid=(unknown, known)).total) == "$1.50 + 30 tokens of unknown price"
    said = "\n".join(in_words(bill, stages=True))
    assert "$" not in said and said.count("price unknown") == 5
