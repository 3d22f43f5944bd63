"""Cuts the power at every moment of a run, and goes on from what is left: python tests/faults/power_loss.py

    python tests/faults/power_loss.py --cuts 400 --seed 1

One design decision: what is left is no more than what was synced (tests/faults/recording.py), or any mixture of
that and of what was there; whatever it is, no reply that the journal said it had is asked for again, no stage that
was said to be finished is lost, and the run ends in the rows of one that was left alone.
"""

import argparse
import hashlib
import json
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.patience import in_a_moment  # noqa: E402 (a script finds its own repository)
from tests.paying import answer, lay_out, lema, replies  # noqa: E402
from tests.personas import Vllm  # noqa: E402
from tests.processes import ended  # noqa: E402
from tests.server import Server  # noqa: E402

CLIENT = """
import sys
from pathlib import Path
from tests.faults.recording import record
from tests.paying import lema
root, out = map(Path, sys.argv[1:])
record(root, out)
done = lema(root, "run", "x.toml")
sys.exit(done.stderr if done.returncode else 0)
"""
PAGE = 4096


class Recorded(NamedTuple):
    """A run whose every moment was recorded."""

    home: Path  # where it ran
    moments: list[dict]
    contents: Path
    rows: dict[str, str]
    needed: int  # replies
    server: Server


def recorded(folder: Path, server: Server, questions: int) -> Recorded:
    """A small run in a process of its own, from its first moment to its last."""
    home, contents = folder / "home", folder / "contents"
    home.mkdir()
    contents.mkdir()
    lay_out(home, server.url, questions=questions)
    config = (home / "x.toml").read_text().replace('model = "small"', 'model = "small"\nconcurrency = 2')
    (home / "x.toml").write_text(config)
    ended([sys.executable, "-c", CLIENT, home, contents], cwd=ROOT, check=True)
    moments = [json.loads(line) for line in (contents / "moments.jsonl").read_text().splitlines()]
    assert {"sync", "os.rename"} <= {moment["what"].split()[0] for moment in moments}
    return Recorded(home, moments, contents, rows_of(home), replies(server.seen), server)


def rows_of(folder: Path) -> dict[str, str]:
    run = folder / "runs/x"
    return {str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(run.rglob("rows.jsonl"))}


def left_behind(run: Recorded, moment: dict, how: str, draw: random.Random, place: Path) -> None:
    """What a power cut at a moment leaves: "synced" is the least, "names" has every name as it was and every file
    as far as it was synced, and "mixed" is drawn by folder, file and page."""
    certain, now = moment["durable"], moment["now"]

    def names(number: str) -> dict:
        here = now.get(number, certain.get(number, {}))
        if how == "synced" or (how == "mixed" and draw.random() < 0.5):
            return certain.get(number, {})
        return here

    def content(number: str) -> bytes:
        before = (run.contents / certain[number]).read_bytes() if number in certain else b""
        after = (run.contents / now[number]).read_bytes() if number in now else before
        kind = draw.choice(("before", "after", "pages", "length")) if how == "mixed" else "before"
        if kind == "pages":
            pages = range(0, len(after), PAGE)
            return b"".join((after if draw.random() < 0.5 else before.ljust(len(after), b"\0"))[at:at + PAGE]
                            for at in pages)
        return {"before": before, "after": after, "length": before.ljust(len(after), b"\0")}[kind]

    def put(number: str, path: Path) -> None:
        if isinstance(certain.get(number, now.get(number)), dict):
            path.mkdir()
            for name, each in names(number).items():
                put(each, path / name)
        else:
            path.write_bytes(content(number))

    root = next(number for number, entry in now.items() if isinstance(entry, dict) and "x.toml" in entry)
    put(root, place)


def broken_promise(run: Recorded, moment: dict, place: Path) -> str:
    """What a run that goes on from there does that it may not do; empty where all is well."""
    before = len(run.server.seen)
    with in_a_moment("a run after a power cut"):
        plan = lema(place, "plan", "x.toml").stdout
        lost = [name for name in moment["promised"]["stages"] if not re.search(rf"^done +{name}( |$)", plan, re.M)]
        done = lema(place, "run", "x.toml", "--yes")
    paid = replies(run.server.seen[before:])
    if lost:
        return f"stages that were finished are lost: {', '.join(lost)}"
    if done.returncode:
        return f"it does not go on: {done.stderr}"
    if paid > run.needed - moment["promised"]["completions"]:
        return f"{paid} replies paid, where {moment['promised']['completions']} of {run.needed} were kept"
    return "" if rows_of(place) == run.rows else "other rows than a run left alone"


def cuts(run: Recorded, folder: Path, count: int, seed: int) -> list[str]:
    """Cuts the power `count` times, at every moment as often; the promises that were broken."""
    draw, broken = random.Random(seed), []
    often, rest = divmod(count, len(run.moments))
    moments = run.moments * often + draw.sample(run.moments, rest)
    for number, moment in enumerate(moments):
        how, place = draw.choice(("synced", "synced", "names", "mixed", "mixed")), folder / f"cut-{number}"
        left_behind(run, moment, how, draw, place)
        if problem := broken_promise(run, moment, place):
            broken.append(f"{how}, at `{moment['what'].replace(str(run.home), '…')}`: {problem}")
        shutil.rmtree(place)
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cuts", type=int, default=400)
    parser.add_argument("--questions", type=int, default=12)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with (tempfile.TemporaryDirectory(prefix="lema-power-") as name, Server(answer, persona=Vllm()) as server):
        run = recorded(Path(name), server, options.questions)
        kinds = Counter(moment["what"].split()[0] for moment in run.moments)
        broken = cuts(run, Path(name), options.cuts, options.seed)
    for problem in broken[:20]:
        print(problem)
    moments = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(6))
    print(f"seed {options.seed}: {len(run.moments):,} moments ({moments}, …), "
          f"{options.cuts:,} power cuts; {len(broken)} broken promises")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
