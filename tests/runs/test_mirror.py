"""A run that is copied to an fsspec URL: who loses the machine goes on from there and pays nothing again."""

import shutil
from importlib.util import find_spec

import pytest

from tests.faults.running import answer, lema, write_run, wrong_rows
from tests.personas import Vllm
from tests.server import Server

MOTO = pytest.mark.skipif(find_spec("moto") is None or find_spec("s3fs") is None,
                          reason="moto or s3fs is not installed (make scale)")
FSSPEC = pytest.mark.skipif(find_spec("fsspec") is None, reason="fsspec is not installed")
QUESTIONS = 30


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of a local S3 server."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "tests",
                        "AWS_SECRET_ACCESS_KEY": "tests", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="runs")
    yield "s3://runs/ours"
    server.stop()


def goes_on_elsewhere(folder, url: str) -> None:
    with Server(answer, persona=Vllm()) as server:
        for name in ("here", "elsewhere"):
            (folder / name).mkdir()
            write_run(folder / name, server.url, QUESTIONS)
        done = lema(folder / "here", "run", "lema.toml", "--set", f"machine.mirror={url}")
        assert done.returncode == 0, done.stderr
        rows = (folder / "here/runs/faulty/graded/rows.jsonl").read_bytes()
        shutil.rmtree(folder / "here/runs")
        done = lema(folder / "elsewhere", "run", "lema.toml", "--set", f"machine.mirror={url}")
        assert done.returncode == 0 and "finished stages fetched" in done.stderr, done.stderr
        assert (folder / "elsewhere/runs/faulty/graded/rows.jsonl").read_bytes() == rows
        shutil.rmtree(folder / "elsewhere/runs/faulty/paths")
        assert lema(folder / "elsewhere", "run", "lema.toml").returncode == 0, "from the journal that was fetched"
        assert not wrong_rows(folder / "elsewhere", QUESTIONS, 1)
        assert len(server.seen) == QUESTIONS


@MOTO
def test_a_run_goes_on_from_a_bucket_after_its_machine_is_lost(tmp_path, bucket):
    goes_on_elsewhere(tmp_path, bucket)


@FSSPEC
def test_a_run_goes_on_from_another_disk_after_its_machine_is_lost(tmp_path):
    goes_on_elsewhere(tmp_path, f"file://{tmp_path}/mirror")


@MOTO
def test_a_bucket_that_is_not_there_is_told_in_one_line_and_the_run_is_kept(tmp_path, bucket):
    with Server(answer, persona=Vllm()) as server:
        write_run(tmp_path, server.url, 4)
        done = lema(tmp_path, "run", "lema.toml", "--set", "machine.mirror=s3://nobodys/runs")
        assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
        assert "s3://nobodys/runs/faulty: cannot be" in done.stderr
        assert lema(tmp_path, "run", "lema.toml").returncode == 0
        assert len(server.seen) == 4


@FSSPEC
@pytest.mark.parametrize(("url", "says"), [("bucket", "mirror"), ("gopher://x/y", "gopher")])
def test_an_address_of_no_known_kind_is_refused_before_anything_is_asked(tmp_path, url, says):
    write_run(tmp_path, "http://127.0.0.1:9/v1", 4)
    done = lema(tmp_path, "run", "lema.toml", "--set", f"machine.mirror={url}")
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "runs/faulty/questions").exists()
