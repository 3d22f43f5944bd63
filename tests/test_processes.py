"""What the other tests stand on: nothing that they start outlives them, and no wait of theirs ends in silence."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import patience
from tests.faults.kill_anywhere import within
from tests.patience import in_a_moment, until
from tests.personas import Vllm
from tests.processes import end, ended, gone, running, under
from tests.server import Server

pytestmark = pytest.mark.living
ROOT = Path(__file__).parents[1]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_test_that_fails_leaves_nothing_of_a_process_and_its_children():
    command = [sys.executable, "-c", PARENT]
    with pytest.raises(ZeroDivisionError), running(command, stdout=subprocess.PIPE) as process:
        child = int(process.stdout.readline())
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL
    until(lambda: gone(child), "the child is gone")


def test_tests_that_are_killed_leave_nothing_either():
    test = f"""
import subprocess, sys
from tests.processes import running
with running([sys.executable, "-c", {PARENT!r}], stdout=subprocess.PIPE, text=True) as process:
    print(process.pid, process.stdout.readline(), flush=True)
    process.wait()
"""
    with running([sys.executable, "-c", test], cwd=ROOT, stdout=subprocess.PIPE) as tests:
        pids = [int(word) for word in tests.stdout.readline().split()]
        assert len(pids) == 2 and not any(map(gone, pids))
        os.kill(tests.pid, signal.SIGKILL)
        for pid in pids:
            until(lambda pid=pid: gone(pid), f"process {pid} is gone")


def test_a_process_that_says_nothing_is_not_waited_for_for_ever():
    with pytest.raises(AssertionError, match=r"killed after 1 s: .*sleep"):
        ended([sys.executable, "-c", "import time; time.sleep(600)"], life=1)


def test_a_process_that_failed_is_shown_with_what_it_said():
    with pytest.raises(AssertionError, match="exit code 3: no such thing"):
        ended([sys.executable, "-c", "import sys; sys.stderr.write('no such thing'); sys.exit(3)"], check=True)


def test_a_moment_that_never_comes_is_a_failure_that_names_it():
    with pytest.raises(AssertionError, match="in vain until pigs fly"):
        until(lambda: False, "pigs fly", seconds=0.01)
    with running([sys.executable, "-c", ""]) as process:
        with pytest.raises(AssertionError, match="ended with exit code 0 before pigs fly"):
            until(lambda: False, "pigs fly", process)
        assert not end(process), "nothing was left to kill"


def test_what_computes_for_ever_fails_instead_of_standing_still(monkeypatch):
    monkeypatch.setattr(patience, "COMPUTING", 0.1)
    with pytest.raises(pytest.fail.Exception, match="a loop: not done"), in_a_moment("a loop"):
        for _ in itertools.count():
            pass


def test_a_folder_is_read_while_what_is_in_it_is_renamed_and_removed(tmp_path):
    """The kill test of whole runs once failed of this."""
    stage, over = tmp_path / "runs/x/stage", threading.Event()
    part = stage.with_name("stage.part")

    def work() -> None:
        while not over.is_set():
            (part / "deep").mkdir(parents=True)
            (part / "deep/rows.jsonl").touch()
            (part / "record.json").touch()
            part.rename(stage)
            for file in ("deep/rows.jsonl", "record.json"):
                (stage / file).unlink()
            (stage / "deep").rmdir()
            stage.rmdir()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        moment, seen = within(tmp_path, 1), set()
        for _ in range(2000):
            moment.come()
            seen |= {file.name for file in under(tmp_path)}
        until(lambda: seen.update(file.name for file in under(tmp_path)) or len(seen) == 2, "both files were seen")
    finally:
        over.set()
        worker.join()


def test_a_server_that_is_stopped_refuses_and_keeps_its_address():
    with Server(persona=Vllm()) as server:
        address = ("127.0.0.1", int(server.url.split(":")[2].split("/")[0]))
        server.stop()
        with socket.socket() as other, pytest.raises(ConnectionRefusedError):
            other.connect(address)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(address)
        server.start()
        socket.create_connection(address).close()


def test_the_last_line_says_what_was_skipped_and_why_below_pytests_own(tmp_path):
    (tmp_path / "test_it.py").write_text("""
import pytest
@pytest.mark.parametrize("number", range(3))
def test_skips(number):
    pytest.skip("there is no moon" if number else "it rains")
def test_passes(): pass
""")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", tmp_path]
    done = ended(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])})
    own, last = done.stdout.splitlines()[-2:]
    assert own.startswith("1 passed, 3 skipped in ") and last == "skipped: 2 there is no moon; 1 it rains"
