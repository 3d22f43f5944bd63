"""Order, memory, readers who leave, and kills: what holds however the endpoint behaves."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from lema.journal import Journal, complete
from lema.messages import Completion
from lema.models.api.driver import AHEAD
from lema.records import Sampling
from tests.answering import ask
from tests.models.api.calling import model_at
from tests.patience import until
from tests.personas import Vllm
from tests.processes import end, ended, running
from tests.server import Server, last_message, never

pytestmark = pytest.mark.living
ROOT = Path(__file__).parents[3]


def test_completions_come_in_request_order_however_slow_each_is(server):
    rng = random.Random(1)
    server.begin(seconds=lambda body: rng.random() / 20)
    requests = [ask(f"q{i}") for i in range(120)]
    answers = list(model_at(server, concurrency=16).complete(iter(requests)))
    assert [answer.text for answer in answers] == [f"q{i} | seed None" for i in range(120)]
    assert answers[0] == Completion("q0 | seed None", "stop", 1, 4)


def test_as_many_as_the_config_says_are_in_flight_and_few_more_are_read():
    read = []
    with Server(persona=Vllm()) as server:
        # nothing is answered before 8 are there at once, and little more than what is read below
        server.held = lambda body: server.most_at_once < 8 or len(server.seen) > 200
        requests = (ask(f"q{i}") for i in range(20_000) if not read.append(i))
        answers = model_at(server, concurrency=8).complete(requests)
        for _ in range(100):
            next(answers)
        assert len(read) <= 100 + AHEAD + 1
        server.held = never
        answers.close()
    assert server.most_at_once == 8 and len(server.seen) < AHEAD


def test_a_reader_who_leaves_early_leaves_nothing_open_and_what_was_paid_is_kept(server, tmp_path):
    server.begin(seconds=lambda body: 0.1, held=lambda body: server.most_at_once < 4)
    with Journal(tmp_path / "journal") as journal:
        answers = complete(journal, model_at(server, concurrency=4), (ask(f"q{i}") for i in range(10_000)))
        assert next(answers).finish == "stop"
        answers.close()
        paid = list(server.seen)
        assert 4 <= len(paid) < 1000 and server.at_once == 0
        server.begin()
        list(complete(journal, model_at(server), [ask(body["messages"][0]["content"]) for body in paid]))
    assert not server.seen, "what was in flight when the reader left is in the journal"


def test_a_reader_whose_requests_fail_hears_of_it(server):
    def requests():
        yield ask("q")
        raise RuntimeError("the reader's own fault")

    with pytest.raises(RuntimeError, match="own fault"):
        list(model_at(server).complete(requests()))


def test_what_goes_wrong_while_a_completion_is_kept_ends_the_reading(server):
    def arrived(position: int, completion: Completion) -> None:
        raise RuntimeError("cannot be kept")

    with pytest.raises(RuntimeError, match="cannot be kept"):
        list(model_at(server).complete_telling([ask("q")], arrived))


def test_nothing_of_the_network_is_loaded_before_it_is_asked():
    code = ("from lema.models import find_model; import sys\n"
            "find_model('x', 'api', {'model': 'm'}).identity(); print({'aiohttp', 'openai'} & set(sys.modules))")
    assert ended([sys.executable, "-c", code], check=True).stdout.strip() == "set()"


PAID = """
import sys
from pathlib import Path
from lema.journal import Journal, complete
from lema.models.api import Model, Settings
from lema.records import Sampling
from lema.models.api.driver import AHEAD
from tests.answering import ask
drawn = Sampling(temperature=1.0)
with Journal(Path(sys.argv[1])) as journal:
    model = Model(Settings(model="m", base_url=sys.argv[2], concurrency=8))
    requests = (ask(f"q{i}", index, drawn) for i in range(100) for index in range(3))
    for completion in complete(journal, model, requests):
        print(completion.text)
"""


def test_killed_again_and_again_it_pays_once_but_for_what_was_in_flight(tmp_path):
    rng, kills = random.Random(4), 2
    with Server(seconds=lambda body: 0.2 if last_message(body).endswith("7") else 0.01, persona=Vllm()) as server:
        alone = [answer.text for answer in model_at(server).complete(
            ask(f"q{i}", index, Sampling(temperature=1.0)) for i in range(100) for index in range(3))]
        server.begin(seconds=server.seconds)
        program = [sys.executable, "-c", PAID, tmp_path / "journal", server.url]
        for _ in range(kills):
            moment = len(server.seen) + rng.randrange(10, 40)
            server.held = lambda body, few=moment + 8: len(server.seen) > few
            with running(program, cwd=ROOT, stdout=subprocess.DEVNULL) as child:
                until(lambda moment=moment: len(server.seen) >= moment, f"request {moment} at the server", child)
                assert end(child), "the process ended before it was killed"
        server.held = never
        answers = ended(program, check=True, cwd=ROOT).stdout.splitlines()
        assert answers == alone
        assert 300 <= sum(body.get("n", 1) for body in server.seen) <= 300 + kills * 8 * 3
        assert len({json.dumps(body, sort_keys=True) for body in server.seen}) >= 100
