"""Workers: whatever ends, all of them stop asking at once; and nothing is asked twice for having two names."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.journal.test_journal import damaged_and_not_closed
from tests.patience import until
from tests.personas import Vllm
from tests.processes import LEMA, ended, running
from tests.server import Server, refusal

CONFIG = """
name = "x"
task = {{ name = "rows", train = "q.jsonl" }}
sample = {{ models = ["a", "b"], paths = 3, max_tokens = 30 }}
machine = {{ workers = 2 }}
[models.a]
backend = "api"
model = "m"
base_url = "{url}"
concurrency = 4
n = 1
[models.b]
backend = "api"
model = "{other}"
base_url = "{url}"
concurrency = 4
n = 1
"""
QUESTIONS = 60


def lay_out(folder, url: str, other: str) -> None:
    (folder / "q.jsonl").write_text("".join(f'{{"question": "{n} + 1?", "answer": "{n + 1}"}}\n'
                                            for n in range(QUESTIONS)))
    (folder / "x.toml").write_text(CONFIG.format(url=url, other=other))


def children(pid: int) -> list[int]:
    """The worker processes of a run, by what the kernel says."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit():
                with open(f"/proc/{entry}/stat") as facts, open(f"/proc/{entry}/cmdline") as command:
                    parent = int(facts.read().rpartition(")")[2].split()[1])
                    if parent == pid and "spawn_main" in command.read():
                        found.append(int(entry))
        except OSError:
            continue
    return found


@pytest.mark.living
@pytest.mark.parametrize(("number", "victim"), [(signal.SIGINT, "parent"), (signal.SIGKILL, "worker"),
                                                (signal.SIGTERM, "worker")])
def test_whatever_ends_all_workers_stop_asking_at_once(tmp_path, number, victim):
    with Server(lambda body, choice: "The answer is 3.", seconds=lambda body: 0.2, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, "other")
        with running([*LEMA, "run", "x.toml"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                     text=True) as run:
            until(lambda: {body["model"] for body in server.seen} == {"m", "other"}, "both were asked", run)
            os.kill(run.pid if victim == "parent" else children(run.pid)[0], number)
            seen, began = len(server.seen), time.monotonic()
            errors = run.communicate()[1]
        assert len(server.seen) - seen <= 16, "what was on its way at that moment"
        assert time.monotonic() - began < 60 and len(server.seen) < 6 * QUESTIONS
        assert "Traceback" not in errors, errors
        assert run.returncode == (130 if victim == "parent" else 2), errors
        assert victim == "parent" or "a worker process died" in errors
        before, in_flight = len(server.seen), 8
        ended([*LEMA, "run", "x.toml"], cwd=tmp_path, check=True)
        assert len(server.seen) <= 6 * QUESTIONS + in_flight and len(server.seen) > before


@pytest.mark.living
def test_a_model_with_two_names_is_asked_once(tmp_path):
    with Server(lambda body, choice: "The answer is 3.", seconds=lambda body: 0.01, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, "m")
        done = ended([*LEMA, "run", "x.toml"], cwd=tmp_path, check=True)
        assert len(server.seen) == 3 * QUESTIONS, done.stderr


@pytest.mark.living
def test_an_error_in_one_worker_ends_the_run_and_keeps_what_was_under_way(tmp_path):
    def fault(number, body):
        return refusal(401, "bad key") if body["model"] == "other" and len(server.seen) > 20 else None

    with Server(lambda body, choice: "It is 3.", fault, seconds=lambda body: 0.1, persona=Vllm()) as server:
        lay_out(tmp_path, server.url, "other")
        done = ended([*LEMA, "run", "x.toml"], cwd=tmp_path)
        assert done.returncode == 2 and "key was refused" in done.stderr and "Traceback" not in done.stderr
        assert len(server.seen) < 3 * QUESTIONS, "the other model's stage was not waited for"


@pytest.mark.living
def test_a_journal_that_a_killed_run_left_is_looked_through_before_workers_add_to_it(tmp_path):
    """No budget has opened it before them."""
    lay_out(tmp_path, "http://127.0.0.1:9/v1", "other")
    assert "cannot be reached" in ended([*LEMA, "run", "x.toml"], cwd=tmp_path).stderr, "questions are done"
    killed, journal = damaged_and_not_closed(tmp_path), tmp_path / "runs/x/journal.sqlite"
    for end in ("", "-wal"):
        Path(f"{killed}{end}").replace(f"{journal}{end}")
    for words in (("run", "x.toml"), ("journal", "stats", "x"), ("why", "x"), ("run", "x.toml")):
        done = ended([*LEMA, *words], cwd=tmp_path)
        assert done.returncode == 2 and "it was not closed" in done.stderr and "journal mend" in done.stderr, words
    assert ended([*LEMA, "journal", "mend", "x"], cwd=tmp_path, check=True).stdout.count("completions saved") == 1


def test_signals_that_come_together_end_a_worker_and_say_nothing():
    """As where Ctrl-C reaches a worker and whoever stops it at the same time."""
    together = (
        "import os, signal\n"
        "from lema.runs.workers import AT_ONCE, IN_ORDER, _heed_signals\n"
        "_heed_signals()\n"
        "every = {signal.SIGINT, AT_ONCE, IN_ORDER}\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, every)\n"
        "for number in every:\n"
        "    os.kill(os.getpid(), number)\n"
        "try:\n"
        "    signal.pthread_sigmask(signal.SIG_UNBLOCK, every)\n"
        "    print('went on')\n"
        "except KeyboardInterrupt:\n"
        "    print('ended')\n")
    done = ended([sys.executable, "-c", together], check=True)
    assert (done.stdout, done.stderr) == ("ended\n", "")
