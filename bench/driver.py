"""Requests per second of the api backend, journal on, beside other clients: python bench/driver.py

    python bench/driver.py --distilabel ENV/bin/python --curator ENV/bin/python

One design decision: all clients take turns within one run against the same stub in a process of its own, each in
a process of its own; so a busy machine slows all of them and the ratios hold. The time runs from the first
request that reaches the stub until all completions are in the caller's hands: what it takes to start is left out.
Prints the medians, CPU milliseconds per request, and the ratios that the project promises. The others need
environments of their own: `pip install 'distilabel[openai]==1.5.3' requests 'openai<2'` and
`pip install bespokelabs-curator==0.1.31`.
"""

import argparse
import json
import statistics
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
FAST = ("lema", "raw")  # asked three times as much, so that a turn is not over in a moment
PROMISES = {"sdk": 0.8, "distilabel": 2.0, "curator": 2.0}


class Taken(NamedTuple):
    """One turn of one client."""

    rate: float  # requests per second
    cpu: float  # milliseconds per request


def turn(python: str, client: str, url: str, requests: int, in_flight: int) -> Taken:
    """Runs one client to its end. RuntimeError with what it said where it fails."""
    told(url)
    done = subprocess.run([python, str(HERE / "clients.py"), client, url, str(requests), str(in_flight)],
                          capture_output=True, text=True, timeout=500)
    if done.returncode:
        raise RuntimeError(f"{client}: {done.stderr.strip()[-2000:]}")
    spent = json.loads(done.stdout.strip().splitlines()[-1])
    seen = told(url)
    if seen["answered"] < requests:
        raise RuntimeError(f"{client}: only {seen['answered']} of {requests} requests arrived")
    return Taken(requests / (spent["ended"] - seen["first"]), 1000 * spent["cpu"] / requests)


def told(url: str) -> dict:
    with urllib.request.urlopen(url) as response:
        return json.load(response)


def compare(url: str, pythons: dict[str, str], in_flight: int, rounds: int, requests: int) -> None:
    taken: dict[str, list[Taken]] = {client: [] for client in pythons}
    for _ in range(rounds):
        for client, python in pythons.items():
            many = max(requests, 3 * in_flight) * (3 if client in FAST else 1)
            taken[client].append(turn(python, client, url, many, in_flight))
    rates = {client: statistics.median(one.rate for one in turns) for client, turns in taken.items()}
    for client, turns in taken.items():
        ratios = [ours.rate / theirs.rate for ours, theirs in zip(taken["lema"], turns, strict=True)]
        promised = f", promised {PROMISES[client]}" if client in PROMISES else ""
        print(f"{in_flight:5} in flight  {client:10} {rates[client]:6.0f} requests/s "
              f"{statistics.median(one.cpu for one in turns):6.2f} CPU ms each"
              + (f"   lema is {statistics.median(ratios):5.2f} times as fast ({min(ratios):.2f} to "
                 f"{max(ratios):.2f}{promised})" if client != "lema" else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--in-flight", type=int, nargs="*", default=[64, 256, 1000])
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--distilabel", metavar="PYTHON", help="the python of an environment with distilabel 1.5")
    parser.add_argument("--curator", metavar="PYTHON", help="the python of one with bespokelabs-curator 0.1.31")
    options = parser.parse_args()
    pythons = {"lema": sys.executable, "sdk": sys.executable, "raw": sys.executable}
    for name in ("distilabel", "curator"):
        if given := getattr(options, name):
            pythons[name] = given
        else:
            print(f"{name}: left out; --{name} names the python of its environment")
    with subprocess.Popen([sys.executable, str(HERE / "stub.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as stub:
        url = f"http://127.0.0.1:{stub.stdout.readline().strip()}/v1"
        for in_flight in options.in_flight:
            compare(url, pythons, in_flight, options.rounds, options.requests)
        stub.stdin.close()


if __name__ == "__main__":
    main()
