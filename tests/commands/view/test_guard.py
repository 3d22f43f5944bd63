"""Only this machine's browser with the token may look, and only a page of the viewer may write."""

import json
import os
import signal
import subprocess

import pytest

from lema.runs.ratings import ratings_of
from tests.commanding import lema
from tests.commands.view.made import run_by_hand
from tests.commands.view.viewing import viewing
from tests.processes import LEMA, running

RATING = {"stage": "verified", "rater": "ada", "rating": "good"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_by_hand(tmp_path_factory.mktemp("hand"))


@pytest.fixture(scope="module")
def viewer(run):
    with viewing(run) as viewer:
        yield viewer


@pytest.fixture
def rating(run):
    rows = (run / "verified/rows.jsonl").read_text().splitlines()
    return RATING | {"correction": rows[0].split('"id": "')[-1].split('"')[0]}


def test_nothing_is_shown_or_written_without_the_token(viewer, rating, run):
    for path in ("/", "/rows?stage=graded", f"/{viewer.token[:-1]}/", f"/{viewer.token}x/", "/static/view.js"):
        status, text = viewer.ask(path)
        assert status == 404 and "2 + 2" not in text, path
    assert viewer.ask("/rating", rating)[0] == 404 and viewer.ask("/wrong/rating", rating)[0] == 404
    assert not ratings_of(run)
    assert viewer.ask(f"/{viewer.token}/rows?stage=graded")[0] == 200


@pytest.mark.parametrize("headers", [
    {"host": "evil.example"}, {"host": "127.0.0.1:1"}, {"origin": "http://evil.example"}, {"origin": "null"},
    {"origin": "http://127.0.0.1:1"}, {"sec_fetch_site": "cross-site"}, {"sec_fetch_site": "same-site"}])
def test_what_another_page_sends_is_refused_even_with_the_token(viewer, rating, run, headers):
    for path, body in ((f"/{viewer.token}/", None), (f"/{viewer.token}/rating", rating)):
        assert viewer.ask(path, body, **headers)[0] == 403
    assert not ratings_of(run)


def test_a_form_of_another_page_cannot_write(viewer, rating, run):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert viewer.ask(f"/{viewer.token}/rating", rating, content_type=kind)[0] == 415
    assert not ratings_of(run)


@pytest.mark.parametrize("change", [
    {"correction": "0" * 16}, {"stage": "graded"}, {"stage": "../verified"}, {"rating": "superb"},
    {"rater": "<b>"}, {"rater": ""}, {"note": "x" * 6_000}, {"more": 1}, {"rejected": "perhaps"}])
def test_a_rating_of_what_is_not_there_is_refused(viewer, rating, run, change):
    status, text = viewer.ask(f"/{viewer.token}/rating", rating | change)
    assert status == 422 and "error" in text
    assert not ratings_of(run)


def test_no_page_lies_outside_the_run(viewer):
    for path in ("static/../../pages.py", "static/%2e%2e/pages.py", "rows?stage=../../etc",
                 "question/..%2f..%2fx"):
        assert viewer.ask(f"/{viewer.token}/{path}")[0] == 404


def test_every_page_forbids_itself_what_is_not_its_own(viewer):
    import http.client
    connection = http.client.HTTPConnection("127.0.0.1", viewer.port, timeout=60)
    connection.request("GET", f"/{viewer.token}/")
    headers = connection.getresponse().headers
    connection.close()
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert headers["referrer-policy"] == "no-referrer" and headers["x-content-type-options"] == "nosniff"


def test_a_run_that_is_not_there_and_a_port_that_is_taken_are_one_line(tmp_path, viewer, run):
    gone = lema(tmp_path, "view", "nowhere", "--no-browser")
    assert gone.returncode == 2 and gone.stderr.startswith("lema: runs/nowhere: no run here")
    taken = lema(tmp_path, "view", run, "--no-browser", "--port", viewer.port)
    assert taken.returncode == 2 and taken.stderr.count("\n") == 1 and "cannot be listened on" in taken.stderr


def test_ctrl_c_ends_the_viewer_without_a_trace(run):
    command = [*LEMA, "view", str(run), "--no-browser"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with running(command, env=dict(os.environ), **pipes) as process:
        assert "http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors


def test_a_correction_whose_path_is_gone_can_still_be_looked_at(tmp_path):
    folder = run_by_hand(tmp_path)
    with viewing(folder) as opened:
        rows = folder / "graded/rows.jsonl"
        rows.write_bytes(b"\n" * rows.stat().st_size)
        status, text = opened.ask(f"/{opened.token}/rate?stage=verified&rater=ada")
    assert status == 200 and "How good is it?" in text


def test_a_run_of_an_earlier_version_is_said_to_be_one(tmp_path):
    folder = run_by_hand(tmp_path)
    for record in folder.rglob("record.json"):
        facts = json.loads(record.read_text())
        record.write_text(json.dumps(facts | {"fingerprint": "of another version"}))
    with viewing(folder) as opened:
        status, text = opened.ask(f"/{opened.token}/")
    assert status == 200 and "earlier lema" in text and f"lema run {folder}" in text
    assert "No paths are graded yet" not in text
