"""The Ray engine measured on one machine: python bench/scale.py efficiency | overhead | memory | nodes

    efficiency   requests per second with 1, 2, 4 and 8 actors, each talking to an endpoint with a fixed latency
    overhead     milliseconds per request at an endpoint that answers at once, beside the local engine
    memory       the driver's largest resident memory with 10,000 to 1,000,000 questions
    nodes        what one driver's journal and this disk can take, and from it a simulation of up to 100 machines

One design decision: each figure is of the real parts (actors, shards, journal, rows), with only the model's own
time replaced, by a fixed wait or by nothing; so two cores suffice, and what is printed is what the engine adds.
"""

import argparse
import contextlib
import heapq
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from lema.config import parse_config
from lema.journal import Journal, complete
from lema.journal.waiting import call_of
from lema.messages import Completion, Message, Request
from lema.models import find_model
from lema.records import Sampling

ROOT = Path(__file__).resolve().parents[1]
LATENCY, FLIGHT = 4.0, 16
TEXT = "x" * 110


@contextlib.contextmanager
def stub(seconds: float) -> Iterator[str]:
    command = [sys.executable, str(ROOT / "bench/stub.py"), "--seconds", str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.stdin.close()


def requests_of(count: int, seed: int = 0) -> Iterator[Request]:
    for number in range(count):
        text = f"What is {number} plus {seed}? Think in numbered steps.\n\nSolution:\n"
        yield Request((Message("user", text),), Sampling(temperature=1.0, max_tokens=64, seed=seed))


def config_of(actors: int, table: dict) -> object:
    return parse_config({"name": "bench", "task": {"name": "rows", "train": "q.jsonl"}, "models": {"m": table},
                         "sample": {"models": ["m"]}, "machine": {"engine": "ray", "actors": actors}}, "bench")


@contextlib.contextmanager
def on_cluster(folder: Path, actors: int, table: dict) -> Iterator[object]:
    """The model as the engine has it asked, with so many actors."""
    from lema.runs.cluster import ray_itself
    from lema.runs.office import Office
    from lema.runs.remote import ClusterModels

    config, ray = config_of(actors, table), ray_itself()
    if not ray.is_initialized():
        ray.init(address="local", num_cpus=8, include_dashboard=False, object_store_memory=200_000_000,
                 log_to_driver=False, logging_level="ERROR")
    from lema.runs.cluster import nodes_alive

    with contextlib.closing(Office(folder, config)) as office, \
            contextlib.closing(ClusterModels(office, nodes_alive(), config)) as models:
        spec = config.models["m"].backend, config.models["m"].own
        yield models.model("m", spec, find_model("m", *spec))


def rate(journal: Journal, model: object, count: int, seed: int) -> tuple[float, float]:
    """(requests per second, this process's CPU milliseconds per request)."""
    began, busy = time.monotonic(), time.process_time()
    given = sum(1 for _ in complete(journal, model, requests_of(count, seed)))
    assert given == count
    return count / (time.monotonic() - began), 1000 * (time.process_time() - busy) / count


def efficiency(options: argparse.Namespace) -> None:
    print(f"endpoint that takes {LATENCY:g} s, {FLIGHT} in flight for each actor")
    first = None
    with stub(LATENCY) as url:
        for actors in (1, 2, 4, 8):
            table = {"backend": "api", "model": "stub", "base_url": url, "n": 1, "concurrency": FLIGHT * actors}
            with tempfile.TemporaryDirectory() as name, Journal(Path(name) / "journal.sqlite") as journal, \
                    on_cluster(Path(name), actors, table) as model:
                rate(journal, model, 4 * FLIGHT * actors, 1)  # actors start, endpoints learn what they take
                per_s, cpu = rate(journal, model, options.rounds * FLIGHT * actors, 2)
            first = first or per_s
            print(f"{actors} actors: {per_s:7.1f} requests/s, {per_s / actors / first:6.1%} of linear, driver "
                  f"{cpu:.2f} CPU ms per request", flush=True)


def overhead(options: argparse.Namespace) -> None:
    with stub(0.0) as url:
        table = {"backend": "api", "model": "stub", "base_url": url, "n": 1, "concurrency": 64}
        for how in ("local", "ray"):
            turns = []
            for turn in range(3):
                with tempfile.TemporaryDirectory() as name, Journal(Path(name) / "journal.sqlite") as journal:
                    own = {key: value for key, value in table.items() if key != "backend"}
                    there = on_cluster(Path(name), 1, table) if how == "ray" else contextlib.nullcontext(
                        find_model("m", "api", own))
                    with there as model:
                        rate(journal, model, 200, 1)
                        turns.append(rate(journal, model, options.requests, 2 + turn))
            print(f"{how:6} {statistics.median(t[0] for t in turns):8.0f} requests/s, "
                  f"{statistics.median(1000 / t[0] for t in turns):6.2f} ms each, driver "
                  f"{statistics.median(t[1] for t in turns):.2f} CPU ms each", flush=True)


def memory(options: argparse.Namespace) -> None:
    for count in options.questions:
        done = subprocess.run([sys.executable, __file__, "driver", "--requests", str(count)], capture_output=True,
                              text=True)
        print(done.stdout.strip() or done.stderr[-2000:], flush=True)


def driver(options: argparse.Namespace) -> None:
    """A whole run of so many questions, whose model answers at once; the largest memory of this process."""
    from lema.commands.run import run_config

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "q.jsonl").open("w") as out:
            for number in range(options.requests):
                out.write(json.dumps({"question": f"What is {number} plus 1?", "answer": str(number + 1)}) + "\n")
        os.chdir(folder)
        config = ('name = "b"\n[task]\nname = "rows"\ntrain = "q.jsonl"\nanswers = "number"\n[models.m]\n'
                  'backend = "bench.instant"\n[sample]\nmodels = ["m"]\nmax_tokens = 64\n[machine]\n'
                  'engine = "ray"\nactors = 2\n')
        (folder / "c.toml").write_text(config)
        began = time.monotonic()
        run_config("c.toml", [], Path("runs"))
        seconds = time.monotonic() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{options.requests:>9,} questions: {most:6.0f} MB at most in the driver, {seconds:,.0f} s for load, "
          "sample and grade")


def nodes(options: argparse.Namespace) -> None:
    """Measured here, then simulated."""
    commit = journal_rate(4000)
    small = sync_rate(200)
    with tempfile.TemporaryDirectory() as name, Journal(Path(name) / "journal.sqlite") as journal, \
            on_cluster(Path(name), 2, {"backend": "bench.instant"}) as model:
        rate(journal, model, 500, 1)
        per_s, cpu = rate(journal, model, options.requests, 2)
    print(f"measured: the journal takes {commit:,.0f} replies/s, this disk {small:,.0f} small synced writes/s; "
          f"the whole way of a reply {per_s:,.0f}/s ({cpu:.2f} CPU ms of the driver)")
    for latency in (2.0, 10.0):
        for machines in (1, 10, 30, 100):
            settled = simulated(machines, 256, latency, cpu / 1000)
            most = machines * 256 / latency
            print(f"simulated: {machines:4} machines, 256 in flight each, {latency:4g} s a reply: "
                  f"{settled:8,.0f}/s of {most:8,.0f}/s ({settled / most:6.1%})")
    full = 1000 / cpu
    print(f"one driver is full at {full:,.0f} replies/s: {full * 10 / 256:,.0f} machines of 256 in flight and "
          f"10 s a reply; the journal's own limit is {commit:,.0f}/s")


def journal_rate(count: int) -> float:
    with tempfile.TemporaryDirectory() as name, Journal(Path(name) / "journal.sqlite") as journal:
        calls = [call_of({"model": "m"}, request) for request in requests_of(count)]
        began = time.monotonic()
        tickets = [journal.put(call, Completion(TEXT, "stop", 90, 41)) for call in calls]
        tickets[-1].result()
        return count / (time.monotonic() - began)


def sync_rate(count: int) -> float:
    with tempfile.TemporaryFile() as file:
        began = time.monotonic()
        for _ in range(count):
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
        return count / (time.monotonic() - began)


def simulated(machines: int, flight: int, latency: float, service: float, seconds: float = 120.0) -> float:
    """Replies per second that one driver settles, each taking it `service` seconds, where every machine holds
    `flight` requests and asks the next only when the driver has given it one."""
    arrivals = [(latency * (place + 1) / (machines * flight), place) for place in range(machines * flight)]
    heapq.heapify(arrivals)
    free_at, settled = 0.0, 0
    while arrivals and free_at < seconds:
        came, place = heapq.heappop(arrivals)
        free_at = max(free_at, came) + service
        settled += free_at <= seconds
        heapq.heappush(arrivals, (free_at + latency, place))
    return settled / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=["efficiency", "overhead", "memory", "nodes", "driver"])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=12, help="requests for each place in flight")
    parser.add_argument("--questions", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    globals()[options.what](options)


if __name__ == "__main__":
    main()
