"""The budget: never passed, stopped in one line, and gone on with by a larger one; nothing is paid twice."""

import json
import re
import threading
from collections import Counter
from types import SimpleNamespace

import pytest

from lema.config import parse_config
from lema.errors import BudgetReached, ConfigError
from lema.journal import Journal, complete
from lema.messages import Completion
from lema.records import Sampling
from lema.runs.budget import Budget, Gate, open_budget
from lema.runs.prices import HERE, Price, price_of
from tests.answering import Echo, ask
from tests.batch_server import BatchServer
from tests.paying import PRICES, answer, lay_out, lema
from tests.personas import OpenAI, Vllm
from tests.server import Server

CHEAP = Price(1.0, 1.0, "a test")  # a millionth of a dollar for each token


def small_budget(limit: float) -> Budget:
    return Budget(limit, "money", [0.0, 0.0], threading.Lock())


def config(**more):
    return parse_config({
        "name": "x", "task": {"name": "lab"}, "sample": {"models": ["m"]},
        "models": {"m": {"backend": "api", "model": "served", "base_url": "http://127.0.0.1:1/v1"},
                   "teacher": {"backend": "teacher"}}, **more}, "x")


def asked(server, model: str) -> Counter:
    return Counter(json.dumps([b["messages"], b.get("seed")]) for b in server.seen if b["model"] == model)


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def test_the_budget_is_never_passed_and_is_used_up_to_less_than_one_request(journal):
    class Telling(Echo):
        """Many in flight at once, answered in the end."""

        def complete_telling(self, requests, arrived):
            taken = list(requests)
            self.asked += taken
            for position, request in enumerate(taken):
                arrived(position, Completion(request.messages[0].content, "stop", 5, 10))
            for request in taken:
                yield Completion(request.messages[0].content, "stop", 5, 10)

    budget = small_budget(0.002)
    gate = Gate(budget, CHEAP, "corrections")
    requests = [ask(f"q{number}", sampling=Sampling(max_tokens=100)) for number in range(1000)]
    model, given = Telling(), []
    with pytest.raises(BudgetReached, match=r"corrections: the budget of \$0\.0020 has no room") as error:
        for completion in complete(journal, model, requests, gate=gate):
            given.append(completion)
    most = (4 + 16 + 100) / 1e6
    assert 0.002 - most < budget.figures[0] <= 0.002
    assert budget.figures[0] == pytest.approx(15 * len(model.asked) / 1e6)
    assert budget.figures[1] == pytest.approx(0)
    assert len(given) == len(model.asked) and "\n" not in str(error.value)


def test_what_other_processes_have_in_flight_is_waited_for_before_giving_up(journal, monkeypatch):
    budget = small_budget(0.001)
    other = Gate(budget, CHEAP, "elsewhere")
    assert other.admits(ask("q", sampling=Sampling(max_tokens=950)), True)
    waits = []

    def sleep(seconds: float) -> None:
        """The other process is answered while this one waits for the third time."""
        waits.append(seconds)
        if len(waits) == 3:
            other.back(ask("q", sampling=Sampling(max_tokens=950)), Completion("a"))

    monkeypatch.setattr("lema.runs.budget.time", SimpleNamespace(sleep=sleep))
    gate = Gate(budget, CHEAP, "here")
    assert len(list(complete(journal, Echo(), [ask("p", sampling=Sampling(max_tokens=500))], gate=gate))) == 1
    assert len(waits) == 3


def test_what_is_in_flight_when_a_stage_fails_counts_as_spent():
    budget = small_budget(1.0)
    gate = Gate(budget, CHEAP, "here")
    gate.admits(ask("q", sampling=Sampling(max_tokens=83)), True)
    gate.close()
    assert budget.figures == pytest.approx([100 / 1e6, 0.0])


def test_prices_come_from_the_config_then_from_the_list_and_are_unknown_else():
    own = config(prices={"served": {"input": 1.5, "output": 6}})
    assert price_of(own, "m") == Price(1.5, 6, "the config")
    listed = price_of(config(prices={"served": "openai/gpt-4o-mini"}), "m")
    assert (listed.input, listed.output) == (0.15, 0.6) and "openai/gpt-4o-mini" in listed.source
    assert price_of(config(), "m") is None
    assert price_of(config(), "teacher") is HERE and "costs nothing" in HERE.source
    real = {"backend": "api", "model": "gpt-4o-mini", "base_url": "https://api.openai.com/v1"}
    assert price_of(config(models={"m": real}), "m").input == 0.15
    assert price_of(config(models={"m": real | {"model": "no-such-model"}}), "m") is None


@pytest.mark.parametrize(("table", "says"), [
    ({"budget": {"money": 1, "tokens": 1}}, "budget: give either money or tokens"),
    ({"budget": {"money": -1}}, "budget.money"),
    ({"budget": {"mony": 1}}, "unknown key; did you mean 'money'"),
    ({"prices": {"m": {"input": 1}}}, "prices.m"),
    ({"prices": {"m": "gpt"}}, "prices.m"),
])
def test_a_wrong_table_is_one_clear_line(table, says):
    with pytest.raises(ConfigError, match=says) as error:
        config(**table)
    assert "\n" not in str(error.value)


def test_a_reply_of_a_model_without_a_known_price_stops_a_money_budget_at_once(journal):
    list(complete(journal, Echo("gone"), [ask("q")]))
    known, cheap = {"served": {"input": 1, "output": 1}}, {"input": 1, "output": 2}
    with pytest.raises(ConfigError, match=r"the price of model 'm' is not known; add a \[prices"):
        open_budget(config(budget={"money": 1.0}), journal)
    with pytest.raises(ConfigError, match=r"replies of 'gone', whose price is not known; add \[prices"):
        open_budget(config(budget={"money": 1.0}, prices=known), journal)
    assert open_budget(config(budget={"tokens": 100}), journal).figures[0] == 7
    priced = config(budget={"money": 1.0}, prices=known | {"gone": cheap})
    assert open_budget(priced, journal).figures[0] == pytest.approx((3 * 1 + 4 * 2) / 1e6)


def test_a_run_stops_at_its_budget_and_a_larger_one_goes_on_without_asking_anything_again(tmp_path):
    with Server(answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=PRICES + "[budget]\nmoney = 0.06\n", questions=20)
        done = lema(tmp_path, "run", "x.toml")
        assert done.returncode == 2
        said = done.stderr.splitlines()[-1]
        assert re.search(r"corrections: the budget of \$0\.0600 has no room .*--set budget\.money", said), said
        spent = json.loads(lema(tmp_path, "journal", "stats", "x", "--json").stdout)["models"]
        assert 0 < sum(model["dollars"] for model in spent.values()) <= 0.06
        assert spent["large"]["replies"] > 0, "what fitted was asked"
        first = len(server.seen)
        assert "to do    corrections" in lema(tmp_path, "plan", "x.toml").stdout
        plan = lema(tmp_path, "plan", "x.toml", "--set", "budget.money=5")
        assert "0 stale" in plan.stdout, "a budget is outside fingerprints"
        assert lema(tmp_path, "run", "x.toml").returncode == 2
        assert len(server.seen) == first
        assert lema(tmp_path, "run", "x.toml", "--set", "budget.money=5").returncode == 0
        assert max(asked(server, "small").values()) == max(asked(server, "large").values()) == 1


def test_workers_share_one_budget(tmp_path):
    more = PRICES + '[models.other]\nbackend = "api"\nmodel = "other"\nbase_url = "{url}"\n'
    more += "[machine]\nworkers = 2\n"
    with Server(answer, seconds=lambda body: 0.02, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=more.replace("{url}", server.url), questions=60)
        done = lema(tmp_path, "run", "x.toml", "--set", "sample.models=['student','other']",
                    "--set", "budget={tokens=4500}")
        assert done.returncode == 2 and "has no room" in done.stderr.splitlines()[-1]
        found = json.loads(lema(tmp_path, "journal", "stats", "x", "--json").stdout)["models"]
    spent = sum(model["tokens"] + model["prompt_tokens"] for model in found.values())
    assert 4500 - 700 < spent <= 4500, "less than one request is left"
    assert set(found) <= {"small", "other"}, "how they share it is theirs: the first may have spent it all"


def test_a_model_of_unknown_price_is_refused_under_a_budget_in_money(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1", more="[budget]\nmoney = 1\n")
    done = lema(tmp_path, "run", "x.toml")
    assert done.returncode == 2
    assert "the price of model 'student' is not known" in done.stderr
    assert "✓" not in done.stderr, "before anything is done"


def test_batches_cost_half_and_are_counted_so(tmp_path):
    with BatchServer(answer, persona=OpenAI()) as server:
        lay_out(tmp_path, server.url, backend="batch")
        done = lema(tmp_path, "run", "x.toml", "--set", "models.student.poll=0.01", "--set",
                    "models.corrector.poll=0.01")
        assert done.returncode == 0, done.stderr
        found = json.loads(lema(tmp_path, "journal", "stats", "x", "--json").stdout)["models"]["large"]
    assert found["dollars"] == pytest.approx((10 * found["prompt_tokens"] + 20 * found["tokens"]) / 2e6)
