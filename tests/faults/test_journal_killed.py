"""The journal in real processes: side by side, killed at random moments, on a disk that is full."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lema.journal import Journal, complete
from tests.answering import Echo, InPairs, ask, texts

ROOT = Path(__file__).parents[2]


def start(program: str, *arguments: object) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", program, *map(str, arguments)], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE)


WRITER = """
import sys
from pathlib import Path
from lema.journal import Journal, complete
from tests.answering import Echo, ask
with Journal(Path(sys.argv[1])) as journal:
    list(complete(journal, Echo(), [ask(f"q{i}", int(sys.argv[2])) for i in range(1500)]))
"""


def test_several_processes_write_one_file(tmp_path):
    path = tmp_path / "new.sqlite"
    writers = [start(WRITER, path, i % 3) for i in range(4)]
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0] * 4
    with Journal(path) as journal:
        model = Echo()
        requests = [ask(f"q{i}", j) for i in range(1500) for j in range(3)]
        assert len(list(complete(journal, model, requests))) == 4500
        assert not model.asked


PAID = """
import os, sys, time
from pathlib import Path
from lema.journal import Journal, complete
from lema.messages import Completion
from tests.answering import Echo, InPairs, ask
kind, folder = {"Echo": Echo, "InPairs": InPairs}[sys.argv[2]], Path(sys.argv[1])
paid = os.open(folder / "paid", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
class Paid(kind):
    def complete(self, requests):
        for completion in super().complete(requests):
            os.write(paid, completion.text.encode() + b"\\n")
            time.sleep(0.006)
            yield completion
with Journal(folder / "journal.sqlite") as journal:
    for completion in complete(journal, Paid(), [ask("q" * (i % 4) + str(i)) for i in range(150)]):
        print(completion.text)
"""


@pytest.mark.parametrize(("kind", "in_flight"), [("Echo", 1), ("InPairs", 2)])
def test_killed_again_and_again_it_pays_once_but_for_what_was_in_flight(tmp_path, kind, in_flight):
    rng, kills, paid = random.Random(kind), 0, tmp_path / "paid"
    paid.touch()
    while True:
        seen = len(paid.read_bytes().splitlines())
        child = start(PAID, tmp_path, kind)
        if kills == 5:
            break
        wait_for_lines(paid, seen + rng.randrange(1, 30))
        time.sleep(rng.random() / 100)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        kills += 1
    answers = child.communicate(timeout=60)[0].splitlines()
    bought = paid.read_text().splitlines()
    with Journal(tmp_path / "alone") as journal:
        requests = [ask("q" * (i % 4) + str(i)) for i in range(150)]
        assert answers == texts(complete(journal, {"Echo": Echo, "InPairs": InPairs}[kind](), requests))
    assert set(bought) == set(answers)
    assert len(bought) <= 150 + kills * in_flight


def wait_for_lines(path: Path, lines: int) -> None:
    deadline = time.monotonic() + 60
    while len(path.read_bytes().splitlines()) < lines:
        assert time.monotonic() < deadline
        time.sleep(0.002)


FULL = """
import resource, sys
from pathlib import Path
from lema.errors import RunError
from lema.journal import Journal, complete
from tests.answering import Echo, ask
resource.setrlimit(resource.RLIMIT_FSIZE, (2**21, 2**21))
seen = 0
try:
    with Journal(Path(sys.argv[1])) as journal:
        for _ in complete(journal, Echo(), (ask(f"q{i} " * 100) for i in range(20000))):
            seen += 1
except RunError as error:
    print(seen, error)
"""


def test_a_disk_that_takes_no_more_is_one_clear_line_and_keeps_what_was_seen(tmp_path):
    path = tmp_path / "journal.sqlite"
    child = start(FULL, path)
    seen, _, said = child.communicate(timeout=60)[0].strip().partition(" ")
    assert child.returncode == 0 and "cannot be written" in said and "make room" in said and "\n" not in said
    model = Echo()
    with Journal(path) as journal:
        list(complete(journal, model, (ask(f"q{i} " * 100) for i in range(int(seen)))))
    assert int(seen) > 0 and not model.asked
