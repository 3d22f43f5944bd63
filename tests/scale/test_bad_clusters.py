"""What a cluster may be like that cannot do a run: one clear line each, exit code 2, and nothing lost."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

import lema as package
from tests.faults.running import lema, write_run
from tests.scale.two_nodes import TwoNodes, needs_ray

pytestmark = needs_ray()
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="a mount of its own for a node needs root")
HIDING = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"')


@contextlib.contextmanager
def cluster_with(second: dict, first: dict):
    """Two nodes, the second and the head started in their own ways."""
    folder = Path(tempfile.mkdtemp(prefix="lr", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster, patch = TwoNodes(folder), stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        cluster.start(stack, **first)
        if second:
            cluster.start(stack, **second)
        yield cluster


def on(cluster) -> list[str]:
    return ["run", "lema.toml", "--set", "machine.engine=ray", "--set", f"machine.address={cluster.address}"]


def refused(folder: Path, *arguments: str) -> str:
    """The one line with which a run is refused."""
    done = lema(folder, *arguments)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("lema:")]
    assert len(lines) == 1 and "Traceback" not in done.stderr, done.stderr
    return lines[0]


@pytest.mark.parametrize("address", ["127.0.0.1:9", "no-such-host.invalid:6379", "auto"])
def test_an_address_that_does_not_answer_is_told_with_what_to_do(tmp_path, address, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    write_run(tmp_path, "http://127.0.0.1:9/v1", 2)
    machine = ["--set", "machine.engine=ray", "--set", f"machine.address={address}"]
    line = refused(tmp_path, "run", "lema.toml", *machine)
    assert address in line and "ray start" in line


def test_a_node_with_another_lema_is_named(tmp_path):
    other = tmp_path / "other"
    shutil.copytree(Path(package.__file__).parent, other / "lema", ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "lema/records.py").open("a") as changed:
        changed.write("\n# another checkout\n")
    write_run(tmp_path, "http://127.0.0.1:9/v1", 2)
    with cluster_with({"environment": {"PYTHONPATH": str(other)}}, {}) as cluster:
        line = refused(tmp_path, *on(cluster))
    assert "has another lema" in line and "install the same one" in line


@AS_ROOT
def test_a_folder_that_a_node_does_not_share_is_named(tmp_path):
    write_run(tmp_path, "http://127.0.0.1:9/v1", 2)
    (tmp_path / "runs").mkdir()
    with cluster_with({"before": (*HIDING, str(tmp_path / "runs"))}, {}) as cluster:
        line = refused(tmp_path, *on(cluster))
    assert str(tmp_path / "runs/faulty") in line and "share" in line


@AS_ROOT
def test_a_node_without_the_model_is_named(tmp_path):
    from tests.toys import model

    model(tmp_path / "students/toy")
    write_run(tmp_path, "http://127.0.0.1:9/v1", 4)
    text = (tmp_path / "lema.toml").read_text()
    text = text.replace('"api"', '"transformers"').replace('model = "m"', 'path = "students/toy"')
    lines = [line for line in text.splitlines() if not line.startswith("base_url")]
    (tmp_path / "lema.toml").write_text("\n".join(lines))
    with cluster_with({"before": (*HIDING, str(tmp_path / "students"))}, {}) as cluster:
        line = refused(tmp_path, *on(cluster))
    assert "students/toy" in line and "node" in line
