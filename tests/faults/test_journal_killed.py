"""The journal in real processes: side by side, killed at random moments, on a disk that is full."""

import random
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from lema.journal import Journal, complete
from tests.answering import Echo, InPairs, ask, texts
from tests.patience import until
from tests.processes import end, ended, running

ROOT = Path(__file__).parents[2]


def program(code: str, *arguments: object) -> list[object]:
    return [sys.executable, "-c", code, *arguments]


WRITER = """
import sys
from pathlib import Path
from lema.journal import Journal, complete
from tests.answering import Echo, ask
with Journal(Path(sys.argv[1])) as journal:
    list(complete(journal, Echo(), [ask(f"q{i}", int(sys.argv[2])) for i in range(1500)]))
"""


@pytest.mark.living
def test_several_processes_write_one_file(tmp_path):
    path = tmp_path / "new.sqlite"
    with ExitStack() as stack:
        writers = [stack.enter_context(running(program(WRITER, path, i % 3), cwd=ROOT)) for i in range(4)]
        assert [writer.wait() for writer in writers] == [0] * 4
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
kind, folder, most = {"Echo": Echo, "InPairs": InPairs}[sys.argv[2]], Path(sys.argv[1]), int(sys.argv[3])
paid = os.open(folder / "paid", os.O_RDWR | os.O_APPEND | os.O_CREAT)
class Paid(kind):
    def complete(self, requests):
        for completion in super().complete(requests):
            while os.pread(paid, 10**6, 0).count(b"\\n") >= most:
                time.sleep(1)  # until it is killed
            os.write(paid, completion.text.encode() + b"\\n")
            time.sleep(0.006)
            yield completion
with Journal(folder / "journal.sqlite") as journal:
    for completion in complete(journal, Paid(), [ask("q" * (i % 4) + str(i)) for i in range(150)]):
        print(completion.text)
"""


@pytest.mark.living
@pytest.mark.parametrize(("kind", "in_flight"), [("Echo", 1), ("InPairs", 2)])
def test_killed_again_and_again_it_pays_once_but_for_what_was_in_flight(tmp_path, kind, in_flight):
    rng, kills, paid = random.Random(kind), 5, tmp_path / "paid"
    paid.touch()
    for _ in range(kills):
        moment = len(paid.read_bytes().splitlines()) + rng.randrange(1, 20)
        # it pays for a few more until it is killed, and never for all 150
        with running(program(PAID, tmp_path, kind, moment + 9), cwd=ROOT, stdout=subprocess.DEVNULL) as child:
            until(lambda moment=moment: paid.read_bytes().count(b"\n") >= moment, f"{moment} were paid", child)
            time.sleep(rng.random() / 100)
            assert end(child), "the process ended before it was killed"
    answers = ended(program(PAID, tmp_path, kind, 10**9), check=True, cwd=ROOT).stdout.splitlines()
    bought = paid.read_text().splitlines()
    with Journal(tmp_path / "alone") as journal:
        requests = [ask("q" * (i % 4) + str(i)) for i in range(150)]
        assert answers == texts(complete(journal, {"Echo": Echo, "InPairs": InPairs}[kind](), requests))
    assert set(bought) == set(answers)
    assert len(bought) <= 150 + kills * in_flight


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
    child = ended(program(FULL, path), cwd=ROOT)
    seen, _, said = child.stdout.strip().partition(" ")
    assert child.returncode == 0 and "cannot be written" in said and "make room" in said and "\n" not in said
    model = Echo()
    with Journal(path) as journal:
        list(complete(journal, model, (ask(f"q{i} " * 100) for i in range(int(seen)))))
    assert int(seen) > 0 and not model.asked
