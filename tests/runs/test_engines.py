"""Which engine performs a run's stages: what a config may ask for, and what is told where it cannot be had."""

import sys

import pytest

from lema.commands.run_folder import stages_of
from lema.config import load_config, parse_config
from lema.errors import ConfigError
from lema.journal import Journal, complete
from lema.journal.merging import gathered_shards
from lema.journal.opening import SHARDS, kind_of_disk, mode_for
from lema.runs.working import PART, parcels, unpacked
from tests.answering import Echo, ask
from tests.faults.running import write_run
from tests.processes import ended

WITHOUT_RAY = "import sys; sys.modules['ray'] = None; from lema.cli import main; main()"
TABLE = {"name": "x", "task": {"name": "rows", "train": "q.jsonl"}, "models": {"m": {"backend": "teacher"}},
         "sample": {"models": ["m"]}}


def test_a_run_without_ray_is_told_what_to_install_before_anything_is_asked(tmp_path):
    write_run(tmp_path, "http://127.0.0.1:9/v1", 2)
    run = [sys.executable, "-c", WITHOUT_RAY, "run", "lema.toml", "--set", "machine.engine=ray"]
    done = ended(run, cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "ray: not installed; pip install" in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("machine", "says"), [
    ({"address": "auto"}, 'add engine = "ray"'), ({"actors": 2}, 'add engine = "ray"'),
    ({"engine": "ray", "address": "ray://head:10001"}, "start lema on one"),
    ({"engine": "ray", "address": "head"}, "must be auto, or host:port"), ({"engine": "rya"}, "ray")])
def test_a_machine_that_makes_no_sense_is_refused(machine, says):
    with pytest.raises(ConfigError, match=says):
        parse_config(TABLE | {"machine": machine}, "x")


def test_the_engine_makes_nothing_stale(tmp_path, monkeypatch):
    write_run(tmp_path, "http://127.0.0.1:9/v1", 2)
    monkeypatch.chdir(tmp_path)
    prints = []
    for machine in ([], ["machine.engine=ray", "machine.address=auto", "machine.actors=3"]):
        stages = stages_of(tmp_path / "runs/faulty", load_config("lema.toml", machine))
        prints.append({name: stage.fingerprint for name, stage in stages.items()})
    assert prints[0] == prints[1] and "paths/student" in prints[0]


def kept(path, texts) -> None:
    path.parent.mkdir(exist_ok=True)
    with Journal(path) as journal:
        list(complete(journal, Echo(), map(ask, texts)))


def test_shards_that_a_killed_run_left_are_in_the_journal_before_anything_is_asked(tmp_path):
    path = tmp_path / "journal.sqlite"
    kept(path, ["a", "b"])
    kept(tmp_path / SHARDS / "node-1.sqlite", ["b", "c"])
    kept(tmp_path / SHARDS / "node-2.sqlite", ["d"])
    assert gathered_shards(path) == 2
    assert not list((tmp_path / SHARDS).iterdir())
    with Journal(path) as journal:
        model = Echo()
        assert len(list(complete(journal, model, map(ask, "abcd")))) == 4
        assert not model.asked


MOUNTS = "/dev/sda / ext4 rw 0 0\nhead:/home {home} nfs4 rw 0 0\ntmpfs {home}/fast tmpfs rw 0 0\n"


@pytest.mark.parametrize(("place", "kind", "mode"), [
    ("", "nfs4", "truncate"), ("fast", "tmpfs", "wal"), ("fast/shards", "tmpfs", "truncate")])
def test_a_journal_on_a_disk_that_machines_share_needs_no_shared_memory(tmp_path, place, kind, mode, monkeypatch):
    mounts, folder = tmp_path / "mounts", tmp_path / "home" / place
    mounts.write_text(MOUNTS.format(home=tmp_path / "home"))
    folder.mkdir(parents=True)
    assert kind_of_disk(folder / "journal.sqlite", mounts) == kind
    monkeypatch.setattr("lema.journal.opening.kind_of_disk", lambda path: kind_of_disk(path, mounts))
    assert mode_for(folder / "journal.sqlite") == mode
    kept(folder / "journal.sqlite", ["a"])
    assert not (folder / "journal.sqlite-wal").exists()
    with Journal(folder / "journal.sqlite") as journal:
        assert journal._reading.execute("PRAGMA journal_mode").fetchone() == (mode,)


@pytest.mark.parametrize("length", [0, 1, PART, 5 * PART + 7])
def test_what_crosses_to_an_actor_needs_no_room_in_an_object_store(length):
    content = [("x" * length, 3), None]
    parts = parcels(content)
    assert unpacked(parts) == content
    assert max(map(len, parts)) <= PART < 100_000, "above that Ray puts an argument into its store"
