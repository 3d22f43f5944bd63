"""Kills a real vLLM under a run, again and again: one that lema started, and one that runs for itself.

    VLLM_CPU_KVCACHE_SPACE=1 LEMA_INTEROP_VLLM=/path/of/venv/bin/python \\
        python tests/faults/vllm_killed.py --kills 3

One design decision: the processes of vLLM are killed one at a time, its server or its engine, as when one of them
runs out of memory. Of a server of lema's own the run must end in one line, and the same command go on; one that
stands for itself comes back at its address, and the run is never started again. docs/interop.md says how the
environment is made; without one this says so and ends well.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from lema.models._vllm_server import MODULE, _answers  # noqa: E402 (a script finds its own repository)
from tests import toys  # noqa: E402
from tests.faults.running import command, paths_of, write_run  # noqa: E402
from tests.hosting import HERE, held_port  # noqa: E402
from tests.patience import until  # noqa: E402
from tests.processes import running  # noqa: E402

CONCURRENCY, PATHS = 8, 2
LONGEST = 1500.0
ROOM = 512
OWN = """
backend = "vllm"
path = "{model}"
run = "server"
python = "{python}"
dtype = "float32"
concurrency = {concurrency}
options = {{ max_model_len = {room} }}
resources = {{ max_num_seqs = {concurrency}, enforce_eager = true }}
"""


def python_of_vllm() -> str | None:
    return os.environ.get("LEMA_INTEROP_VLLM")


def servers(model: Path) -> list[int]:
    """The processes of the vLLM that serves this checkpoint: its server, then its engine."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            facts = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            if facts[0] != "Z":
                words = Path(f"/proc/{entry}/cmdline").read_bytes()
                parents[int(entry)] = int(facts[1]), words
    first = [pid for pid, (_, words) in parents.items()
             if str(model).encode() in words and MODULE.encode() in words and b"_watchdog" not in words]
    return first + [pid for pid, (parent, words) in parents.items() if parent in first and b"Engine" in words]


def replies(folder: Path) -> list[tuple[bytes, bytes]]:
    """Key and text of every completion that is kept so far."""
    path = folder / "runs/faulty/journal.sqlite"
    with contextlib.suppress(sqlite3.Error), contextlib.closing(
            sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
        return file.execute("SELECT key, text FROM completions").fetchall()
    return []


def strike(folder: Path, model: Path, moment: int, run: subprocess.Popen, draw: random.Random) -> str:
    """Kills one of vLLM's processes when so many replies are kept; which."""
    until(lambda: len(replies(folder)) >= moment, f"{moment} replies are kept", run, LONGEST, 0.02)
    there = servers(model)
    victim = draw.choice(there)
    os.kill(victim, signal.SIGKILL)
    return "server" if victim == there[0] else "engine"


def wrong(folder: Path, questions: int, before: dict[bytes, bytes]) -> list[str]:
    """What is missing, double, failed or other than it was kept; nothing where all is well."""
    rows = paths_of(folder)
    places = {(row["question"], row["index"]) for row in rows}
    faults = [] if len(rows) == len(places) == questions * PATHS else [f"{len(rows)} rows, {len(places)} places"]
    faults += [row["finish"] for row in rows if row["finish"].startswith("error")][:3]
    kept = dict(replies(folder))
    return faults + [f"{key.hex()}: another text" for key, text in before.items() if kept.get(key) != text][:3]


def own(folder: Path, model: Path, python: str, questions: int, kills: int, draw: random.Random) -> list[str]:
    """A server of lema's own: one line at each kill, then the same command; faults."""
    write_run(folder, "x", questions, PATHS)
    table = OWN.format(model=model, python=python, concurrency=CONCURRENCY, room=ROOM)
    config = (folder / "lema.toml").read_text()
    old = config[config.index('backend = "api"'):config.index("[sample]")]
    (folder / "lema.toml").write_text(config.replace(old, table))
    before: dict[bytes, bytes] = {}
    for moment in [*sorted(draw.sample(range(5, int(questions * PATHS * 0.95)), kills)), None]:
        with (folder / "log").open("w+") as log, running(command("run", "lema.toml"), LONGEST, cwd=folder,
                                                         stdout=subprocess.DEVNULL, stderr=log) as run:
            struck = "" if moment is None else strike(folder, model, moment, run, draw)
            began = time.monotonic()
            run.wait()
            log.seek(0)
            errors = log.read()
        line = errors.strip().splitlines()[-1] if errors.strip() else ""
        print(f"  own: {struck or 'left alone'}, at {moment} of {questions * PATHS} replies: exit code "
              f"{run.returncode} after {time.monotonic() - began:.0f} s: {line[:230]}", flush=True)
        if moment is not None and (run.returncode != 2 or "Traceback" in errors or "vllm: " not in line):
            return [f"a kill of the {struck} ended in: {errors[-2000:]}"]
        if moment is None and run.returncode:
            return [errors[-2000:]]
        before |= dict(replies(folder)) if moment is not None else {}
        until(lambda: not servers(model), "nothing of it is left")
    return wrong(folder, questions, before)


@contextlib.contextmanager
def standing(folder: Path, model: Path, python: str, port: int) -> Iterator[None]:
    """`vllm serve` at that port, for itself, from when it answers; nothing of it outlives the block."""
    flags = ["--host", HERE, "--port", port, "--model", model, "--served-model-name", "m", "--dtype", "float32",
             "--max-model-len", ROOM, "--max-num-seqs", CONCURRENCY, "--enforce-eager"]
    with (folder / "served").open("a") as log, running([python, "-m", MODULE, *flags], LONGEST, stdout=log,
                                                      stderr=subprocess.STDOUT) as process:
        until(lambda: _answers(f"http://{HERE}:{port}"), "vLLM answers", process, LONGEST, 0.2)
        yield
    until(lambda: not servers(model), "nothing of it is left")


def for_itself(folder: Path, model: Path, python: str, questions: int, kills: int,
               draw: random.Random) -> list[str]:
    """A server that stands for itself, is killed under a run and comes back; faults."""
    with held_port() as place:
        port = place.getsockname()[1]
    write_run(folder, f"http://{HERE}:{port}/v1", questions, PATHS,
              model=f'concurrency = {CONCURRENCY}\nform = "completions"')
    with (folder / "log").open("w+") as log, contextlib.ExitStack() as stack:
        first = stack.enter_context(contextlib.ExitStack())
        first.enter_context(standing(folder, model, python, port))
        run = stack.enter_context(running(command("run", "lema.toml"), LONGEST, cwd=folder,
                                          stdout=subprocess.DEVNULL, stderr=log))
        for moment in sorted(draw.sample(range(5, int(questions * PATHS * 0.95)), kills)):
            struck = strike(folder, model, moment, run, draw)
            print(f"  for itself: {struck} killed at {moment} of {questions * PATHS} replies", flush=True)
            time.sleep(draw.random() * 2)  # a server whose engine is gone answers 500 for a while
            first.close()
            first.enter_context(standing(folder, model, python, port))
        run.wait()
        log.seek(0)
        errors = log.read()
    return [errors[-2000:]] if run.returncode else wrong(folder, questions, {})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", nargs="+", default=["own", "for_itself"])
    options = parser.parse_args()
    python = python_of_vllm()
    if python is None:
        print("no vLLM here: name the Python of its environment in LEMA_INTEROP_VLLM (docs/interop.md)")
        return 0
    faults = {}
    with tempfile.TemporaryDirectory(prefix="lema-faults-") as name:
        model = toys.chatty(Path(name) / "model", width=32)
        (model / "chat_template.jinja").write_text("{{ messages[-1]['content'] }}")
        for attack in filter(lambda attack: attack.__name__ in options.only, (own, for_itself)):
            folder = Path(name) / attack.__name__
            folder.mkdir()
            draw = random.Random(f"{attack.__name__} {options.seed}")
            faults[attack.__name__] = attack(folder, model, python, options.questions, options.kills, draw)
    print(f"seed {options.seed}: {options.kills} kills of each vLLM under a run of {options.questions * PATHS} "
          f"requests; what is wrong: {json.dumps(faults)}")
    return any(faults.values())


if __name__ == "__main__":
    sys.exit(main())
