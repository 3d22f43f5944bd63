"""What can go wrong around a run that asks an endpoint: secrets, a second process, disks, a damaged journal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.running import answer, command, lema, paths_of, write_run, wrong_rows
from tests.patience import until
from tests.personas import Vllm
from tests.processes import ended, running
from tests.server import Fault, Server, no_fault, refusal

KEY = "mykey-7f3Qx-secret"


def shown(folder: Path, *arguments: str) -> str:
    """What a command that fails as it should says: one line."""
    return complaint(lema(folder, *arguments))


def complaint(done: subprocess.CompletedProcess) -> str:
    said = [line for line in done.stderr.splitlines() if line.startswith("lema: ")]
    assert done.returncode == 2 and len(said) == 1 and "Traceback" not in done.stderr, done.stderr
    return said[0]


@pytest.fixture
def server():
    """One for each test: what a killed process had sent may arrive late."""
    with Server(answer, persona=Vllm()) as listening:
        yield listening


def test_a_key_is_nowhere_in_a_run_even_if_the_server_says_it(server, tmp_path):
    """The server puts the key into replies, errors and headers; every byte of the run is looked through."""
    def fault(number: int, body: dict) -> Fault | None:
        if number == 3:
            return refusal(400, f"your key {KEY} may not ask this")
        return Fault(status=500, headers=(("X-Key", KEY),), body=KEY) if number == 5 else None

    server.begin(answer=lambda body, choice: f"You sent Bearer {KEY}.\n{answer(body, choice)}", fault=fault)
    write_run(tmp_path, server.url, 12, model='api_key_env = "MY_KEY"\nretries = 2')
    done = lema(tmp_path, "run", "lema.toml", env=os.environ | {"MY_KEY": KEY})
    assert done.returncode == 0, done.stderr
    assert set(server.keys) == {f"Bearer {KEY}"}
    texts = "".join(row["text"] + row["finish"] for row in paths_of(tmp_path))
    assert "Bearer ***" in texts and "your key *** may not" in texts
    server.begin(fault=lambda number, body: refusal(401, f"bad key {KEY}"))
    refused = lema(tmp_path, "run", "lema.toml", "--set", "sample.seed=2", "--yes",
                   env=os.environ | {"MY_KEY": KEY})
    assert "key was refused" in refused.stderr
    kept = [path.name for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]
    assert not kept and KEY not in done.stdout + done.stderr + refused.stdout + refused.stderr


def test_an_endpoint_that_refuses_everything_ends_the_run_and_a_bad_row_does_not(server, tmp_path):
    write_run(tmp_path, server.url, 8)
    server.begin(fault=lambda number, body: refusal(400, "top_p is not supported"))
    assert "every request is refused" in shown(tmp_path, "run", "lema.toml")
    server.begin(answer=answer, fault=lambda number, body: refusal(
        400, "too long") if "What is 5 plus" in str(body) else None)
    assert lema(tmp_path, "run", "lema.toml").returncode == 0
    assert sorted(row["finish"] for row in paths_of(tmp_path)) == ["error: 400 too long"] + ["stop"] * 7


@pytest.mark.living
def test_a_second_process_is_told_who_holds_the_run(server, tmp_path):
    server.begin(answer=answer, held=lambda body: True)
    write_run(tmp_path, server.url, 40, model="concurrency = 1")
    with running(command("run", "lema.toml"), cwd=tmp_path, stderr=subprocess.DEVNULL) as first:
        until(lambda: server.seen, "it asked the server", first)
        assert f"process {first.pid} is working on this run" in shown(tmp_path, "run", "lema.toml")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte, as a function that mounts it anew with other options."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mounted(*options: str) -> Path:
        done = ended(["mount", *options, disk])
        if done.returncode:
            pytest.skip(f"no right to mount a disk here ({done.stderr.strip()})")
        return disk

    yield mounted
    ended(["umount", "--lazy", disk])  # even where a test failed with a file open there


def test_a_full_disk_is_one_clear_line_and_what_was_paid_is_kept(server, small_disk):
    disk = small_disk("-t", "tmpfs", "-o", "size=1m", "tmpfs")
    server.begin(answer=lambda body, choice: answer(body, choice) + " " + "x" * 3000)
    write_run(disk, server.url, 600, model="concurrency = 16")
    said = shown(disk, "run", "lema.toml")
    assert ("make room" in said or "free some" in said) and "same command again" in said
    seen = len(server.seen)
    assert seen > 20
    small_disk("-o", "remount,size=64m")
    assert lema(disk, "run", "lema.toml").returncode == 0
    assert not wrong_rows(disk, 600, 1)
    assert len(server.seen) <= 600 + 16 + 64  # what was in flight, and what stood in line for the full disk


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
from lema.cli import main
main()
"""


def test_a_disk_that_takes_no_more_writes_is_one_clear_line(server, tmp_path):
    """The same for a limit on the size of files, which needs no rights."""
    server.begin(answer=lambda body, choice: answer(body, choice) + " " + "x" * 3000)
    write_run(tmp_path, server.url, 600, model="concurrency = 16")
    done = ended([sys.executable, "-c", LIMITED, "run", "lema.toml"], cwd=tmp_path)
    assert "same command again" in complaint(done)
    assert lema(tmp_path, "run", "lema.toml").returncode == 0
    assert not wrong_rows(tmp_path, 600, 1)


def test_a_read_only_folder_is_one_clear_line(server, small_disk):
    disk = small_disk("-t", "tmpfs", "-o", "size=4m", "tmpfs")
    write_run(disk, server.url, 5)
    small_disk("-o", "remount,ro")
    said = shown(disk, "run", "lema.toml")
    assert "cannot be written (Read-only file system)" in said and "--runs DIR" in said
    small_disk("-o", "remount,rw")
    assert lema(disk, "run", "lema.toml").returncode == 0
    small_disk("-o", "remount,ro")
    assert "cannot be written" in shown(disk, "run", "lema.toml", "--yes", "--set", "sample.seed=5")


def test_a_damaged_journal_is_one_clear_line_and_finished_stages_stay(server, tmp_path):
    write_run(tmp_path, server.url, 300)
    assert lema(tmp_path, "run", "lema.toml").returncode == 0
    journal = tmp_path / "runs/faulty/journal.sqlite"
    with journal.open("r+b") as file:
        for page in range(1, journal.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    server.begin(answer=answer, fault=no_fault)
    rows = paths_of(tmp_path)
    said = shown(tmp_path, "run", "lema.toml", "--set", "sample.paths=2", "--yes")
    assert "journal.sqlite: damaged" in said
    assert paths_of(tmp_path) == rows
