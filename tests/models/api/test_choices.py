"""Paths of one prompt asked together: the prompt is paid once, and each path is still a row of its own."""

import json

import pytest

from lema.journal import Journal, complete
from tests.answering import ask
from tests.models.api.calling import DRAWN, asked, model_at
from tests.server import BROKEN, CUT, NO_CHOICES, Fault, refusal

PATHS = [ask(f"q{question}", index, DRAWN) for question in range(5) for index in range(4)]


@pytest.fixture
def singly(server):
    """What comes out when every path is asked on its own."""
    answers = list(model_at(server, n=1).complete(PATHS))
    assert len(server.seen) == 20 and len({answer.text for answer in answers}) == 20
    server.begin()
    return [answer.text for answer in answers]


def texts(answers) -> list[str]:
    return [answer.text for answer in answers]


def test_a_prompt_is_sent_and_paid_once_for_all_its_paths(server, singly):
    answers = list(model_at(server).complete(PATHS))
    assert [body["n"] for body in server.seen] == [4] * 5
    assert texts(answers) == singly
    assert [answer.prompt_tokens for answer in answers] == [1, 0, 0, 0] * 5


def test_no_more_are_asked_together_than_the_config_says(server, singly):
    assert texts(model_at(server, n=3).complete(PATHS)) == singly
    assert sorted(body.get("n", 1) for body in server.seen) == [1] * 5 + [3] * 5


def test_greedy_paths_and_other_prompts_are_never_asked_together(server):
    list(model_at(server).complete([ask("q", index) for index in range(3)]))
    list(model_at(server).complete([ask("q", 0, DRAWN), ask("r", 1, DRAWN), ask("r", 3, DRAWN)]))
    assert len(server.seen) == 6 and not any("n" in body for body in server.seen)


@pytest.mark.parametrize("gives", [
    lambda number, body: Fault(choices=1),
    lambda number, body: Fault(choices=min(2, body.get("n", 1))),
    lambda number, body: Fault(choices=3) if number % 2 else None,
    lambda number, body: Fault(choices=7),
    lambda number, body: refusal(400, "n must be 1") if body.get("n", 1) > 1 else None,
    lambda number, body: NO_CHOICES if number % 3 == 0 else None,
    lambda number, body: (BROKEN, None, CUT, None)[number % 4]],
    ids=["one", "two", "now and then three", "too many", "refuses n", "none at times", "faults"])
def test_whatever_a_server_makes_of_n_every_path_comes_once(server, singly, gives):
    server.begin(fault=gives)
    assert texts(model_at(server).complete(PATHS)) == singly


def test_a_server_that_ignores_n_is_soon_asked_one_by_one(server):
    server.begin(fault=lambda number, body: Fault(choices=1))
    model = model_at(server, concurrency=1)
    assert len(list(model.complete(PATHS))) == 20
    assert len(server.seen) == 20, "a choice that was missing is asked for, one that came is not"
    assert sum(body.get("n", 1) > 1 for body in server.seen) == 2
    list(model.complete(PATHS))
    assert sum(body.get("n", 1) > 1 for body in server.seen) == 2, "it is remembered"


def test_a_server_that_refuses_n_is_not_asked_for_it_again_and_a_bad_row_stays_one(server):
    server.begin(fault=lambda number, body: refusal(400, "n must be 1") if body.get("n", 1) > 1 else None)
    model = model_at(server, concurrency=1)
    assert not any(answer.failed for answer in model.complete(PATHS))
    assert sum(body.get("n", 1) > 1 for body in server.seen) <= 2
    server.begin(fault=lambda number, body: refusal(400, "too long") if "q1" in str(body) else None)
    answers = list(model_at(server).complete(PATHS))
    assert [answer.finish for answer in answers] == ["stop"] * 4 + ["error: 400 too long"] * 4 + ["stop"] * 12


def test_every_path_is_a_row_of_the_journal_and_only_missing_ones_are_asked(server, singly, tmp_path):
    with Journal(tmp_path / "journal") as journal:
        known = [PATHS[i] for i in (1, 4, 5, 19)]
        list(complete(journal, model_at(server, n=1), known))
        server.begin()
        assert texts(complete(journal, model_at(server), PATHS)) == singly
        assert sum(body.get("n", 1) for body in server.seen) == 16
        assert len(server.seen) == 6  # 0 and 2-3 of the first question: only neighbours can be asked together
        server.begin()
        assert texts(complete(journal, model_at(server), PATHS)) == singly and not server.seen


def test_a_fault_of_one_choice_is_that_paths_own(server):
    choices = [{"index": i, "finish_reason": "stop", "message": {"content": None if i == 1 else f"t{i}"}}
               for i in range(3)]
    server.begin(fault=asked(Fault(body=json.dumps({"choices": choices}))))
    answers = list(model_at(server).complete(PATHS[:3]))
    assert [answer.finish for answer in answers] == ["stop", "error: no text in the reply", "stop"]
