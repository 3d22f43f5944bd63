"""What a server says that it cost: checked when it arrives, reckoned where it cannot be true, never a way past a
budget; and what is set aside is what is really sent."""

import json
import sqlite3

import pytest

from lema.errors import BudgetReached, ConfigError, ModelError
from lema.journal import Journal, complete
from lema.journal.usage import CEILING
from lema.messages import Completion
from lema.records import Sampling
from lema.runs.budget import Gate, open_budget
from tests.answering import Echo, ask
from tests.models.api.calling import DRAWN, model_at
from tests.paying import PRICES, lay_out, lema
from tests.paying import answer as paid_answer
from tests.personas import Vllm
from tests.runs.test_budget import CHEAP, config, small_budget
from tests.server import Fault, Server, last_message, recorded, refusal

BUDGET = 0.06
FALSE = {
    "negative": lambda body, usage: {"prompt_tokens": -50, "completion_tokens": -500},
    "negative in part": lambda body, usage: usage | {"prompt_tokens": -10_000},
    "nothing": lambda body, usage: None,
    "null": lambda body, usage: {"prompt_tokens": None, "completion_tokens": None},
    "empty": lambda body, usage: {},
    "a list": lambda body, usage: [usage],
    "half": lambda body, usage: {"prompt_tokens": usage["prompt_tokens"]},
    "zero": lambda body, usage: dict.fromkeys(usage, 0),
    "strings": lambda body, usage: {name: str(count) for name, count in usage.items()},
    "floats": lambda body, usage: {name: count / 1e9 for name, count in usage.items()},
    "not a number": lambda body, usage: dict.fromkeys(usage, float("nan")),
    "true": lambda body, usage: dict.fromkeys(usage, True),
    "nested": lambda body, usage: {"prompt_tokens": {"prompt_tokens": 0}, "completion_tokens": [0]},
    "10**30": lambda body, usage: dict.fromkeys(usage, 10**30),
    "9*10**18": lambda body, usage: dict.fromkeys(usage, 9 * 10**18),
    "in other words": lambda body, usage: {"input_tokens": -1, "output_tokens": 0}}


def dollars(cost: dict[str, list[int]]) -> float:
    """What the words that were read and written cost at the prices of tests/paying.py."""
    small, large = cost["small"], cost["large"]
    return (small[0] + 2 * small[1] + 10 * large[0] + 20 * large[1]) / 1e6


def counted(folder, **options) -> dict:
    return json.loads(lema(folder, "journal", "stats", "x", "--json").stdout)["models"]


@pytest.mark.parametrize("kind", FALSE)
def test_no_false_usage_defeats_a_budget_or_ends_a_run_and_the_journal_says_so(tmp_path, kind):
    with Server(paid_answer, usage=FALSE[kind], persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=PRICES + f"[budget]\nmoney = {BUDGET}\n", questions=20)
        done = lema(tmp_path, "run", "x.toml")
        assert done.returncode == 2 and "has no room" in done.stderr.splitlines()[-1], done.stderr
        assert 0 < dollars(server.cost) <= BUDGET
        models = counted(tmp_path)
        assert dollars(server.cost) <= sum(model["dollars"] for model in models.values()) <= BUDGET
        assert all(model["reckoned"] > 0 for model in models.values())
        assert lema(tmp_path, "run", "x.toml").returncode == 2, "nor is a later run ended by it"
        assert lema(tmp_path, "run", "x.toml", "--set", "budget.money=50").returncode == 0
    assert "reckoned from the text, on the high side" in lema(tmp_path, "journal", "stats", "x").stdout
    assert "reckoned from the text, on the high side" in lema(tmp_path, "show", "x").stdout


def test_honest_usage_is_taken_as_it_is(tmp_path):
    with Server(paid_answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=5)
        assert lema(tmp_path, "run", "x.toml").returncode == 0
        models = counted(tmp_path)
    assert {name: [use["prompt_tokens"], use["tokens"]] for name, use in models.items()} == server.cost
    assert not any(use["reckoned"] for use in models.values())


@pytest.mark.parametrize("figures", [(-3, 5), (3, -5), (10**30, 5), (3, 9 * 10**18), (1.5, 2), ("3", None)])
def test_figures_that_a_backend_makes_up_are_never_kept_as_they_are(tmp_path, figures):
    class Wrong(Echo):
        def answer(self, request):
            return Completion("four words of it", "stop", *figures)

    with Journal(tmp_path / "journal.sqlite") as journal:
        (completion,) = complete(journal, Wrong(), [ask("q")])
        assert completion.reckoned
        assert 0 <= completion.prompt_tokens <= CEILING and 0 <= completion.tokens <= CEILING
        assert list(complete(journal, Echo("never asked"), [])) == []
        assert list(complete(journal, Wrong(), [ask("q")])) == [completion]


def test_what_an_older_journal_believed_neither_gives_money_back_nor_ends_a_run(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as journal:
        list(complete(journal, Echo("served"), [ask(f"q{number}") for number in range(3)]))
    with sqlite3.connect(tmp_path / "journal.sqlite") as older:
        older.execute("UPDATE completions SET checksum = NULL")
        older.execute("PRAGMA user_version = 3")
        older.execute("UPDATE completions SET prompt_tokens = -10000 WHERE rowid = 1")
        older.execute("UPDATE completions SET tokens = 9000000000000000000 WHERE rowid > 1")
    older.close()
    with Journal(tmp_path / "journal.sqlite") as journal:
        ((_, replies, prompts, tokens, *_),) = journal.spent()
        assert (replies, prompts, tokens) == (3, 6, 4 + 2 * CEILING)
        again = complete(journal, Echo("served"), [ask("q0"), ask("q1")])
        assert all(0 <= kept.tokens <= CEILING for kept in again)


@pytest.mark.parametrize(("extra", "writes"), [
    ({"max_tokens": 400}, 300), ({"max_completion_tokens": 400}, 300), ({"best_of": 8}, 40)])
def test_what_extra_fields_allow_is_set_aside(tmp_path, extra, writes):
    def long_answer(body, choice):
        return " ".join([paid_answer(body, choice), *["more"] * (writes - 20)])

    cost = []

    def usage(body, usage):
        """Of the best of several all are paid."""
        several = body.get("best_of", 1) / body.get("n", 1) if "best_of" in body else 1
        wrote = int(usage["completion_tokens"] * several)
        cost.append(usage["prompt_tokens"] + wrote)
        return usage | {"completion_tokens": wrote}

    toml = "{ " + ", ".join(f"{name} = {value}" for name, value in extra.items()) + " }"
    with Server(long_answer, usage=usage, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, questions=30)
        done = lema(tmp_path, "run", "x.toml", "--set", "budget={tokens=9000}", "--set",
                    f"models.student.extra={toml}")
        models = counted(tmp_path)
    spent = sum(model["prompt_tokens"] + model["tokens"] for model in models.values())
    assert done.returncode == 2 and "has no room" in done.stderr
    assert sum(cost) == spent <= 9000


def test_replies_that_nothing_bounds_are_refused_under_a_budget_in_one_line(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1", more=PRICES + "[budget]\nmoney = 1\n")
    omitted = ["--set", "models.student.omit=['max_tokens']"]
    done = lema(tmp_path, "run", "x.toml", *omitted)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert [line.startswith("lema: ") for line in done.stderr.splitlines()][-2:] == [False, True]
    assert "nothing bounds the replies of model 'student'" in done.stderr and "max_tokens_field" in done.stderr
    with Server(paid_answer, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, more=PRICES + "[budget]\nmoney = 1\n")
        limited = [*omitted, "--set", "models.student.extra={max_completion_tokens=50}"]
        assert lema(tmp_path, "run", "x.toml", *limited).returncode == 0


@pytest.mark.parametrize("limit", ['max_tokens="400"', "max_tokens=0", "max_tokens=-1", "max_tokens=1.5",
                                   "max_tokens=true", "max_completion_tokens=[400]", "n_predict=-1"])
def test_a_limit_that_is_none_is_refused_under_a_budget_in_one_line(tmp_path, limit):
    lay_out(tmp_path, "http://127.0.0.1:9/v1", more=PRICES + "[budget]\nmoney = 1\n")
    done = lema(tmp_path, "run", "x.toml", "--set", f"models.student.extra={{{limit}}}")
    assert done.returncode == 2 and "nothing bounds the replies of model 'student'" in done.stderr


@pytest.mark.parametrize("several", ['"8"', "0", "-3", "true", "2.0"])
def test_replies_that_are_paid_for_are_a_whole_number(tmp_path, several):
    lay_out(tmp_path, "http://127.0.0.1:9/v1")
    done = lema(tmp_path, "plan", "x.toml", "--set", f"models.student.extra={{best_of={several}}}")
    assert done.returncode == 2 and "best_of must be a whole number above 0" in done.stderr


def test_a_served_model_without_a_name_which_no_bill_could_bear_is_refused(tmp_path):
    lay_out(tmp_path, "http://127.0.0.1:9/v1")
    done = lema(tmp_path, "plan", "x.toml", "--set", 'models.student.model=""')
    assert done.returncode == 2 and "models.student" in done.stderr


def test_a_schema_and_every_other_field_that_is_sent_are_set_aside(tmp_path):
    with Server(persona=Vllm()) as server:
        plain, request = model_at(server), ask("q", 0, DRAWN)
        schema = {"type": "object", "description": "long " * 4000}
        assert model_at(server, json_schema=schema).most(request).prompt_tokens > 20_000
        assert model_at(server, extra={"tools": ["long " * 4000]}).most(request).prompt_tokens > 20_000
        assert plain.most(request).tokens >= 50 and plain.most(request).prompt_tokens < 1000
        assert model_at(server, extra={"max_tokens": 700}).most(request).tokens >= 700
        assert model_at(server, omit=["max_tokens"]).most(request).tokens is None


def test_a_probe_is_small_and_counted_in_purse_and_journal(tmp_path):
    fault = refusal(400, "this row is refused")
    with (Server(recorded({"Hi": "Hello there, " * 40, "bad": ""}), persona=Vllm(),
                 fault=lambda number, body: fault if last_message(body) == "bad" else None) as server,
          Journal(tmp_path / "journal.sqlite") as journal):
        model, budget = model_at(server, max_tokens_field="max_completion_tokens"), small_budget(1.0)
        gate = Gate(budget, CHEAP, "here", most=model.most)
        given = list(complete(journal, model, [ask("bad", sampling=Sampling(max_tokens=4096))], gate=gate))
        assert [completion.finish for completion in given] == ["error: 400 this row is refused"]
        assert [body["max_completion_tokens"] for body in server.seen] == [4096, 16]
        ((_, _, prompts, tokens, *_),) = journal.spent()
        assert [prompts, tokens] == server.cost["m"] == [1, 16]
        assert budget.figures == pytest.approx([17 / 1e6, 0])


def test_a_probe_that_is_refused_for_asking_so_little_was_read(tmp_path):
    def fault(number, body):
        small = "Could not finish the message because max_tokens or model output limit was reached."
        return refusal(400, small if last_message(body) == "Hi" else "too long for me")

    with Server(fault=fault, persona=Vllm()) as server:
        (answer,) = model_at(server).complete([ask("q")])
    assert answer.finish == "error: 400 too long for me"


@pytest.mark.parametrize(("body", "ends"), [
    ('{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 90}}', "has no room"),
    ('{"choices": null, "usage": {"prompt_tokens": -1, "completion_tokens": "90"}}', "has no room"),
    ('{"choices": [{"mess' + 300 * ".", "no answer for 0.2 s")])
def test_tries_that_answer_nothing_are_counted_and_no_way_past_a_budget(tmp_path, body, ends, monkeypatch):
    monkeypatch.setattr("lema.models.api.retrying.FIRST_PAUSE", 0.001)
    charged = Fault(body=body)
    with (Server(fault=lambda number, asked: charged, persona=Vllm()) as server,
          Journal(tmp_path / "j") as journal):
        model, budget = model_at(server, concurrency=2, retries=5, patience=0.2), small_budget(0.0015)
        requests = [ask(f"{number}", sampling=Sampling(max_tokens=100)) for number in range(50)]
        gate = Gate(budget, CHEAP, "here", most=model.most)
        rows = []
        with pytest.raises((BudgetReached, ModelError), match=ends):
            for completion in complete(journal, model, requests, gate=gate):
                rows.append(completion)
        gate.close()
        assert all(row.failed for row in rows)
        assert 0 < budget.figures[0] <= 0.0015 and budget.figures[1] == pytest.approx(0)
        ((_, replies, prompts, tokens, *_),) = journal.spent()
        cut_off = ends != "has no room"  # when the run ends, up to two tries are under way
        assert replies >= len(server.seen) + len(rows) - 2 * cut_off, "each try, and each row that failed"
        assert cut_off or (prompts + tokens) / 1e6 == pytest.approx(budget.figures[0])


def test_a_model_that_the_budget_may_not_ask_without_a_limit_is_refused_before_anything_is_done(tmp_path):
    unbounded = {"backend": "api", "model": "served", "base_url": "http://127.0.0.1:1/v1", "omit": ["max_tokens"]}
    with Journal(tmp_path / "journal.sqlite") as journal, pytest.raises(ConfigError, match=r"nothing bounds"):
        open_budget(config(models={"m": unbounded}, budget={"tokens": 100}), journal)
