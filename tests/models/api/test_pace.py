"""How many and how fast: limits that tune themselves and limits that are held."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lema.models.api.pace import FIRST, InFlight, PerMinute
from tests.answering import ask
from tests.models.api.calling import model_at
from tests.personas import Vllm
from tests.server import Server, too_many

pytestmark = pytest.mark.living


def test_what_is_in_flight_grows_until_it_is_too_much_and_then_slowly():
    flight = InFlight(ceiling=1000)
    assert flight.limit == FIRST
    for _ in range(FIRST):
        flight.count = int(flight.limit)
        flight.answered()
    assert flight.limit == 2 * FIRST
    flight.too_much(sent=1.0, now=2.0)
    lowered = flight.limit
    assert lowered < 2 * FIRST
    flight.too_much(sent=1.5, now=2.1)  # sent before the last lowering: says nothing new
    assert flight.limit == lowered
    for _ in range(int(lowered)):
        flight.count = int(flight.limit)
        flight.answered()
    assert lowered + 0.9 < flight.limit < lowered + 1.1
    for step in range(50):
        flight.too_much(sent=10.0 + step, now=10.0 + step)
    assert flight.limit == 1


def test_what_is_in_flight_never_passes_its_ceiling_nor_grows_unused():
    flight = InFlight(ceiling=20)
    for _ in range(100):
        flight.count = int(flight.limit)
        flight.answered()
    assert flight.limit == 20
    idle = InFlight(ceiling=1000)
    idle.count = 1
    for _ in range(100):
        idle.answered()
    assert idle.limit == FIRST


@given(st.integers(1, 2000), st.booleans(), st.lists(st.tuples(st.integers(1, 400), st.integers(0, 500),
                                                              st.floats(0, 20)), max_size=60))
def test_in_no_minute_is_more_let_through_than_declared(limit, spread, wanted):
    """Each item: what is reserved, what it really was (never more), seconds until the next one is ready."""
    window = PerMinute.spread(limit) if spread else PerMinute(limit)
    now, sent = 0.0, []
    for reserved, real, pause in wanted:
        amount = 1 if spread else min(reserved, limit)
        now += pause + window.wait(now + pause, amount)
        entry = window.take(now, amount)
        sent.append([now, amount])
        if not spread and real < amount:
            window.settle(entry, real)
            sent[-1][1] = real
    for start, _ in sent:
        assert sum(amount for when, amount in sent if start <= when < start + 59.999) <= limit


def test_a_request_larger_than_the_limit_goes_out_alone():
    window = PerMinute(100)
    assert window.wait(0.0, 500) == 0
    window.take(0.0, 500)
    assert window.wait(1.0, 1) == pytest.approx(59)
    assert window.wait(60.0, 1) == 0


def test_a_declared_rate_is_as_fast_as_declared():
    window = PerMinute.spread(90)
    now = 0.0
    for _ in range(91):
        now += window.wait(now, 1)
        window.take(now, 1)
    assert now == pytest.approx(60)


def test_declared_requests_per_minute_are_held_at_each_address(server):
    times = [time.monotonic()]
    server.begin(fault=lambda number, body: times.append(time.monotonic()))
    assert len(list(model_at(server, requests_per_minute=300).complete(ask(f"q{i}") for i in range(11)))) == 11
    assert len(times) == 12 and times[-1] - times[0] >= 1.9  # 5 in a second, then 5 in the next: no sooner


def test_declared_tokens_per_minute_are_held(server):
    model = model_at(server, tokens_per_minute=4 * 1100)
    answers = model.complete(ask(f"q{i}") for i in range(40))
    for _ in range(40):  # each may take 1,024 tokens and takes few: what is not used is given back
        next(answers)
    assert server.most_at_once <= 4


def test_concurrency_settles_where_the_endpoint_has_its_limit():
    """An endpoint that takes 24 at once and turns the rest away."""
    with Server(seconds=lambda body: 0.05, persona=Vllm()) as server:
        server.fault = lambda number, body: too_many("0") if server.at_once > 24 else None
        model = model_at(server, concurrency=200, retries=50)
        answers = list(model.complete(ask(f"q{i}") for i in range(400)))
        assert not any(answer.failed for answer in answers)
        (endpoint,) = model._endpoints
        assert 8 < endpoint.flight.limit < 60
        assert len(server.seen) < 800


def test_many_addresses_share_the_load_by_what_they_take():
    with Server(persona=Vllm()) as quick, Server(held=lambda body: len(quick.seen) < 120, persona=Vllm()) as slow:
        answers = list(model_at(quick, slow, concurrency=8).complete(ask(f"q{i}") for i in range(150)))
        assert [answer.text.split(" ")[0] for answer in answers] == [f"q{i}" for i in range(150)]
        assert len(quick.seen) > 2 * len(slow.seen) > 0
        assert quick.most_at_once <= 8 and slow.most_at_once <= 8
