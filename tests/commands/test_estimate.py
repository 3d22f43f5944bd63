"""The estimate: near what the run then costs, with a range that holds it, and its pilot is not paid again."""

import json
from collections import Counter

import pytest

from lema.statistics import wilson
from tests.paying import PRICES, answer, lay_out, lema
from tests.personas import Vllm
from tests.server import Server, last_message


def asked(server) -> Counter:
    return Counter(json.dumps([b["model"], b["messages"], b.get("seed")]) for b in server.seen)


def test_a_pilot_tells_what_the_run_will_cost_and_is_not_paid_again(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=80)
        found = json.loads(lema(tmp_path, "estimate", "x.toml", "--questions", "10", "--json").stdout)
        pilot = len(server.seen)
        assert {one["stage"] for one in found} == {"paths/student", "corrections"}
        assert lema(tmp_path, "estimate", "x.toml", "--json").stdout and len(server.seen) == pilot
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        assert max(asked(server).values()) == 1, "the pilot's replies are the run's"
    shown = json.loads(lema(tmp_path, "show", "x", "--json").stdout)["cost"]["stages"]
    real = {line["stage"]: line for line in shown}
    for one in found:
        stage = real[one["stage"]]
        assert one["dollars_low"] <= stage["dollars"] <= one["dollars_high"]
        assert one["dollars"] == pytest.approx(stage["dollars"], rel=0.3)
        assert one["replies"] == pytest.approx(stage["replies"], rel=0.3)


def test_a_token_budget_caps_the_estimate(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=80)
        (found,) = [one for one in json.loads(lema(
            tmp_path, "estimate", "x.toml", "--set", "correct.tokens=100", "--json").stdout)
            if one["stage"] == "corrections"]
        assert found["tokens"] <= 100


def test_what_no_pilot_question_needed_is_told_with_what_it_may_cost_at_most(tmp_path):
    def good(body: dict, choice: int) -> str:
        """Wrong about the number 61 alone, which no pilot of ten sees."""
        number = int(last_message(body).rsplit("What is ", 1)[1].split()[0])
        return answer(body, choice) if number == 61 or body["model"] == "large" else (
            f"Step 1: As before.\nStep 2: The answer is {2 * number}.")

    with Server(good, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=80)
        (found,) = [one for one in json.loads(lema(tmp_path, "estimate", "x.toml", "--json").stdout)
                    if one["stage"] == "corrections"]
        assert (found["replies"], found["dollars"], found["dollars_low"]) == (0, 0, 0)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
    (paid,) = [line for line in json.loads(lema(tmp_path, "show", "x", "--json").stdout)["cost"]["stages"]
               if line["stage"] == "corrections"]
    assert 0 < paid["dollars"] < found["dollars_high"] < 100 * paid["dollars"]


def test_the_range_reaches_to_as_many_as_may_need_a_stage():
    from lema.commands.estimate.pilot import _interval

    assert _interval([100], 10)[1] == pytest.approx(10 * wilson(1, 10).high)
    assert _interval([100, 110] * 5, 10)[1] == pytest.approx(1.036, abs=1e-3)  # t(9) * 5.27 / sqrt(10) / 105
    assert _interval([], 10) == (0.0, 2.0)


def test_given_averages_need_no_pilot(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1", questions=80)
    given = ("--prompt-tokens", "100", "--tokens", "20", "--wrong", "0.25")
    done = lema(tmp_path, "estimate", "x.toml", *given, "--set", "correct.tries=2", "--json")
    found = {one["stage"]: one for one in json.loads(done.stdout)}
    paths, corrections = found["paths/student"], found["corrections"]
    assert found["try-1/corrections"]["replies"] == 40
    assert (paths["replies"], paths["tokens"]) == (160, 3200)
    assert paths["dollars"] == pytest.approx((160 * 100 * 1 + 3200 * 2) / 1e6)
    assert corrections["replies"] == 40
    assert corrections["dollars"] == pytest.approx((40 * 100 * 10 + 40 * 20 * 20) / 1e6)
    assert paths["dollars_low"] < paths["dollars"] < paths["dollars_high"]


CLUSTER = """
[cluster]
nodes = 2
cards = 4
dollars = 3.0
replies_per_s = 8.0
[models.student]
cards = 2
prompt_tokens_per_s = 100.0
tokens_per_s = 10.0
measured = "by a test, which made it up"
"""


def on_cluster(folder, text: str):
    (folder / "cluster.toml").write_text(text)
    given = ("--prompt-tokens", "100", "--tokens", "20", "--wrong", "0.25")
    return lema(folder, "estimate", "x.toml", *given, "--cluster", "cluster.toml")


def test_a_cluster_of_measured_rates_turns_tokens_into_hours_and_money_of_cards(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1", questions=80)
    out = on_cluster(tmp_path, CLUSTER).stdout
    # 160 replies: (16,000 / 100 + 3,200 / 10) s of one engine of two cards, of which there are four
    (row,) = [line.split() for line in out.splitlines() if line.startswith("paths/student (student)")]
    assert row[2:] == ["0.03", "0.3", "$0.80", "1"]
    assert "without a rate, and not in this table: corrector" in out
    assert "student: by a test, which made it up" in out
    assert "first to give way: the driver" in out and "(17%), and all of it at 12 nodes" in out


@pytest.mark.parametrize(("old", "new", "says"), [
    ("cards = 2", "cards = 8", "an engine lies within one node"), ("measured =", "# measured =", "measured"),
    ("dollars", "dolars", "did you mean 'dollars'?"), ("[cluster]", "[cluster", "cannot be read")])
def test_a_plan_without_its_sources_or_with_impossible_sizes_is_refused(tmp_path, old, new, says):
    lay_out(tmp_path, "http://127.0.0.1:9/v1", questions=80)
    done = on_cluster(tmp_path, CLUSTER.replace(old, new))
    assert done.returncode == 2 and says in done.stderr


def test_an_unknown_price_stays_unknown_and_the_tokens_are_told(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=PRICES.split("[prices.large]")[0], questions=20)
        said = lema(tmp_path, "estimate", "x.toml").stdout
    assert "what corrector will cost: the price is not known; add a [prices] table" in " ".join(said.split())
    costs = said.split("What it will cost", 1)[1]
    line = next(line for line in costs.splitlines() if line.startswith("corrections"))
    assert " unknown " in line and "$" not in line


def test_what_runs_here_costs_nothing_and_says_so(tmp_path):
    said = lema(tmp_path, "estimate", "tiny", "--prompt-tokens", "50", "--tokens", "30")
    assert said.returncode == 0, said.stderr
    costs = said.stdout.split("What it will cost", 1)[1].splitlines()
    assert sum(" nothing" in line for line in costs if ": teacher " in line) >= 5
    assert all(" nothing" in line for line in costs if ": teacher " in line)
    assert max(map(len, said.stdout.splitlines())) <= 80
    assert "in all: $0.00" in said.stdout
