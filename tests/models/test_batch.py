"""The batch backend against a Batch API of our own: batches that expire, fail, and are lost from sight."""

import shutil

import pytest

from lema.errors import ModelError
from lema.figures import money
from lema.journal import Journal, complete
from lema.journal.jobs import Job
from lema.models import find_model
from lema.models.batch import _id_of
from lema.records import Sampling
from tests.answering import ask
from tests.batch_server import BatchServer, Fate
from tests.paying import lay_out, lema
from tests.personas import OpenAI
from tests.stages.desk import context

DRAWN = Sampling(temperature=0.7, max_tokens=9, seed=5)


def model(server: BatchServer, **more):
    return find_model("x", "batch", {"model": "m", "base_url": server.url, "poll": 0.01, **more})


def requests(count: int, index: int = 0) -> list:
    return [ask(f"q{number}", index, DRAWN) for number in range(count)]


def texts(completions) -> list[str]:
    return [completion.text.split(" | ")[0] for completion in completions]


def expected(count: int) -> list[str]:
    return [f"q{number}" for number in range(count)]


@pytest.fixture
def journal(tmp_path):
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def test_requests_go_out_in_files_within_the_limits_and_come_back_in_order(journal):
    with BatchServer(file_requests=10, persona=OpenAI()) as server:
        found = list(complete(journal, model(server, file_requests=10, batches=2), requests(35)))
    assert texts(found) == expected(35)
    assert [len(batch.lines) for batch in server.batches.values()] == [10, 10, 10, 5]
    assert set(server.paid.values()) == {1} and len(server.paid) == 35
    assert all(completion.share == 0.5 for completion in found)


def test_a_file_never_holds_more_bytes_than_it_may(journal):
    with BatchServer(persona=OpenAI()) as server:
        assert texts(complete(journal, model(server, file_bytes=1500), requests(20))) == expected(20)
    assert len(server.files) > 2 and all(len(content) <= 1500 for content in server.files.values())


def test_what_an_expired_batch_answered_is_kept_and_only_the_rest_goes_into_another(journal):
    half = Fate(status="expired", rows=7)
    with BatchServer(fate=lambda number, rows: Fate() if number else half, persona=OpenAI()) as server:
        assert texts(complete(journal, model(server), requests(20))) == expected(20)
    assert [len(batch.lines) for batch in server.batches.values()] == [20, 13]
    assert set(server.paid.values()) == {1}


def test_rows_that_the_provider_could_not_answer_are_asked_again_and_refused_ones_are_rows(journal):
    failed_once = set()

    def row(line: dict) -> int:
        if line["body"]["messages"][0]["content"] == "q3":
            return 400
        if line["custom_id"] not in failed_once:
            failed_once.add(line["custom_id"])
            return 503
        return 200

    with BatchServer(row=row, persona=OpenAI()) as server:
        found = list(complete(journal, model(server), requests(6)))
    assert found[3].finish == "error: 400 told to fail"
    assert [completion.finish for completion in found[:3] + found[4:]] == ["stop"] * 5
    assert [len(batch.lines) for batch in server.batches.values()] == [6, 5]


def test_a_request_that_no_batch_answers_becomes_a_failed_row_in_the_end(journal):
    with BatchServer(fate=lambda number, rows: Fate(status="expired", rows=0), persona=OpenAI()) as server:
        found = list(complete(journal, model(server, resubmit=2), requests(2)))
    said = "error: no answer in 3 batches (the last one expired)"
    assert [completion.finish for completion in found] == [said] * 2
    assert len(server.batches) == 3


def test_the_last_rows_are_asked_online_at_the_full_price(journal):
    with BatchServer(fate=lambda number, rows: Fate(status="expired", rows=17), persona=OpenAI()) as server:
        found = list(complete(journal, model(server, online_tail=3), requests(20)))
        assert texts(found) == expected(20)
        few = list(complete(journal, model(server, online_tail=3), requests(2, index=1)))
    assert len(server.batches) == 1 and len(server.online) == 5
    assert [completion.share for completion in found] == [0.5] * 17 + [1.0] * 3
    assert texts(few) == expected(2)


def test_a_batch_that_hangs_with_few_rows_left_is_cancelled_and_finished_online(journal):
    with BatchServer(fate=lambda number, rows: Fate(seconds=3600, rows=18), persona=OpenAI()) as server:
        assert texts(complete(journal, model(server, online_tail=3), requests(20))) == expected(20)
    assert len(server.online) == 2 and server.batches["batch-0"].cancelled


def test_a_reply_lost_on_the_way_never_makes_a_second_batch(journal):
    first = set()

    def lost(method: str, path: str, number: int) -> bool:
        return (method, path) == ("POST", "batches") and path not in first and not first.add(path)

    with BatchServer(lost=lost, persona=OpenAI()) as server:
        assert texts(complete(journal, model(server), requests(5))) == expected(5)
        assert server.calls.count(("POST", "batches")) == 1
    assert len(server.batches) == 1


def test_faults_that_may_pass_are_waited_out_at_every_call(journal):
    seen = set()

    def fault(method: str, path: str, number: int) -> int:
        return 200 if (method, path.split("/")[0]) in seen or seen.add((method, path.split("/")[0])) else 503

    with BatchServer(fault=fault, persona=OpenAI()) as server:
        assert texts(complete(journal, model(server), requests(3))) == expected(3)
    assert len(server.batches) == 1


@pytest.mark.parametrize(("fate", "says"), [
    (Fate(status="failed", errors=(("invalid_json_line", "line 1"),)), "refused .invalid_json_line: line 1.*mend"),
    (Fate(status="cancelled", rows=1), "was cancelled; .*run again"),
])
def test_a_batch_that_cannot_be_had_is_one_clear_line_and_what_it_answered_is_kept(journal, fate, says):
    with BatchServer(fate=lambda number, rows: fate if number == 0 else Fate(), persona=OpenAI()) as server:
        with pytest.raises(ModelError, match=says) as error:
            list(complete(journal, model(server), requests(3)))
        assert "\n" not in str(error.value)
        assert texts(complete(journal, model(server), requests(3))) == expected(3)
    assert set(server.paid.values()) == {1}


def test_a_batch_that_is_refused_until_others_end_is_made_again(journal):
    full = Fate(status="failed", errors=(("token_limit_exceeded", "too many tokens are enqueued"),))
    with BatchServer(persona=OpenAI()) as server:
        def fate(number: int, rows: int) -> Fate:
            under_way = [server.status(batch) == "in_progress" for batch in server.batches.values()]
            return full if any(under_way) else slow

        server.fate, slow = fate, Fate(looks=3)
        assert texts(complete(journal, model(server, file_requests=4), requests(8))) == expected(8)
    assert set(server.paid.values()) == {1} and len(server.batches) > 2


def test_a_batch_that_is_gone_is_said_and_may_be_given_up(tmp_path):
    with BatchServer(persona=OpenAI()) as server:
        lay_out(tmp_path, server.url, backend="batch")
        gone = Job("x" * 32, tuple(f"{number:032x}" for number in range(3)), "created", "file-9", "batch-9")
        (tmp_path / "runs/x").mkdir(parents=True)
        shutil.copy(tmp_path / "x.toml", tmp_path / "runs/x/config.toml")
        with Journal(tmp_path / "runs/x/journal.sqlite") as journal:
            asked = model(server, model="small")
            request = ask("q")
            jobs = journal.jobs(asked.identity())
            jobs.note(gone.at(requests=(_id_of(asked.settings, request),)))
            with pytest.raises(ModelError, match="is not there .404.*lema journal forget RUN"):
                list(complete(journal, asked, [request]))
        assert "1 batches given up" in lema(tmp_path, "journal", "forget", "x").stdout
        with Journal(tmp_path / "runs/x/journal.sqlite") as journal:
            assert texts(complete(journal, asked, [request])) == ["q"]


def test_a_server_without_a_batch_api_is_one_clear_line(journal):
    with (BatchServer(fault=lambda *call: 404, persona=OpenAI()) as server,
          pytest.raises(ModelError, match="no Batch API there.*backend = \"api\"")):
        list(complete(journal, model(server), requests(1)))


def test_a_run_may_change_to_the_api_backend_and_asks_nothing_again(journal):
    with BatchServer(persona=OpenAI()) as server:
        list(complete(journal, model(server), requests(5)))
        online = find_model("x", "api", {"model": "m", "base_url": server.url})
        assert texts(complete(journal, online, requests(6))) == expected(6)
        assert len(server.online) == 1


def test_the_progress_line_says_how_far_the_batches_are_and_what_they_cost(tmp_path):
    news = []
    with BatchServer(fate=lambda number, rows: Fate(looks=1), persona=OpenAI()) as server:
        table = {"backend": "batch", "model": "m", "base_url": server.url, "poll": 0.01}
        asking = context(tmp_path, None, models={"m": table}, sample={"models": ["m"]},
                       prices={"m": {"input": 1e4, "output": 1e4}})
        asking._progress = news.append
        list(asking.ask("m", requests(3), 3))
    assert [one.note for one in news if "1 batch under way, 3 of 3 ready" in one.note]
    assert (news[-1].done, news[-1].total) == (3, 3)
    tokens = asking.usage["m"].prompt_tokens + asking.usage["m"].tokens
    assert asking.cost == money(tokens * 0.01 / 2)


def test_a_batched_request_asks_for_what_the_api_backend_would_ask_for(journal):
    schema = {"type": "object", "properties": {"answer": {"type": "number"}}}
    with BatchServer(persona=OpenAI()) as server:
        list(complete(journal, model(server, json_schema=schema, omit=["seed"], extra={"top_k": 3}), requests(1)))
    body = server.batches["batch-0"].lines[0]["body"]
    assert body["response_format"]["json_schema"]["schema"] == schema
    assert (body["top_k"], body["max_tokens"], "seed" in body) == (3, 9, False)


def test_how_far_the_batches_are_can_be_watched(journal):
    said = []
    with BatchServer(fate=lambda number, rows: Fate(looks=1, rows=3), persona=OpenAI()) as server:
        asked = model(server)
        asked.watched = lambda ready, text: said.append((ready, text))
        list(complete(journal, asked, requests(3)))
    assert said[0] == (3, "1 batch under way, 3 of 3 ready")
