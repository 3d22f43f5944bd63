"""A run on two nodes of a real Ray cluster: whoever is killed, nothing is lost, doubled or paid twice."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.faults.running import answer, command, lema, paths_of, write_run, wrong_rows
from tests.patience import until
from tests.personas import Vllm
from tests.processes import end, running
from tests.scale.two_nodes import needs_ray, two_nodes
from tests.server import Server, never

pytestmark = needs_ray()
QUESTIONS, CONCURRENCY = 240, 8


@pytest.fixture(scope="module")
def cluster():
    with two_nodes() as nodes:
        yield nodes


def on(cluster, *more: str) -> list[str]:
    machine = ["--set", "machine.engine=ray", "--set", f"machine.address={cluster.address}"]
    return ["run", "lema.toml", *machine, *more]


def actors(cluster) -> list[int]:
    """The processes of a cluster's actors, by what Ray calls them; nobody else's. Their parent's is the node's."""
    found, nodes = [], {node.pid for node in cluster.nodes}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            title = Path(f"/proc/{entry}/cmdline").read_bytes()
            if title.startswith(b"ray::Actor") and parent_of(parent_of(int(entry))) in nodes:
                found.append(int(entry))
        except OSError:
            continue
    return found


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def replies_of(folder: Path) -> list[str]:
    """How many completions, prompts and failures the run's journal holds."""
    stats = lema(folder, "journal", "stats", "faulty", "--json")
    facts = json.loads(stats.stdout)
    return [facts[name] for name in ("completions", "prompts", "failures", "models")]


def seen_of(server: Server) -> int:
    return sum(body.get("n", 1) for body in server.seen)


def held_after(server: Server, count: int) -> None:
    """The server answers nobody any more once it has seen so many requests."""
    server.held = lambda body: len(server.seen) > count


def killed_after(server: Server, count: int, folder: Path, cluster) -> None:
    """A run whose driver is killed when the server has seen so many requests; its actors end by themselves."""
    held_after(server, count)
    with running(command(*on(cluster)), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until(lambda: len(server.seen) >= count, f"{count} requests", run)
        assert end(run)
    until(lambda: not actors(cluster), "its actors are gone")
    server.held = never


def test_two_nodes_yield_the_rows_of_one_machine(cluster, tmp_path):
    with Server(answer, persona=Vllm()) as server:
        here, there = tmp_path / "here", tmp_path / "there"
        for folder in (here, there):
            folder.mkdir()
            write_run(folder, server.url, QUESTIONS, 2)
        assert lema(here, "run", "lema.toml").returncode == 0
        done = lema(there, *on(cluster))
        assert done.returncode == 0, done.stderr
        for name in ("questions", "paths/student", "graded"):
            rows = [folder / "runs/faulty" / name / "rows.jsonl" for folder in (here, there)]
            assert rows[0].read_bytes() == rows[1].read_bytes(), name
        assert not list((there / "runs/faulty/shards").glob("*")), "all of them are in the journal"
        assert seen_of(server) == 4 * QUESTIONS
        assert replies_of(here) == replies_of(there)


def test_prompts_larger_than_what_ray_sends_by_itself_arrive_whole(cluster, tmp_path):
    with Server(answer, persona=Vllm(room=10**6)) as server:
        write_run(tmp_path, server.url, 6)
        rows = (tmp_path / "questions.jsonl").read_text().replace("What is", "so " * 60_000 + "What is")
        (tmp_path / "questions.jsonl").write_text(rows)
        done = lema(tmp_path, *on(cluster))
        assert done.returncode == 0, done.stderr
        assert len(server.seen) == 6 and len(paths_of(tmp_path)) == 6


def test_a_dead_actor_costs_what_it_had_in_flight_and_the_run_goes_on(cluster, tmp_path):
    with Server(answer, seconds=lambda body: 0.05, persona=Vllm()) as server:
        write_run(tmp_path, server.url, QUESTIONS, 1, f"concurrency = {CONCURRENCY}")
        held_after(server, QUESTIONS // 2)
        with running(command(*on(cluster)), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                     text=True) as run:
            until(lambda: len(server.seen) >= QUESTIONS // 2, "half of the requests", run)
            before, victims = server.at_once, actors(cluster)
            os.kill(victims[0], signal.SIGKILL)
            server.held = never
            errors = run.communicate()[1]
        assert run.returncode == 0, errors
        assert "died" in errors and not wrong_rows(tmp_path, QUESTIONS, 1)
        assert QUESTIONS <= seen_of(server) <= QUESTIONS + max(before, CONCURRENCY)


def test_a_dead_driver_costs_what_was_in_flight(cluster, tmp_path):
    with Server(answer, seconds=lambda body: 0.05, persona=Vllm()) as server:
        write_run(tmp_path, server.url, QUESTIONS, 1, f"concurrency = {CONCURRENCY}")
        kills = 2
        for kill in range(1, kills + 1):
            killed_after(server, kill * QUESTIONS // 4, tmp_path, cluster)
        done = lema(tmp_path, *on(cluster))
        assert done.returncode == 0, done.stderr
        assert not wrong_rows(tmp_path, QUESTIONS, 1)
        assert QUESTIONS <= seen_of(server) <= QUESTIONS + kills * CONCURRENCY


def test_a_dead_node_costs_what_it_had_in_flight_and_the_run_goes_on(tmp_path):
    with two_nodes() as cluster, Server(answer, seconds=lambda body: 0.05, persona=Vllm()) as server:
        write_run(tmp_path, server.url, QUESTIONS, 1, f"concurrency = {CONCURRENCY}")
        held_after(server, QUESTIONS // 2)
        with running(command(*on(cluster)), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                     text=True) as run:
            until(lambda: len(server.seen) >= QUESTIONS // 2, "half of the requests", run)
            assert len(actors(cluster)) == 2, "one on each node"
            cluster.kill(1)
            until(lambda: len(actors(cluster)) < 2, "its actor is gone", run)
            server.held = never
            errors = run.communicate()[1]
        assert run.returncode == 0, errors
        assert not wrong_rows(tmp_path, QUESTIONS, 1)
        assert QUESTIONS <= seen_of(server) <= QUESTIONS + CONCURRENCY
